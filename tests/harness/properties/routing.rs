//! A path that reaches an upstream is that upstream's, whoever reads it.

use http::Uri;
use nextbnb_gateway::proxy::routing::{PathPrefix, PathRoutes};
use percent_encoding::percent_decode_str;
use url::Url;

use super::choice;

const TABLES: [&[&str]; 3] = [&["/api/", "/api/v2/", "/shop"], &["/a"], &["/api/v2/"]];

/// `bytes` are a choice of prefixes, and a target.
///
/// Where a path is not refused, it leads to where it does with its dot segments resolved as browsers
/// and Node do (WHATWG), before or after decoding.
pub fn check(bytes: &[u8]) {
    let (choice, target) = choice(bytes);
    let Ok(target) = Uri::try_from(target) else { return };
    let path = target.path();
    if !path.starts_with('/') || target.authority().is_some() {
        return; // Refused before.
    }
    if decode(path).split(['/', '\\']).any(is_drive) {
        return; // `url` (2.5) takes it for one of Windows in any URL, WHATWG and Node in `file:` alone.
    }
    let prefixes = TABLES[choice % TABLES.len()];
    let routes = prefixes.iter().map(|prefix| (PathPrefix::new(prefix).unwrap(), *prefix));
    let routes = PathRoutes::new(routes.collect(), "");
    let Ok(found) = routes.of(path) else {
        return assert!(!is_plain(path), "{path} is refused");
    };
    let dotted = resolve(path);
    for reading in [path.to_owned(), resolve(&decode(&dotted)), resolve(&decode(path)), dotted] {
        assert_eq!(*found, place(prefixes, &reading), "{path} as {reading}");
    }
    let mut stripped = target.clone();
    if let Some(prefix) = PathPrefix::new(found) {
        prefix.strip(&mut stripped);
        assert!(stripped.path().starts_with('/') && stripped.authority().is_none(), "{stripped}");
        assert_eq!(stripped.query(), target.query());
        let whole = format!("{}{}", prefix.without_slash(), stripped.path());
        assert!(whole == path || whole == format!("{path}/"), "{path} became {stripped}");
    }
}

/// The longest prefix that covers a path.
fn place<'a>(prefixes: &[&'a str], path: &str) -> &'a str {
    let covers = |prefix: &&&str| {
        let folder = format!("{}/", prefix.trim_end_matches('/'));
        path.starts_with(&folder) || (path == **prefix && !prefix.ends_with('/'))
    };
    prefixes.iter().filter(covers).max_by_key(|prefix| prefix.len()).copied().unwrap_or_default()
}

/// Decodes once: a percent sign that comes out is one, and so is a line's end, which WHATWG drops.
fn decode(path: &str) -> String {
    percent_decode_str(path)
        .decode_utf8_lossy()
        .replace('%', "%25")
        .replace(['\n', '\r', '\t'], "%0A")
}

fn resolve(path: &str) -> String {
    let mut url = Url::parse("http://a/").unwrap();
    url.set_path(path); // Never an authority, as `//a` would be in `join`.
    url.path().to_owned()
}

/// Whether a segment names a drive, as `C:` or `c|`.
fn is_drive(segment: &str) -> bool {
    matches!(segment.as_bytes(), [letter, b':' | b'|'] if letter.is_ascii_alphabetic())
}

/// A path of letters and single slashes.
fn is_plain(path: &str) -> bool {
    path.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'/') && !path.contains("//")
}
