//! What the Express server answered, status by status and header by header, but for what it told
//! of its inside.

use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

use super::action::Action;
use super::refusal::{Fault, Refusal};
use crate::database::DatabaseError;

/// The words of the Express server; `None` for what it had no answer to.
pub(super) fn refused(action: Action, refusal: &Refusal) -> Option<Response<Full<Bytes>>> {
    let failed = StatusCode::INTERNAL_SERVER_ERROR;
    let words = match refusal {
        Refusal::MediaType => return Some(page(StatusCode::UNSUPPORTED_MEDIA_TYPE)),
        Refusal::TooLarge => return Some(page(StatusCode::PAYLOAD_TOO_LARGE)),
        Refusal::Malformed => return Some(page(StatusCode::BAD_REQUEST)),
        Refusal::CrossSite
        | Refusal::TooSlow
        | Refusal::Throttled { .. }
        | Refusal::Busy
        | Refusal::Database(DatabaseError::Unavailable(_)) => return None,
        Refusal::Invalid(Fault::Apart) => {
            return Some(failure(StatusCode::OK, &"Passwords do not match".into()));
        }
        Refusal::Invalid(Fault::Rule(words)) => (*words).into(),
        Refusal::Invalid(Fault::EmptyAddress) => json!({}),
        Refusal::Invalid(fault) => match (action, fault) {
            (Action::Register, _) => "An error occurred".into(),
            (_, Fault::Required) => "No user matching credentials".into(),
            // In place of the driver's own words, SQL and all.
            (_, _) => json!({}),
        },
        Refusal::Unfilled(_) | Refusal::Database(DatabaseError::Refused { .. }) => {
            "An error occurred".into()
        }
        Refusal::Taken => "User already exists".into(),
        Refusal::NoAccount => "User not found".into(),
        Refusal::NoMatch => "Email and password do not match".into(),
    };
    Some(failure(failed, &words))
}

/// JSON that nothing says is JSON.
pub(super) fn success(message: &'static str) -> Response<Full<Bytes>> {
    bare(StatusCode::OK, format!(r#"{{"status":"success","message":"{message}"}}"#))
}

fn failure(status: StatusCode, message: &Value) -> Response<Full<Bytes>> {
    bare(status, format!(r#"{{"status":"error","message":{message}}}"#))
}

fn bare(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response
}

/// The page of `finalhandler` in production.
fn page(status: StatusCode) -> Response<Full<Bytes>> {
    let reason = status.canonical_reason().unwrap_or_default();
    let mut response = bare(
        status,
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <title>Error</title>\n</head>\n<body>\n<pre>{reason}</pre>\n</body>\n</html>\n"
        ),
    );
    let headers = response.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_TYPE, html);
    response
}
