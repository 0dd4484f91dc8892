//! What must pass while it is made, and what must not go on when nobody reads.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use nextbnb_tests::http2::Http2;
use nextbnb_tests::visitor::Visitor;
use nextbnb_tests::wait_until;
use tokio::net::TcpStream;

use crate::play::HOST;
use crate::site::Site;

/// The application holds back the last piece until it is told that the first one has come.
#[tokio::test(flavor = "multi_thread")]
async fn pieces_of_an_answer_pass_while_it_is_made() {
    let site = Site::built().await;
    for kind in ["text/plain", "text/event-stream", "text/html"] {
        let target = format!("/api/stream?key={kind}&type={kind}");
        let answer = by_http1(site.gateway(), &target).await;
        passes_by_pieces(&site, &target, answer).await;
        let mut http2 = Http2::over(TcpStream::connect(site.gateway()).await.unwrap()).await;
        let whole = format!("http://{HOST}{target}");
        let answer = http2.start(Request::get(whole).body(Full::default()).unwrap()).await;
        passes_by_pieces(&site, &target, answer).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_reads_any_more_is_not_made_on() {
    let site = Site::built().await;
    let target = "/api/stream?key=left&type=text/event-stream";
    let mut answer = by_http1(site.gateway(), target).await;
    answer.frame().await.unwrap().unwrap();
    drop(answer);
    let visitor = Visitor::new(site.next());
    wait_until("the application is told", async || {
        visitor.post("/api/stream?key=left&look", &serde_json::json!({})).await.json()["resume"]
            == "cancelled"
    })
    .await;
}

async fn passes_by_pieces(site: &Site, target: &str, mut answer: Response<Incoming>) {
    let first = answer.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, "data: first\n\n", "{target}");
    let visitor = Visitor::new(site.gateway());
    let told = visitor.post(target, &serde_json::json!({})).await.json();
    assert_eq!(told["found"], true, "{target}");
    let last = answer.collect().await.unwrap().to_bytes();
    assert_eq!(last, "data: last\n\n", "{target}");
}

/// On a connection that ends with the answer's reader.
async fn by_http1(gateway: SocketAddr, target: &str) -> Response<Incoming> {
    let stream = TcpStream::connect(gateway).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request =
        Request::get(target).header(header::HOST, HOST).header(header::ACCEPT_ENCODING, "identity");
    sender.send_request(request.body(Full::<Bytes>::default()).unwrap()).await.unwrap()
}
