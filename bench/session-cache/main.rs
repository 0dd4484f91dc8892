//! What it costs to find a session that is kept: see `measure.sh`.
#![allow(clippy::unwrap_used, reason = "a failed set-up should stop the measurement")]
#![allow(clippy::print_stdout, reason = "the result")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use nextbnb_gateway::accounts::{Accounts, EmailCase};
use nextbnb_gateway::database::{Database, DatabaseLimits, DatabaseTarget};
use nextbnb_gateway::session::cache::CacheSettings;
use nextbnb_gateway::session::changes::Changes;
use nextbnb_gateway::session::cookie_policy::CookiePolicy;
use nextbnb_gateway::session::id::SessionId;
use nextbnb_gateway::session::lifetime::Lifetime;
use nextbnb_gateway::session::policy::SessionPolicy;
use nextbnb_gateway::session::secrets::Secrets;
use nextbnb_gateway::session::user_key::UserKey;
use nextbnb_gateway::session::{SessionSettings, Sessions, signed_cookie};
use nextbnb_migrations::TableNames;
use nextbnb_tests::database::TestDatabase;
use tokio::runtime::{Handle, Runtime};

/// Browsers that come in turn.
const SESSIONS: usize = 100;
const LOOK_UPS: u32 = 100_000;

fn main() {
    let runtime = Runtime::new().unwrap();
    let (sessions, browsers) = runtime.block_on(prepare());
    let began = Instant::now();
    for browser in browsers.iter().cycle().take(LOOK_UPS as usize) {
        black_box(sessions.cached(browser, "/trips", now()).unwrap());
    }
    println!("{:?} a look-up, {:?}", began.elapsed() / LOOK_UPS, sessions.cache_stats().unwrap());
}

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH
}

/// Ada at a hundred browsers, each of which was here once.
async fn prepare() -> (Sessions, Vec<HeaderMap>) {
    let test = TestDatabase::sqlite().await;
    let target = DatabaseTarget::Url(test.url().to_owned());
    let limits = DatabaseLimits::default();
    let database = Database::connect(&target, &limits, Handle::current()).await.unwrap();
    database.migrate(&TableNames::default()).await.unwrap();
    test.run(r#"INSERT INTO "users" ("email", "password") VALUES ('ada@example.com', 'x')"#).await;
    let layout = database.layout(&TableNames::default()).await.unwrap();
    let (settings, changes) = (settings(), Changes::new());
    changes.vouch_until(Instant::now() + Duration::from_hours(1));
    let secrets = settings.secrets.clone();
    let accounts = Accounts::new(&layout, EmailCase::Ignore);
    let sessions = Sessions::new(database, &layout, accounts, settings, changes);
    let mut browsers = Vec::new();
    for _ in 0..SESSIONS {
        let id = SessionId::generate().unwrap();
        test.run(&row(&id)).await;
        let headers = headers(&signed_cookie::write(&id, &secrets));
        let address = "127.0.0.1".parse().unwrap();
        sessions.visit(&headers, address, "/trips", now()).await.unwrap();
        browsers.push(headers);
    }
    (sessions, browsers)
}

fn settings() -> SessionSettings {
    SessionSettings {
        secrets: Secrets::new(&[b"a secret of thirty-two bytes....".to_vec()]).unwrap(),
        cookie: CookiePolicy::default(),
        lifetime: Lifetime::default(),
        policy: SessionPolicy::default(),
        user_key: UserKey::Email,
        handover: Duration::ZERO,
        cache: CacheSettings::default(),
    }
}

/// As Express writes it.
fn row(id: &SessionId) -> String {
    let data = r#"{"cookie":{"originalMaxAge":2592000000,"expires":"2030-12-23T09:15:16.146Z","secure":false,"httpOnly":true,"path":"/"},"passport":{"user":"ada@example.com"}}"#;
    let time = "2030-12-23 09:15:16.146 +00:00";
    format!(
        r#"INSERT INTO "Sessions" ("sid", "expires", "data", "createdAt", "updatedAt")
            VALUES ('{}', '{time}', '{data}', '{time}', '{time}')"#,
        id.as_str()
    )
}

/// Among the cookies that a site's statistics set.
fn headers(cookie: &str) -> HeaderMap {
    let cookies = format!(
        "_ga=GA1.1.1234567890.1700000000; theme=dark; nextbnb={cookie}; \
         _ga_ABCDEFGHIJ=GS1.1.1700000000.1.1.1700000000.0.0.0"
    );
    HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(&cookies).unwrap())])
}
