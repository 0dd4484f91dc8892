//! Parts of a file pass as they were asked for and answered (RFC 9110 §14).

use http::Response;
use http_body_util::{BodyExt, Full};
use nextbnb_tests::stack::Stack;
use nextbnb_tests::upstream::StubUpstream;

const PARTS: &str = "--x\r\nContent-Range: bytes 0-0/9\r\n\r\na\r\n--x\r\n\
                     Content-Range: bytes 8-8/9\r\n\r\ni\r\n--x--\r\n";

/// What was asked, and the status, type, range and body that were answered.
type Case = (&'static str, u16, &'static str, &'static str, &'static str);

const CASES: [Case; 3] = [
    ("bytes=0-3", 206, "video/mp4", "bytes 0-3/9", "abcd"),
    ("bytes=0-0,-1", 206, "multipart/byteranges; boundary=x", "", PARTS),
    ("bytes=99-", 416, "text/plain", "bytes */9", ""),
];

#[tokio::test]
async fn a_range_is_asked_for_and_answered_unchanged() {
    let upstream = StubUpstream::answering(|request| async move {
        let asked = request.headers()["range"].to_str().unwrap().to_owned();
        let (_, status, kind, range, body) =
            CASES.into_iter().find(|case| case.0 == asked).unwrap();
        let mut response = Response::builder().status(status).header("content-type", kind);
        response = response.header("accept-ranges", "bytes").header("etag", "\"v1\"");
        if !range.is_empty() {
            response = response.header("content-range", range);
        }
        response.body(Full::from(body).boxed_unsync()).unwrap()
    });
    let stack = Stack::before(upstream.await).await;
    for (asked, status, kind, range, body) in CASES {
        let asking = stack.anonymous().header("range", asked).header("if-range", "\"v1\"");
        let reply = asking.get("/film.mp4").await;
        assert_eq!(stack.upstream.last_request().header("range"), Some(asked));
        assert_eq!(stack.upstream.last_request().header("if-range"), Some("\"v1\""));
        assert_eq!((reply.status.as_u16(), reply.text()), (status, body), "{asked}");
        assert_eq!(reply.header("content-type"), Some(kind));
        assert_eq!(reply.header("content-range").unwrap_or_default(), range);
        assert_eq!(reply.header("content-length"), Some(&*body.len().to_string()));
        assert_eq!(reply.header("accept-ranges"), Some("bytes"));
        assert_eq!(reply.header("etag"), Some("\"v1\""));
    }
}
