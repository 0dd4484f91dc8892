//! A redirect leads where the upstream meant it to, never to another origin, and never into the inside.

use http::header::{CONTENT_LOCATION, HeaderMap, HeaderValue, LOCATION, REFRESH};
use http::uri::{Authority, Scheme};
use nextbnb_gateway::proxy::location::PublicOrigin;
use nextbnb_gateway::proxy::response::clean_response;
use url::Url;

use super::choice;

const UPSTREAM: &str = "web:3001";
const SITE: &str = "https://shop.example:8443/a/b";

/// `bytes` are a choice of a field, and its value.
///
/// As browsers read URLs (WHATWG): what was changed leads to the site's own origin and there to the
/// same path, query and fragment; what led to the upstream does so no more; doing it again changes nothing.
pub fn check(bytes: &[u8]) {
    let (choice, value) = choice(bytes);
    let Ok(sent) = HeaderValue::from_bytes(value) else { return };
    let name = [LOCATION, CONTENT_LOCATION, REFRESH][choice % 3].clone();
    let prefix = ["", "/api"][choice / 3 % 2];
    let public = PublicOrigin { scheme: &Scheme::HTTPS, host: "shop.example:8443", prefix };
    let mut headers = HeaderMap::from_iter([(name.clone(), sent.clone())]);
    let clean = |headers: &mut HeaderMap| {
        clean_response(headers, || Some(Authority::from_static(UPSTREAM)), public);
    };
    clean(&mut headers);
    let cleaned = headers[&name].clone();
    assert_eq!(headers.len(), 1);
    clean(&mut headers);
    assert_eq!(headers[&name], cleaned, "made anew once more");
    let (Ok(sent), Ok(cleaned)) = (sent.to_str(), cleaned.to_str()) else {
        return assert_eq!(sent, cleaned);
    };
    if name == REFRESH {
        check_refresh(sent, cleaned, prefix);
    } else {
        check_url(sent, cleaned, prefix);
    }
}

fn check_url(sent: &str, cleaned: &str, prefix: &str) {
    let site = Url::parse(SITE).unwrap();
    let (before, after) = (site.join(sent), site.join(cleaned));
    if sent != cleaned {
        let (before, after) = (before.unwrap(), after.unwrap());
        assert_eq!(after.origin(), site.origin(), "{sent:?} became {cleaned:?}");
        assert!(after.username().is_empty() && after.password().is_none(), "{cleaned:?}");
        let has_dots = sent.contains("..") || sent.to_lowercase().contains("%2e");
        let path = format!("{prefix}{}", before.path());
        // Dot segments that lead above the prefix are the browser's to resolve.
        assert!(
            has_dots || [path.as_str(), prefix].contains(&after.path()),
            "{sent:?} became {cleaned:?}"
        );
        assert_eq!((after.query(), after.fragment()), (before.query(), before.fragment()));
    } else if is_plain_url(sent)
        && let Ok(before) = before
    {
        let is_upstream = before.host_str() == Some("web") && before.port() == Some(3001);
        assert!(!is_upstream || !before.username().is_empty(), "{sent:?} leads into the inside");
    }
}

/// What stands around the URL is as it was.
fn check_refresh(sent: &str, cleaned: &str, prefix: &str) {
    let public = format!("https://shop.example:8443{prefix}");
    let is_led = |place: usize| {
        let starts = ["http://", "https://", "//"];
        let (before, rest) = sent.split_at_checked(place).unwrap_or_default();
        cleaned.starts_with(before)
            && starts.iter().any(|start| rest.to_lowercase().starts_with(start))
            && rest.ends_with(&cleaned[place + public.len()..])
    };
    let mut places = cleaned.match_indices(&public).map(|(place, _)| place);
    assert!(sent == cleaned || places.any(is_led), "{sent:?} became {cleaned:?}");
}

/// A URL in the letters of RFC 3986, which every reader takes apart in the same way.
fn is_plain_url(text: &str) -> bool {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]!$&'()*+,;=%".contains(&byte);
    let has_authority = text.split_once("//").is_some_and(|(scheme, rest)| {
        let is_scheme = ["", "http:", "https:"].contains(&scheme.to_lowercase().as_str());
        is_scheme && !rest.starts_with('/')
    });
    text.bytes().all(is_plain) && has_authority
}
