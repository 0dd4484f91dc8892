//! Redirects and rewrites. Those built from `request.url` name the application's own address, which
//! no browser can reach; through the gateway they lead to the site.

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    let mut checks = handlers();
    checks.extend(configured());
    checks
}

fn handlers() -> Vec<Check> {
    vec![
        check("a redirect by request.url")
            .get("/api/move/by-url")
            .status(307)
            .follow()
            .says("<h1>Plain</h1>"),
        check("a redirect of a POST by request.url")
            .post("/api/move/by-url", "text/plain", "x")
            .status(303)
            .field("location", "/plain?by=post"),
        check("a redirect by nextUrl")
            .get("/api/move/by-next-url")
            .status(308)
            .follow()
            .says("<h1>Plain</h1>"),
        check("a redirect by nextUrl.origin")
            .get("/api/move/by-origin")
            .status(302)
            .follow()
            .says("<h1>Plain</h1>"),
        check("a redirect to a path")
            .get("/api/move/relative")
            .status(307)
            .field("location", "/plain?by=relative"),
        check("redirect() in a handler")
            .get("/api/move/by-redirect")
            .status(307)
            .field("location", "/plain?by=redirect"),
        check("a redirect to another site")
            .get("/api/move/away")
            .status(302)
            .field("location", "https://elsewhere.example:8443/path?x=1#y"),
        check("where something was created")
            .post("/api/move/created", "text/plain", "x")
            .status(201)
            .field("location", "/item/3")
            .field("content-location", "/item/3"),
    ]
}

fn configured() -> Vec<Check> {
    vec![
        check("a temporary redirect of the configuration")
            .get("/config/temporary/a/b?x=1")
            .status(307)
            .field("location", "was=a/b"),
        check("a permanent redirect of the configuration")
            .get("/config/permanent")
            .status(308)
            .field("location", "/plain"),
        check("a redirect by a cookie")
            .get("/config/by-cookie")
            .with("cookie", "theme=dark")
            .status(307)
            .field("location", "theme=dark"),
        check("no redirect without the cookie").get("/config/by-cookie").status(404),
        check("a redirect by the host")
            .get("/config/by-host")
            .status(307)
            .field("location", "/plain?host=shop"),
        check("a rewrite to a handler").get("/config/rewrite/a/b?c=1").says("digest"),
        check("a rewrite to a page").get("/config/shown-elsewhere").says("<h1>Plain</h1>"),
        check("a slash too many at the end")
            .get("/plain/")
            .status(308)
            .field("location", "/plain")
            .field("refresh", "url=/plain"),
        check("a slash too many at the end, with a query")
            .get("/item/1/?a=1")
            .status(308)
            .field("location", "/item/1?a=1"),
    ]
}
