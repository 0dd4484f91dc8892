//! Whether this process takes requests, for load balancers and container health checks.

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;

/// Where it is told.
pub const HEALTH_PATH: &str = "/.nextbnb/health";

/// 200 while serving and 503 while draining, without details: anybody may ask.
pub fn health(draining: bool) -> Response<Full<Bytes>> {
    let (status, body) = if draining {
        (StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"draining"}"#)
    } else {
        (StatusCode::OK, r#"{"status":"ok"}"#)
    };
    respond(status, Bytes::from_static(body.as_bytes()))
}

/// Whether an upstream can be reached.
#[derive(Debug)]
pub struct UpstreamHealth {
    /// The beginning of the paths that lead to it.
    pub prefix: String,
    /// Whether it takes connections.
    pub is_reachable: bool,
}

/// 200 where every upstream can be reached, else 503; names paths, which anybody may see, and no
/// addresses.
///
/// For people and monitors. A load balancer should ask [`health`]: a gateway without one of its
/// upstreams still serves the paths of the others.
pub fn upstreams_health(upstreams: &[UpstreamHealth]) -> Response<Full<Bytes>> {
    let word = |is_reachable| if is_reachable { "ok" } else { "unreachable" };
    let all = upstreams.iter().all(|upstream| upstream.is_reachable);
    let status = if all { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let upstreams: serde_json::Map<_, _> = upstreams
        .iter()
        .map(|upstream| (upstream.prefix.clone(), word(upstream.is_reachable).into()))
        .collect();
    let body = serde_json::json!({ "status": word(all), "upstreams": upstreams });
    respond(status, body.to_string().into())
}

fn respond(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
