//! Names that a careless backend takes for others: what a client may not send, nor imitate.

use http::HeaderName;
use nextbnb_gateway::identity::names::{IdentityNames, Preset, Told};
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::stack::RunningGateway;
use nextbnb_tests::upstream::RawUpstream;
use nextbnb_tests::wire::Wire;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Every byte but `-` that a name may hold beside letters and digits (RFC 9110 §5.6.2).
const MARKS: &str = "!#$%&'*+.^_`|~";

const IMITATED: [&str; 22] = [
    "X-Forwarded-User",
    "x-forwarded-email",
    "X-FORWARDED-PREFERRED-USERNAME",
    "X-Forwarded-Groups",
    "X-Nextbnb-Anything",
    "Remote-User",
    "Remote-Groups",
    "X-Auth-Request-Email",
    "X-Own-User",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Real-IP",
    "X-Middleware-Subrequest",
    "Next-Resume",
    "Content-Length",
    "Transfer-Encoding",
    "Keep-Alive",
    "HTTP2-Settings",
    "X-Request-Id",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Proxy-Anything",
];

const END: &str = "that is all";
const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\n";

/// Answers every request with the bytes of its head, and says that this was all.
async fn printing_upstream() -> RawUpstream {
    RawUpstream::start(|mut stream, _| async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            assert_ne!(stream.read_buf(&mut head).await.unwrap(), 0);
        }
        head.extend_from_slice(END.as_bytes());
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", head.len());
        stream.write_all(&[answer.as_bytes(), &head].concat()).await.unwrap();
    })
    .await
}

/// What arrives of a request with these fields, whole.
async fn arrived(gateway: &RunningGateway, fields: &str) -> String {
    let request = format!("GET / HTTP/1.1\r\nHost: a\r\nX-Kept: yes\r\n{fields}\r\n");
    let mut wire = Wire::connect(gateway.address()).await;
    wire.send(request).await;
    let answer = wire.read_until(END).await;
    assert!(answer.contains("x-kept: yes"), "{answer}");
    answer
}

fn own_names() -> IdentityNames {
    let own = (Told::User, HeaderName::from_static("x-own-user"));
    IdentityNames::new(Preset::None, vec![own])
}

#[tokio::test]
async fn no_imitation_of_a_name_reaches_the_frontend_on_sockets_neither() {
    let (upstream, database) = (printing_upstream().await, TestDatabase::postgres().await);
    let gateway = RunningGateway::start(database.url(), upstream.address(), |config| {
        config.identity_names = own_names();
    })
    .await;
    for mark in MARKS.chars() {
        let imitations = IMITATED.map(|name| {
            let name = name.replace('-', &mark.to_string());
            format!("{name}: forged\r\n{name}: forged again\r\n")
        });
        for upgrade in ["", UPGRADE] {
            let fields = format!("{}{upgrade}Proxy: forged\r\n", imitations.concat());
            let answer = arrived(&gateway, &fields).await;
            assert!(!answer.contains("forged"), "{answer}");
        }
    }
}

#[tokio::test]
async fn other_names_with_marks_are_the_applications() {
    let (upstream, database) = (printing_upstream().await, TestDatabase::postgres().await);
    let gateway = RunningGateway::start(database.url(), upstream.address(), |_| {}).await;
    for name in ["my_field", "content_type", "x.y~z", "proxying", "x-proxy"] {
        let fields = format!("{name}: passed\r\n");
        let answer = arrived(&gateway, &fields).await;
        assert!(answer.contains(&format!("{name}: passed")), "{answer}");
    }
}

#[tokio::test]
async fn who_is_signed_in_is_told_by_the_names_that_were_chosen() {
    let (upstream, database) = (printing_upstream().await, TestDatabase::postgres().await);
    let gateway = RunningGateway::start(database.url(), upstream.address(), |config| {
        config.identity_names = own_names();
    })
    .await;
    let ada = gateway.signed_in("ada@example.org").await;
    let liar = ada.header("X-Own-User", "4711").header("Connection", "x-own-user");
    let head = liar.header("X_Own_User", "4711").get("/").await.text().to_owned();
    assert_eq!(head.matches("own").count(), 1, "{head}");
    assert!(head.contains("x-own-user: 1\r\n") && !head.contains("ada@"), "{head}");
}
