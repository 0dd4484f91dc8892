//! Express and two gateways on one database at once, in an order that the test forces.

use std::sync::Arc;

use nextbnb_tests::stack::{RunningGateway, registration};
use nextbnb_tests::upstream::{StubUpstream, text};
use nextbnb_tests::visitor::Visitor;
use nextbnb_tests::wait_until;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::allowed::Mode;
use crate::express::Express;
use crate::site::Site;
use crate::{scenario, scenarios};

const COOKIE: &str = "nextbnb";

/// Every cookie is due to be renewed, and every row to be touched.
const AGE: &str = "UPDATE \"Sessions\" SET data = regexp_replace(data, '\"expires\":\"[^\"]*\"', \
    '\"expires\":\"' || to_char(now() + interval '5 days', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') || '\"'), \
    \"updatedAt\" = now() - interval '1 hour'";

/// Express and two gateways, whose upstream answers when the test lets it.
struct Shared {
    site: Site,
    gateways: [RunningGateway; 2],
    upstream: StubUpstream,
    gate: Arc<Semaphore>,
    _express: Express,
}

impl Shared {
    async fn open() -> Self {
        let chapter = scenario::read_all(&scenarios());
        let chapter = chapter.into_iter().find(|chapter| chapter.name == "visits").unwrap();
        let mut express = Express::start();
        let site = Site::open(&mut express, chapter).await;
        let gate = Arc::new(Semaphore::new(0));
        let held = gate.clone();
        let upstream = StubUpstream::answering(move |_| {
            let held = held.clone();
            async move {
                held.acquire().await.unwrap().forget();
                text("hello")
            }
        })
        .await;
        let application = upstream.address();
        let gateways = [
            site.gateway(Mode::Default, application).await,
            site.gateway(Mode::Default, application).await,
        ];
        Self { site, gateways, upstream, gate, _express: express }
    }

    /// Somebody whom Express signed in, with the same cookie at each of the three.
    async fn signed_in_everywhere(&self) -> (Visitor, [Visitor; 2]) {
        let at_express = Visitor::new(self.site.express());
        let reply = at_express.post("/api/auth/register", &registration("ada@example.org")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let cookie = at_express.cookie(COOKIE).unwrap();
        let at_gateways = self.gateways.each_ref().map(|gateway| {
            let visitor = gateway.anonymous();
            visitor.set_cookie(COOKIE, &cookie);
            visitor
        });
        self.site.database.run(AGE).await;
        (at_express, at_gateways)
    }

    /// Lets `meanwhile` happen while a visit at each gateway is under way.
    async fn during_visits(&self, visitors: &[Visitor; 2], meanwhile: impl Future<Output = ()>) {
        let [one, other] = visitors.clone();
        let visits = tokio::spawn(async move { tokio::join!(one.get("/"), other.get("/")) });
        wait_until("both visits", async || self.upstream.seen().len() == 2).await;
        meanwhile.await;
        self.gate.add_permits(2);
        let (one, other) = visits.await.unwrap();
        assert_eq!((one.status.as_u16(), other.status.as_u16()), (200, 200));
    }

    async fn rows(&self) -> Vec<String> {
        self.site.database.texts("SELECT data FROM \"Sessions\"").await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logout_at_express_is_not_undone_by_visits_at_two_gateways() {
    let shared = Shared::open().await;
    let (at_express, at_gateways) = shared.signed_in_everywhere().await;
    let log_out = async {
        let reply = at_express.post("/api/auth/logout", &json!({})).await;
        assert_eq!(reply.status, 200);
    };
    shared.during_visits(&at_gateways, log_out).await;
    assert_eq!(shared.rows().await, Vec::<String>::new());
    for visitor in &at_gateways {
        let session = visitor.get("/.nextbnb/session").await;
        assert_eq!(session.text(), r#"{"user":null}"#);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_express_writes_during_visits_at_two_gateways_is_kept() {
    let shared = Shared::open().await;
    let (at_express, at_gateways) = shared.signed_in_everywhere().await;
    let fill_cart = async {
        let reply = at_express.post("/only-express/keep", &json!({ "cart": ["house"] })).await;
        assert_eq!(reply.text(), "kept");
    };
    shared.during_visits(&at_gateways, fill_cart).await;
    let rows = shared.rows().await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(rows[0].contains(r#""cart":["house"]"#), "{rows:?}");
    assert_eq!(at_express.get("/only-express/kept").await.json(), json!({ "cart": ["house"] }));
}
