//! What the App Router's client asks for: flight requests and prefetches.
//!
//! Their `_rsc` is a hash of the router's fields, and Next.js sends whoever has another one there.

use crate::check::{Check, check};

const COMPONENT: &str = "text/x-component";
/// What the client sends of the page that it is on, `/plain`.
const TREE: &str = "%5B%22%22%2C%7B%22children%22%3A%5B%22plain%22%2C%7B%22children%22%3A%5B%22__PAGE__%22%2C%7B%7D%5D%7D%5D%7D%5D";

fn flight(name: &'static str, path: &str, fields: &[(&'static str, &str)]) -> Check {
    let first = check(name).get(path).with("rsc", "1");
    let asked = fields.iter().fold(first, |asked, (name, value)| asked.with(name, value));
    asked.status(307).field("location", "_rsc").follow().field("content-type", COMPONENT)
}

pub(super) fn checks() -> Vec<Check> {
    vec![
        flight("a flight request", "/plain", &[]).field("vary", "next-router-state-tree"),
        flight("a flight request with a query", "/dynamic?a=1&b=%2F", &[]).says("Dynamic"),
        flight("a navigation from another page", "/dynamic", &[("next-router-state-tree", TREE)])
            .says("Dynamic"),
        flight("a prefetch", "/dynamic", &[("next-router-prefetch", "1")]),
        flight(
            "a prefetch of the tree",
            "/plain",
            &[("next-router-prefetch", "1"), ("next-router-segment-prefetch", "/_tree")],
        )
        .in_production(),
        flight(
            "a prefetch of a segment",
            "/plain",
            &[("next-router-prefetch", "1"), ("next-router-segment-prefetch", "/plain/__PAGE__")],
        )
        .in_production(),
        flight(
            "a photo over the gallery",
            "/gallery/photo/7",
            &[("next-url", "/gallery"), ("next-router-state-tree", TREE)],
        )
        .says("over the gallery"),
        flight("a photo without the gallery", "/gallery/photo/7", &[]).says("on its own"),
        flight("a flight request that is redirected", "/interrupts/moves", &[]),
        check("a flight request with a wrong hash is led to the right one")
            .get("/plain?x=1&_rsc=wrong")
            .with("rsc", "1")
            .status(307)
            .field("location", "x=1"),
        check("a flight request of an unknown page")
            .get("/nowhere?_rsc=wrong")
            .with("rsc", "1")
            .status(404),
        check("without its field a flight request's URL is a page")
            .get("/plain?_rsc=abcde")
            .field("content-type", "text/html")
            .says("<h1>Plain</h1>"),
    ]
}
