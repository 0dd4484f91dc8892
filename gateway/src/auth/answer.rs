//! What the routes answer: the JSON of the Express server, with the status that fits or its own.

use bytes::Bytes;
use clap::ValueEnum;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, SET_COOKIE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;

use super::action::Action;
use super::express_answer;
use super::refusal::{Fault, Refusal};
use crate::database::DatabaseError;

/// When to try again after [`Refusal::Busy`] or [`Refusal::Database`].
const RETRY_AFTER_SECS: u64 = 3;

/// Whose statuses and headers the routes answer with, and whose bodies they read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuthStatuses {
    /// Those that HTTP has for it.
    ///
    /// 401, 409, 422, 429, JSON that says so, nothing kept by caches; JSON and forms are read.
    Standard,
    /// Those of the Express server.
    ///
    /// 500 and 200, no `Content-Type`, its texts, which tell whether an address has an account;
    /// only JSON is read.
    Express,
}

/// An answer to a sign-in request that was granted.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) message: &'static str,
    pub(super) set_cookie: Option<HeaderValue>,
}

impl AuthStatuses {
    pub(super) fn granted(self, granted: Granted) -> Response<Full<Bytes>> {
        let Granted { message, set_cookie } = granted;
        let mut response = match self {
            Self::Standard => respond(StatusCode::OK, &Outcome { status: "success", message }),
            Self::Express => express_answer::success(message),
        };
        if let Some(set_cookie) = set_cookie {
            response.headers_mut().append(SET_COOKIE, set_cookie);
        }
        response
    }

    pub(super) fn refused(self, action: Action, refusal: &Refusal) -> Response<Full<Bytes>> {
        let express = match self {
            Self::Standard => None,
            Self::Express => express_answer::refused(action, refusal),
        };
        express.unwrap_or_else(|| standard_refused(refusal))
    }
}

fn standard_refused(refusal: &Refusal) -> Response<Full<Bytes>> {
    let status = status_of(refusal);
    let mut response = respond(status, &Outcome { status: "error", message: message_of(refusal) });
    let retry_after = match refusal {
        Refusal::Throttled { wait, .. } => Some(wait.as_secs().saturating_add(1)),
        _ => (status == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_AFTER_SECS),
    };
    if let Some(secs) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(secs));
    }
    response
}

fn status_of(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::CrossSite => StatusCode::FORBIDDEN,
        Refusal::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::TooSlow => StatusCode::REQUEST_TIMEOUT,
        Refusal::Malformed => StatusCode::BAD_REQUEST,
        Refusal::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::Taken => StatusCode::CONFLICT,
        Refusal::NoAccount | Refusal::NoMatch => StatusCode::UNAUTHORIZED,
        Refusal::Throttled { .. } => StatusCode::TOO_MANY_REQUESTS,
        Refusal::Unfilled(_) | Refusal::Database(DatabaseError::Refused { .. }) => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        Refusal::Busy | Refusal::Database(DatabaseError::Unavailable(_)) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// What the frontends show; Express's words where it had any.
fn message_of(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::CrossSite => "This request came from another site",
        Refusal::MediaType => {
            "Send application/json or application/x-www-form-urlencoded, in UTF-8"
        }
        Refusal::TooLarge => "The request body is too large",
        Refusal::TooSlow => "The request body did not arrive in time",
        Refusal::Malformed => "The request body cannot be read",
        Refusal::Invalid(Fault::Required | Fault::EmptyAddress) => {
            "Email and password are required"
        }
        Refusal::Invalid(Fault::Apart) => "Passwords do not match",
        Refusal::Invalid(Fault::NotText) => "Every field must be a text",
        Refusal::Invalid(Fault::Rule(message)) => message,
        Refusal::Taken => "User already exists",
        Refusal::NoAccount | Refusal::NoMatch => "Email and password do not match",
        Refusal::Throttled { .. } => "Too many attempts. Please try again later",
        Refusal::Unfilled(_) | Refusal::Database(DatabaseError::Refused { .. }) => {
            "An error occurred"
        }
        Refusal::Busy | Refusal::Database(DatabaseError::Unavailable(_)) => {
            "Please try again in a moment"
        }
    }
}

/// JSON that no cache may keep.
pub(super) fn respond(status: StatusCode, content: &impl Serialize) -> Response<Full<Bytes>> {
    let body = serde_json::to_vec(content).unwrap_or_default();
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[derive(Serialize)]
struct Outcome {
    status: &'static str,
    message: &'static str,
}
