//! Built files from the gateway's memory, before real Next.js.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use nextbnb_gateway::config::Config;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::next_app::NextApp;
use nextbnb_tests::stack::RunningGateway;
use nextbnb_tests::visitor::{Reply, Visitor};
use nextbnb_tests::wait_until;

use crate::play::{Way, exchange};
use crate::site::asset_of;

fn for_long(config: &mut Config) {
    config.limits.static_file_unasked = Duration::from_hours(1);
}

async fn kept(visitor: &Visitor, path: &str) -> Reply {
    wait_until("the file is in memory", async || {
        visitor.get(path).await.headers.contains_key("age")
    })
    .await;
    visitor.get(path).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_from_memory_is_what_next_answers_and_is_asked_for_again_after_a_restart() {
    let mut next = NextApp::start().await;
    let database = TestDatabase::sqlite().await;
    let gateway = RunningGateway::start(database.url(), next.address(), for_long).await;
    let path = asset_of(&next).await;
    for accept in ["", "gzip", "gzip, deflate, br, zstd"] {
        let asking = gateway.anonymous().header("accept-encoding", accept);
        let reply = kept(&asking, &path).await;
        let request = Request::get(&path).header("accept-encoding", accept);
        let straight = exchange(
            Way::Straight(next.address()),
            request.body(Full::<Bytes>::default()).unwrap(),
        );
        let straight = straight.await;
        assert_eq!(reply.body, straight.body, "{accept}");
        for name in
            ["cache-control", "content-encoding", "content-type", "etag", "last-modified", "vary"]
        {
            assert_eq!(reply.headers.get(name), straight.headers.get(name), "{accept}: {name}");
        }
        let etag = reply.header("etag").unwrap().to_owned();
        let known = asking.header("if-none-match", &etag).get(&path).await;
        assert_eq!((known.status.as_u16(), known.headers.contains_key("age")), (304, true));
    }
    next.terminate().await;
    wait_until("nobody answers", async || gateway.anonymous().get("/plain").await.status == 502)
        .await;
    let away = gateway.anonymous().get(&path).await;
    assert_eq!(away.status, 502, "nobody vouches for the file");
    next.restart().await;
    kept(&gateway.anonymous(), &path).await;
}
