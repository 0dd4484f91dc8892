//! What `proxy.js` (the middleware) does.

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("proxy.js redirects").get("/proxy/redirect").status(307).follow().says("Plain"),
        check("proxy.js redirects with 303").get("/proxy/redirect-303").status(303),
        check("proxy.js redirects by a clone of nextUrl")
            .get("/proxy/redirect-clone?kept=1")
            .status(307)
            .field("location", "kept=1"),
        check("proxy.js redirects to another site")
            .get("/proxy/redirect-away")
            .status(307)
            .field("location", "https://elsewhere.example/path?x=1"),
        check("proxy.js rewrites to a handler").get("/proxy/rewrite").says("GET"),
        check("proxy.js rewrites to a page").get("/proxy/rewrite-page").says("<h1>Plain</h1>"),
        check("proxy.js answers by itself")
            .get("/proxy/answer")
            .status(418)
            .says("answered by the proxy")
            .field("x-answer", "tea"),
        check("proxy.js answers with JSON").get("/proxy/json").says(r#""user":null"#),
        check("proxy.js sets cookies")
            .get("/proxy/cookie")
            .field("set-cookie", "one=1; Path=/")
            .field("set-cookie", "two=2; Path=/; HttpOnly; SameSite=lax"),
        check("proxy.js sets fields of the request and of the answer")
            .get("/proxy/headers")
            .says("the proxy told")
            .field("x-proxied", "yes"),
        check("a path under the matcher that is nowhere").get("/proxy/nowhere").status(404),
        check("a body passes proxy.js")
            .post("/proxy/upload", "text/plain", "x".repeat(1_000_000))
            .says("1000000"),
        check("of a longer body Next.js keeps ten mebibytes behind proxy.js")
            .post("/proxy/upload", "text/plain", "x".repeat(11 * 1024 * 1024))
            .says("cut"),
    ]
}
