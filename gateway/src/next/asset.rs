//! Built files, which are the same for everybody.

use http::Method;
use memchr::memchr;

/// Whether a request is for a built file under `/_next/static/`, so that no session is looked up,
/// touched or renewed for it; `path` is without its query.
///
/// That is safe because an asset is only ever *denied* an identity: should a path that looks like
/// one reach a page after all, it is rendered for a guest. It is narrow on purpose: `/_next/image`
/// takes any path of the application as its source and `/_next/data` is a page, files of `public/`
/// and `/favicon.ico` cannot be told from pages, and under a `basePath` nothing is an asset; those
/// cost a session lookup. `next dev` serves its chunks and hot updates (Turbopack and webpack,
/// 16.4) below `/_next/static/` too.
///
/// A path that resolves to something else (`/_next/static/../account`) is not an asset, however
/// the upstream would read it.
pub fn is_asset(method: &Method, path: &str) -> bool {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    reads && path.strip_prefix("/_next/static/").is_some_and(is_below)
}

/// Whether a path leads below where it begins.
fn is_below(file: &str) -> bool {
    let is_plain = |file: &str| {
        let mut segments = file.as_bytes().split(|byte| matches!(byte, b'/' | b'\\'));
        segments.all(|segment| !matches!(segment, b"" | b"." | b".."))
    };
    if memchr(b'%', file.as_bytes()).is_none() {
        return is_plain(file); // As nearly every path: without a copy.
    }
    let file = file.to_ascii_lowercase().replace("%2e", ".");
    !file.contains("%2f") && !file.contains("%5c") && is_plain(&file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(request: &str, expected: bool) {
        let (method, path) = request.split_once(' ').unwrap();
        assert_eq!(is_asset(&method.parse().unwrap(), path), expected, "{request}");
    }

    #[test]
    fn built_files_are_assets() {
        check("GET /_next/static/chunks/app.js", true);
        check("HEAD /_next/static/media/font.woff2", true);
        check("GET /_next/static/chunks/pages/%5Bslug%5D-1f.js", true);
        check("GET /_next/static/webpack/633457081244afec.webpack.hot-update.json", true);
        check("GET /_next/static/chunks/%5Broot-of-the-server%5D__0a..js", true);
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_no_asset() {
        for path in [
            "/_next/static",
            "/_next/static/",
            "/_next/static/../data",
            "/_next/static/./a.js",
            "/_next/static/%2e%2E/account",
            "/_next/static/..%2faccount",
            "/_next/static/..%5Caccount",
            "/_next/static/..\\account",
            "/_next/static//account",
            "/_next/staticky/a.js",
            "/docs/_next/static/a.js",
            "/_next/image",
            "/favicon.ico",
        ] {
            check(&format!("GET {path}"), false);
        }
        check("POST /_next/static/a.js", false);
    }
}
