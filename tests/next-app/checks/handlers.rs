//! Route handlers: methods, bodies, cookies, states.

use crate::check::{Check, check};

const FORM: &str = "application/x-www-form-urlencoded";
const TEXT: &str = "text/plain";
const JSON: &str = "application/json";
const MULTIPART: &str = "multipart/form-data; boundary=xxx";
const PARTS: &str = "--xxx\r\nContent-Disposition: form-data; name=\"word\"\r\n\r\nh\u{e9}llo\r\n\
    --xxx\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a b.txt\"\r\n\
    Content-Type: text/plain\r\n\r\none\r\ntwo\r\n--xxx--\r\n";
const MEBIBYTE: usize = 1024 * 1024;

pub(super) fn checks() -> Vec<Check> {
    let mut checks = methods();
    checks.extend(bodies());
    checks.extend(states());
    checks
}

fn methods() -> Vec<Check> {
    vec![
        check("GET").get("/api/echo/a?b=1").says(r#""path":"/api/echo/a?b=1""#),
        check("a query in every spelling")
            .get("/api/echo?a=%20+%2b&b&=c&%E2%82%AC=%e2%82%ac&x[]=1")
            .says(r#""method":"GET""#),
        check("an encoded slash in a path").get("/api/echo/a%2Fb/c").says("a%2Fb/c"),
        check("a path with a plus, a tilde and brackets").get("/api/echo/a+b~(c)").says("a+b~(c)"),
        check("POST of JSON").post("/api/echo", JSON, r#"{"a":1}"#).says(r#""bytes":7"#),
        check("POST without a body").post("/api/echo", TEXT, "").says(r#""bytes":0"#),
        check("PUT").method("PUT", "/api/echo").says(r#""method":"PUT""#),
        check("PATCH").method("PATCH", "/api/echo").says(r#""method":"PATCH""#),
        check("DELETE").method("DELETE", "/api/echo/1").says(r#""method":"DELETE""#),
        check("HEAD of a handler that has GET").head("/api/optional").field("x-length", "6"),
        check("OPTIONS of the handler's own")
            .method("OPTIONS", "/api/optional")
            .with("origin", "https://elsewhere.example")
            .with("access-control-request-method", "PUT")
            .status(204)
            .field("x-preflight", "yes"),
        check("OPTIONS that Next.js answers")
            .method("OPTIONS", "/api/stream")
            .status(204)
            .field("allow", "POST"),
        check("a method that the handler has not").method("DELETE", "/api/optional").status(405),
        check("fields of every kind pass")
            .get("/api/echo")
            .with("accept", "text/html;q=0.9, */*")
            .with("user-agent", "checks/1 (é)")
            .with("authorization", "Bearer abc.def")
            .with("x-custom", "a")
            .with("x-custom", "b")
            .with("if-modified-since", "Thu, 01 Jan 2026 00:00:00 GMT")
            .says("Bearer abc.def")
            .says("a, b"),
        check("cookies in two fields are one")
            .get("/api/echo")
            .with("cookie", "a=1; b=2")
            .with("cookie", "c=3")
            .says("a=1; b=2; c=3"),
        check("eight kilobytes of cookies")
            .get("/api/echo")
            .with("cookie", &format!("long={}", "x".repeat(8000)))
            .says("long=xxx"),
    ]
}

fn bodies() -> Vec<Check> {
    vec![
        check("a form").post("/api/form", FORM, "a=1&b=h%C3%A9").says(r#"["b","hé"]"#),
        check("an upload by a form")
            .post("/api/form", MULTIPART, PARTS)
            .says(r#"["word","héllo"]"#)
            .says(r#"["file","a b.txt","text/plain",8]"#),
        check("a mebibyte up").post("/api/echo", TEXT, "x".repeat(MEBIBYTE)).says("1048576"),
        check("twelve mebibytes up, where no proxy.js is in between")
            .post("/api/echo", TEXT, "x".repeat(12 * MEBIBYTE))
            .says("12582912"),
        check("a compressed body passes as it is")
            .post("/api/echo", TEXT, "not really gzip")
            .with("content-encoding", "gzip")
            .says(r#"["content-encoding","gzip"]"#),
        check("twelve mebibytes down").get("/api/large?bytes=12582912"),
        check("nothing down").get("/api/large?bytes=0"),
        check("compressed on the way down")
            .get("/api/echo/compressed?long=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")
            .with("accept-encoding", "gzip"),
    ]
}

fn states() -> Vec<Check> {
    let mut checks: Vec<Check> = [
        ("200", 200),
        ("201", 201),
        ("202", 202),
        ("204", 204),
        ("205", 205),
        ("304", 304),
        ("400", 400),
        ("401", 401),
        ("403", 403),
        ("404", 404),
        ("409", 409),
        ("410", 410),
        ("418", 418),
        ("422", 422),
        ("429", 429),
        ("500", 500),
        ("502", 502),
        ("503", 503),
    ]
    .into_iter()
    .map(|(name, status)| {
        check("a status of the handler's own").get(&format!("/api/status/{name}")).status(status)
    })
    .collect();
    checks.extend([
        check("several cookies at once")
            .get("/api/cookies")
            .field("set-cookie", "first=a%20b%3Bc; Path=/")
            .field("set-cookie", "second=2; Path=/; Secure; HttpOnly; SameSite=none")
            .field("set-cookie", "third=; Path=/; Expires=Thu, 01 Jan 1970"),
        check("cookies come back").get("/api/cookies").get("/api/cookies").says("second=2"),
        check("the edge runtime").get("/api/edge").says("/api/edge"),
        check("a body in the edge runtime").post("/api/edge", TEXT, "abc").says("ABC"),
        check("instrumentation has run").get("/api/process").says("true"),
        check("after() runs when the answer has gone").get("/api/later").says("done afterwards"),
        check("robots.txt").get("/robots.txt").says("Sitemap: https://shop.example/sitemap.xml"),
        check("sitemap.xml").get("/sitemap.xml").says("<loc>https://shop.example/plain</loc>"),
        check("the manifest").get("/manifest.webmanifest").says("standalone"),
        check("the icon").get("/icon.svg").field("content-type", "image/svg+xml"),
        check("the picture for links").get("/opengraph-image").field("content-type", "image/png"),
    ]);
    checks
}
