//! Pages and handlers of the Pages Router.

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("getServerSideProps")
            .get("/old?q=a%20b")
            .with("cookie", "theme=dark")
            .says("&quot;q&quot;:&quot;a b&quot;")
            .says("&quot;theme&quot;:&quot;dark&quot;"),
        check("getServerSideProps that redirects")
            .get("/old/moves")
            .status(307)
            .field("location", "/old/kept"),
        check("getStaticProps")
            .get("/old/kept")
            .says("Kept <!-- -->false")
            .field("cache-control", "s-maxage=3600")
            .in_production(),
        check("getStaticPaths").get("/old/one").says("Old <!-- -->one"),
        check("a path that comes later").get("/old/two").says("Old <!-- -->two"),
        check("a path that is not there").get("/old/none").status(404),
        check("a page's data")
            .get("/_next/data/{build}/old/one.json")
            .with("x-nextjs-data", "1")
            .says(r#""id":"one""#)
            .in_production(),
        check("a server-rendered page's data")
            .get("/_next/data/{build}/old.json?q=1")
            .with("x-nextjs-data", "1")
            .says(r#""q":"1""#)
            .in_production(),
        check("data of a redirect")
            .get("/_next/data/{build}/old/moves.json")
            .with("x-nextjs-data", "1")
            .says("/old/kept")
            .in_production(),
        check("a prefetch of the Pages Router's client")
            .get("/_next/data/{build}/old.json")
            .with("x-nextjs-data", "1")
            .with("x-middleware-prefetch", "1")
            .with("purpose", "prefetch")
            .in_production(),
        check("data of another build").get("/_next/data/none/old.json").status(404),
        check("a handler with JSON")
            .post("/api/old?a=1", "application/json", r#"{"b":2}"#)
            .status(202)
            .says(r#""body":{"b":2}"#)
            .field("set-cookie", "old=1; Path=/")
            .field("set-cookie", "older=2; Path=/"),
        check("a handler that redirects")
            .get("/api/old?to=%2Fold%2Fkept")
            .status(307)
            .field("location", "/old/kept"),
        check("JSON that is none").post("/api/old", "application/json", "{").status(400),
        check("preview mode")
            .get("/api/preview")
            .field("set-cookie", "__prerender_bypass=")
            .get("/old/kept")
            .says("Kept <!-- -->true")
            .get("/api/preview?end")
            .get("/old/kept")
            .says("Kept <!-- -->false"),
    ]
}
