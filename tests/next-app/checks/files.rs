//! Built files, files of `public/`, and the image optimizer.

use crate::check::{Check, check};

const LOCAL: &str = "/_next/image?url=%2Fpicture.png&w=64&q=75";

pub(super) fn checks() -> Vec<Check> {
    let mut checks = vec![
        check("a built file")
            .get("{asset}")
            .field("cache-control", "public, max-age=31536000, immutable")
            .unchanged()
            .in_production(),
        check("a compressed built file")
            .get("{asset}")
            .with("accept-encoding", "gzip")
            .field("content-encoding", "gzip")
            .in_production(),
        check("a built file that is not there").get("/_next/static/none.js").status(404),
        check("a public file")
            .get("/letters.txt")
            .field("cache-control", "public, max-age=0")
            .says("xyzabc")
            .unchanged(),
        check("the head of a public file").head("/letters.txt").field("content-length", "1040"),
        check("a public file that has not changed since")
            .get("/letters.txt")
            .with("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT")
            .status(304),
        check("a part of a file")
            .get("/letters.txt")
            .with("range", "bytes=2-5")
            .status(206)
            .says("cdef")
            .field("content-range", "bytes 2-5/1040"),
        check("the end of a file")
            .get("/letters.txt")
            .with("range", "bytes=-3")
            .status(206)
            .says("xyz"),
        check("two parts of a file").get("/letters.txt").with("range", "bytes=0-1,4-5"),
        check("a part that the file has not")
            .get("/letters.txt")
            .with("range", "bytes=9999-")
            .status(416)
            .field("content-range", "bytes */1040"),
        check("a part, if the file is another by now")
            .get("/letters.txt")
            .with("range", "bytes=2-5")
            .with("if-range", "\"another\""),
        check("a public file is posted to").post("/letters.txt", "text/plain", "x").status(405),
    ];
    checks.extend(images());
    checks
}

fn images() -> Vec<Check> {
    vec![
        check("an image as WebP")
            .get(LOCAL)
            .with("accept", "image/avif,image/webp,*/*")
            .field("content-type", "image/webp")
            .field("vary", "Accept"),
        check("an image for a browser without WebP")
            .get(LOCAL)
            .with("accept", "image/png")
            .field("content-type", "image/png"),
        check("an image that has not changed").get(LOCAL).with("accept", "image/webp").unchanged(),
        check("the head of an image").head(LOCAL).with("accept", "image/webp"),
        check("an image of another site")
            .get("/_next/image?url={next}%2Fpicture.png&w=64&q=75")
            .with("accept", "image/webp")
            .field("content-type", "image/webp"),
        check("an image of a site that is not allowed")
            .get("/_next/image?url=http%3A%2F%2Felsewhere.example%2Fa.png&w=64&q=75")
            .status(400),
        check("a width that is not allowed")
            .get("/_next/image?url=%2Fpicture.png&w=65&q=75")
            .status(400),
        check("no image at all").get("/_next/image?url=%2Fletters.txt&w=64&q=75").status(400),
    ]
}
