//! Gateways that are broken on purpose: each must be caught.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::stack::RunningGateway;
use nextbnb_tests::upstream::StubUpstream;
use sea_orm::ConnectionTrait;

use crate::allowed::Mode;
use crate::client;
use crate::express::Express;
use crate::judge::Judge;
use crate::scenario;
use crate::site::{Contender, Site, WAYS};

/// One way to be wrong.
#[derive(Debug, Clone, Copy)]
enum Break {
    /// Another setting.
    Flags(&'static [&'static str]),
    OtherSecret,
    /// Rows are kept where Express does not look.
    OtherDatabase,
    /// Something before the gateway changes its answers.
    Answer(fn(&mut Parts, &mut Bytes)),
    /// Something changes the rows after every answer.
    Rows(&'static str),
}

const BREAKS: &[(&str, Break)] = &[
    ("another cookie name", Break::Flags(&["--cookie-name", "other"])),
    ("another life", Break::Flags(&["--session-max-age", "29d"])),
    ("another SameSite", Break::Flags(&["--cookie-same-site", "lax"])),
    ("no HttpOnly", Break::Flags(&["--cookie-http-only", "false"])),
    ("another path", Break::Flags(&["--cookie-path", "/trips"])),
    ("a cookie at every visit", Break::Flags(&["--rolling", "always"])),
    ("no session for a guest", Break::Flags(&["--anonymous-sessions", "off"])),
    ("no touch", Break::Flags(&["--touch-interval", "2h"])),
    ("other statuses", Break::Flags(&["--auth-statuses", "standard"])),
    ("another secret", Break::OtherSecret),
    ("another database", Break::OtherDatabase),
    ("no Set-Cookie", Break::Answer(drop_cookies)),
    ("every cookie twice", Break::Answer(double_cookies)),
    ("attributes in another order", Break::Answer(reorder_attributes)),
    ("another status", Break::Answer(change_status)),
    ("another body", Break::Answer(change_body)),
    ("a header more", Break::Answer(add_header)),
    ("a lost row", Break::Rows(r#"DELETE FROM "Sessions""#)),
    (
        "a row more",
        Break::Rows(
            r#"INSERT INTO "Sessions" VALUES (md5(random()::text), now(), '{}', now(), now())"#,
        ),
    ),
    (
        "a row that ends later",
        Break::Rows(r#"UPDATE "Sessions" SET expires = expires + interval '1 hour'"#),
    ),
    (
        "a row of another text",
        Break::Rows(r#"UPDATE "Sessions" SET data = replace(data, ':"/"', ': "/"')"#),
    ),
    (
        "another kind of hash",
        Break::Rows("UPDATE users SET password = replace(password, '$2b', '$2a')"),
    ),
];

fn drop_cookies(head: &mut Parts, _: &mut Bytes) {
    head.headers.remove(header::SET_COOKIE);
}

fn double_cookies(head: &mut Parts, _: &mut Bytes) {
    if let Some(cookie) = head.headers.get(header::SET_COOKIE).cloned() {
        head.headers.append(header::SET_COOKIE, cookie);
    }
}

fn reorder_attributes(head: &mut Parts, _: &mut Bytes) {
    if let Some(cookie) = head.headers.get_mut(header::SET_COOKIE) {
        let mut parts: Vec<&str> = cookie.to_str().unwrap().split("; ").collect();
        parts[1..].reverse();
        *cookie = HeaderValue::try_from(parts.join("; ")).unwrap();
    }
}

fn change_status(head: &mut Parts, _: &mut Bytes) {
    head.status = StatusCode::ACCEPTED;
}

fn change_body(_: &mut Parts, body: &mut Bytes) {
    *body = [body, &b"\n"[..]].concat().into();
}

fn add_header(head: &mut Parts, _: &mut Bytes) {
    head.headers.insert("x-gateway", HeaderValue::from_static("nextbnb"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_broken_is_caught() {
    let mut chapters = scenario::read_all(&crate::scenarios());
    let mut chapter =
        chapters.remove(chapters.iter().position(|c| c.name == "signing-in").unwrap());
    let is_used =
        |name: &str| name.ends_with(": the whole way") || name.ends_with(": a wrong password");
    chapter.scenarios.retain(|scenario| is_used(&scenario.name));
    assert_eq!(chapter.scenarios.len(), 2);
    let mut express = Express::start();
    let application = express.serve_application();
    let site = Site::open(&mut express, chapter).await;

    let sound = site.gateway(Mode::Express, application).await;
    assert_eq!(complaint(&site, sound.address(), Duration::from_secs(5)).await, None);
    for (name, wrong) in BREAKS {
        let elsewhere = TestDatabase::postgres().await;
        let gateway = broken(&site, *wrong, &elsewhere, application).await;
        let before = meddler(gateway.address(), *wrong, &site.database).await;
        let complaint = complaint(&site, before.address(), Duration::ZERO).await;
        assert!(complaint.is_some(), "nobody notices {name}");
    }
}

async fn complaint(site: &Site, address: SocketAddr, patience: Duration) -> Option<String> {
    let judge = Judge::new(Mode::Express);
    let contender = Contender { address, judge: &judge, patience };
    for scenario in &site.chapter.scenarios {
        let expected = site.expected(scenario).await;
        for way in WAYS {
            let complaint = site.compare(scenario, way, contender, &expected).await;
            if complaint.is_some() {
                return complaint;
            }
        }
    }
    None
}

async fn broken(
    site: &Site,
    wrong: Break,
    elsewhere: &TestDatabase,
    application: SocketAddr,
) -> RunningGateway {
    let mut flags = Mode::Express.flags().to_vec();
    let mut secrets = site.chapter.secrets();
    let mut url = site.database_url();
    match wrong {
        Break::Flags(more) => flags.extend(more),
        Break::OtherSecret => secrets = vec![b"a secret that is not the site's".to_vec()],
        Break::OtherDatabase => url = elsewhere.url(),
        Break::Answer(_) | Break::Rows(_) => {}
    }
    site.gateway_with(&flags, url, &secrets, application).await
}

/// Passes everything on to `gateway`, and breaks what is to be broken on the way back.
async fn meddler(gateway: SocketAddr, wrong: Break, database: &TestDatabase) -> StubUpstream {
    let connection = database.connection().clone();
    StubUpstream::answering(move |request: Request<Incoming>| {
        let connection = connection.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let request = Request::from_parts(head, Full::from(body));
            let mut reply = client::send(gateway, request, "the broken gateway").await;
            let (mut head, ()) = http::Response::new(()).into_parts();
            (head.status, head.headers) = (reply.status, reply.headers);
            match wrong {
                Break::Answer(change) => change(&mut head, &mut reply.body),
                Break::Rows(statement) => {
                    connection.execute_unprepared(statement).await.unwrap();
                }
                Break::Flags(_) | Break::OtherSecret | Break::OtherDatabase => {}
            }
            head.headers.remove(header::CONTENT_LENGTH);
            head.headers.remove(header::TRANSFER_ENCODING);
            http::Response::from_parts(head, Full::from(reply.body).boxed_unsync())
        }
    })
    .await
}
