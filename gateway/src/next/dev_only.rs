//! What `next dev` serves to developers alone.

use memchr::{memchr, memchr2};
use percent_encoding::percent_decode_str;

/// Whether a path (without its query) is one of the development server's: the hot-reload socket
/// (`/_next/hmr`, before 16.3 `/_next/webpack-hmr`), `/_next/mcp`, and `/__nextjs_…`, which read
/// source files, open editors and restart the server (16.4.5, `router-server.js`).
///
/// They may stand behind a `basePath` or an `assetPrefix`, and are known in every spelling that a
/// server may decode or normalise to them.
pub fn is_dev_only(path: &str) -> bool {
    if memchr2(b'_', b'%', path.as_bytes()).is_none() {
        return false;
    }
    if memchr(b'%', path.as_bytes()).is_none() {
        return leads_to_tool(path.as_bytes()); // As nearly every path: without a copy.
    }
    let decoded: Vec<u8> = percent_decode_str(path).collect();
    leads_to_tool(&decoded)
}

fn leads_to_tool(path: &[u8]) -> bool {
    let segments = path.split(|byte| matches!(byte, b'/' | b'\\'));
    let mut is_below_next = false;
    for segment in segments.filter(|segment| !matches!(*segment, b"" | b".")) {
        let is_socket = || segment.eq_ignore_ascii_case(b"mcp") || ends_with(segment, b"hmr");
        if begins_with(segment, b"__nextjs_") || is_below_next && is_socket() {
            return true;
        }
        is_below_next = segment.eq_ignore_ascii_case(b"_next");
    }
    false
}

fn begins_with(segment: &[u8], name: &[u8]) -> bool {
    segment.get(..name.len()).is_some_and(|begun| begun.eq_ignore_ascii_case(name))
}

fn ends_with(segment: &[u8], name: &[u8]) -> bool {
    let begin = segment.len().checked_sub(name.len());
    begin.and_then(|begin| segment.get(begin..)).is_some_and(|end| end.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_serves_developers_is_known_in_every_spelling() {
        for path in [
            "/_next/hmr",
            "/_next/webpack-hmr",
            "/_next/turbopack-hmr",
            "/_next/mcp",
            "/docs/_next/hmr",
            "//_next//hmr/",
            "/_next/./hmr",
            "/_next\\hmr",
            "/%5fnext/%68mr",
            "/_next%2fhmr",
            "/_NEXT/HMR",
            "/__nextjs_source-map",
            "/__nextjs_original-stack-frames",
            "/docs/__nextjs_restart_dev",
            "/%5F%5fnextjs_launch-editor",
        ] {
            assert!(is_dev_only(path), "{path}");
        }
    }

    #[test]
    fn what_serves_visitors_is_not_among_it() {
        for path in [
            "/",
            "/_next/static/chunks/hmr.js",
            "/_next/image",
            "/_next/data/build/hmr.json",
            "/hmr",
            "/mcp",
            "/my_next/hmr",
            "/blog/nextjs_hmr",
            "/%zz",
        ] {
            assert!(!is_dev_only(path), "{path}");
        }
    }
}
