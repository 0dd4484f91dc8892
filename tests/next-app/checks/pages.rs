//! Pages of the App Router, as a browser asks for them.

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        check("the start page").get("/").says("<h1>Start</h1>"),
        check("a static page and its configured fields")
            .get("/plain")
            .says("<h1>Plain</h1>")
            .field("x-site", "next-app")
            .field("content-security-policy", "frame-ancestors 'none'"),
        check("a static page is kept by shared caches")
            .get("/plain")
            .field("cache-control", "s-maxage=31536000")
            .field("vary", "rsc")
            .in_production(),
        check("a static page that has not changed").get("/plain").unchanged().in_production(),
        check("the head of a page").head("/plain"),
        check("the head of a dynamic page").head("/dynamic"),
        check("a page that reads fields, cookies and the query")
            .get("/dynamic?a=1&a=2&b=%C3%A9+%2B")
            .with("cookie", "theme=dark")
            .with("accept-language", "de-CH,de;q=0.9")
            .with("x-custom", "kept")
            .says("kept")
            .says("de-CH,de;q=0.9")
            .says("&quot;theme&quot;:&quot;dark&quot;")
            .says("&quot;a&quot;:[&quot;1&quot;,&quot;2&quot;],&quot;b&quot;:&quot;é +&quot;")
            .field("cache-control", "no-store"),
        check("a page that is forced to be static knows nobody").get("/forced").says("nobody"),
        check("a page with a late part").get("/slow").says("first part").says("late part"),
        check("a compressed page")
            .get("/dynamic")
            .with("accept-encoding", "gzip, deflate, br")
            .field("content-encoding", "gzip"),
        check("a page of a group").get("/grouped").says("Grouped"),
        check("a parameter known at build time").get("/item/1").says("Item <!-- -->1"),
        check("a parameter that comes later").get("/item/a%20b").says("Item <!-- -->a b"),
        check("a parameter beyond ASCII").get("/item/%E2%82%AC").says("Item <!-- -->€"),
        check("all segments that are left").get("/docs/a/b%2Fc/d").says("[&quot;a&quot;"),
        check("a gallery with its slot").get("/gallery").says("<h1>Gallery</h1>"),
        check("a photo that is opened directly").get("/gallery/photo/7").says("on its own"),
        check("a page that is nowhere").get("/nowhere").status(404).says("Nothing is here"),
        check("a page with an image").get("/pictures").says("/_next/image?url=%2Fpicture.png"),
        check("a page with a preloaded image").get("/pictures").says("as=\"image\""),
        check("a form on a page").get("/actions").says("$ACTION_ID_").says("Said: "),
    ];
    checks.extend(interrupts());
    checks
}

/// Pages that answer something else than themselves.
fn interrupts() -> Vec<Check> {
    vec![
        check("notFound()").get("/interrupts/missing").status(404).says("Nothing is here"),
        check("forbidden()").get("/interrupts/forbidden").status(403).says("Not for you"),
        check("unauthorized()").get("/interrupts/unauthorized").status(401).says("Who are you?"),
        check("a page that fails").get("/interrupts/fails").status(500),
        check("redirect()")
            .get("/interrupts/moves")
            .status(307)
            .field("location", "/plain?by=page")
            .follow()
            .says("<h1>Plain</h1>"),
        check("permanentRedirect()")
            .get("/interrupts/moves-for-good")
            .status(308)
            .field("location", "/plain"),
        check("redirect() to another site")
            .get("/interrupts/moves-away")
            .status(307)
            .field("location", "https://elsewhere.example/path"),
    ]
}
