//! What `next dev` serves to developers alone.

use memchr::memchr2;
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
    let decoded = percent_decode_str(path).decode_utf8_lossy().to_ascii_lowercase();
    let segments: Vec<&str> =
        decoded.split(['/', '\\']).filter(|segment| !matches!(*segment, "" | ".")).collect();
    let is_tool = |segment: &&str| segment.starts_with("__nextjs_");
    let is_socket =
        |pair: &[&str]| matches!(pair, ["_next", name] if *name == "mcp" || name.ends_with("hmr"));
    segments.iter().any(is_tool) || segments.windows(2).any(is_socket)
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
