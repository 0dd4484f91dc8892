//! The session ids that a request presents.

use http::HeaderMap;

use super::id::SessionId;
use super::secrets::Secrets;
use super::{cookie_header, signed_cookie};

/// Session cookies looked up for one request. A browser sends two after a change of domain or
/// path; whoever sends many wants work done.
const COOKIES_LOOKED_UP: usize = 3;

/// The ids under `cookie_name` that one of the secrets signed, in order; the first three.
pub fn presented(headers: &HeaderMap, cookie_name: &str, secrets: &Secrets) -> Vec<SessionId> {
    let values = cookie_header::values_of(headers, cookie_name);
    let read = |value: &String| signed_cookie::read(value, secrets);
    let mut ids: Vec<SessionId> = Vec::new();
    for id in values.iter().filter_map(read) {
        if !ids.contains(&id) && ids.len() < COOKIES_LOOKED_UP {
            ids.push(id);
        }
    }
    ids
}
