//! People of the site, who stay what they are wherever the site moves.

use std::net::SocketAddr;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::stack::registration;
use nextbnb_tests::visitor::{Reply, Visitor};
use nextbnb_tests::wait_until;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::site::WEBHOOK_SECRET;

/// Who the home page says is there.
pub(crate) async fn user(visitor: &Visitor) -> Option<String> {
    let page = visitor.get("/").await.text().to_owned();
    let (_, rest) = page.split_once(r#"<span id="user">"#)?;
    Some(rest.split('<').next()?.to_owned())
}

/// Everybody who ever registered, each with a cookie and a booking.
pub(crate) struct People {
    address: SocketAddr,
    all: Vec<(String, Visitor)>,
}

impl People {
    /// Nobody, of the site at this address.
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self { address, all: Vec::new() }
    }

    /// Everybody is still signed in, guests are guests, and somebody new registers.
    pub(crate) async fn visit(&mut self, stage: &str) {
        assert_eq!(user(&Visitor::new(self.address)).await, None, "{stage}");
        for (email, visitor) in &self.all {
            assert_eq!(user(visitor).await.as_ref(), Some(email), "{stage}");
            let bookings = visitor.get("/api/bookings/list").await;
            assert_eq!(bookings.status, 200, "{stage}");
            assert_eq!(bookings.json()[0]["house"], 1, "{stage}");
        }
        let email = format!("{}@example.org", stage.to_lowercase().replace(' ', "-"));
        let visitor = Visitor::new(self.address);
        let reply = visitor.post("/api/auth/register", &registration(&email)).await;
        assert_eq!(reply.status, 200, "{stage}: {}", reply.text());
        wait_until("who registers is signed in", async || user(&visitor).await.is_some()).await;
        let booking = visitor.post("/api/bookings/new", &json!({ "house": 1 })).await;
        assert_eq!(booking.status, 200, "{stage}: {}", booking.text());
        self.all.push((email, visitor));
    }

    /// The newest's booking is paid by a call of the payment provider, which makes so many rows.
    pub(crate) async fn pay(&self, database: &TestDatabase, rows: usize) {
        let (_, visitor) = self.all.last().unwrap();
        let booking = visitor.get("/api/bookings/list").await.json()[0]["id"].clone();
        let before = sessions(database).await;
        let reply = call(self.address, &booking).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let is_right = async || sessions(database).await == before + rows;
        wait_until("the call's rows are there", is_right).await;
        assert_eq!(visitor.get("/api/bookings/list").await.json()[0]["paid"], true);
        assert!(is_right().await, "a call makes {rows} rows");
    }
}

/// As the payment provider calls: no cookie, a signature over the bytes, and an Origin of its own,
/// which nobody looks at.
async fn call(address: SocketAddr, booking: &Value) -> Reply {
    let body = format!("{{\"booking\": {booking} ,\"odd\\u0020spacing\":true}}");
    let mut signature = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).unwrap();
    signature.update(body.as_bytes());
    let signature = signature.finalize().into_bytes();
    let signature = format!("{:x}", Bytes::copy_from_slice(&signature));
    let provider = Visitor::new(address).header("X-Signature", &signature);
    let provider = provider.header("Origin", "https://pay.example");
    let body = Some(("application/json", body));
    provider.send(Method::POST, "/api/payments/webhook", body).await
}

async fn sessions(database: &TestDatabase) -> usize {
    database.texts("SELECT count(*)::text FROM \"Sessions\"").await[0].parse().unwrap()
}
