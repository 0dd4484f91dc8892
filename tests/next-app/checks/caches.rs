//! Pages that are kept, and those that must not be: ISR, tags, draft mode.

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("a page that is made anew every hour")
            .get("/isr")
            .says("Kept for an hour")
            .field("cache-control", "s-maxage=3600, stale-while-revalidate")
            .in_production(),
        check("a handler's answer that is kept")
            .get("/api/kept")
            .field("cache-control", "s-maxage=3600")
            .says("true")
            .in_production(),
        check("a page from the cache says so")
            .get("/isr")
            .field("x-nextjs-cache", "HIT")
            .in_production(),
        check("a tag is renewed").post("/api/renew", "text/plain", "").status(204),
        check("a page with a value that is kept").get("/tagged").says("Made"),
        check("draft mode shows drafts, until it ends")
            .get("/draft")
            .says("Published")
            .get("/api/draft/on")
            .field("set-cookie", "__prerender_bypass=")
            .field("set-cookie", "HttpOnly")
            .get("/draft")
            .says("Draft")
            .field("cache-control", "no-store")
            .get("/api/draft/off")
            .field("set-cookie", "__prerender_bypass=;")
            .get("/draft")
            .says("Published"),
        check("draft mode and a redirect")
            .get("/api/draft/on-and-go")
            .status(307)
            .field("set-cookie", "__prerender_bypass=")
            .follow()
            .says("Draft"),
        check("a forged cookie is no draft mode")
            .get("/draft")
            .with("cookie", "__prerender_bypass=forged")
            .says("Published"),
    ]
}
