//! What the routes answer: the JSON of the Express server, with the status that fits.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, SET_COOKIE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use sea_orm::DbErr;
use serde::Serialize;

use super::Afterwards;

/// When to try again after [`Refusal::Busy`] or [`Refusal::Database`].
const RETRY_AFTER_SECS: u64 = 3;

/// Why a request is not granted.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the request came from another site")]
    CrossSite,
    #[error("the body is neither JSON nor a form")]
    MediaType,
    #[error("the body is too large")]
    TooLarge,
    #[error("the body did not arrive in time")]
    TooSlow,
    #[error("the body cannot be read")]
    Malformed,
    /// A field is not as it must be; the text is for the person who typed it.
    #[error("a field is missing or not allowed")]
    Invalid(&'static str),
    #[error("the address has an account already")]
    Taken,
    /// Unknown account or wrong password, told to nobody which.
    #[error("e-mail and password do not match")]
    NoMatch,
    #[error("too many passwords are being checked")]
    Busy,
    #[error("the database does not answer")]
    Database(#[from] DbErr),
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::CrossSite => StatusCode::FORBIDDEN,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Taken => StatusCode::CONFLICT,
            Self::NoMatch => StatusCode::UNAUTHORIZED,
            Self::Busy | Self::Database(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// As in Express, where bodies are read before sessions are.
    pub(super) fn afterwards(&self) -> Afterwards {
        match self {
            Self::Invalid(_) | Self::Taken | Self::NoMatch => Afterwards::AsAnyVisit,
            Self::CrossSite
            | Self::MediaType
            | Self::TooLarge
            | Self::TooSlow
            | Self::Malformed
            | Self::Busy
            | Self::Database(_) => Afterwards::Decided,
        }
    }

    /// What the frontends show; Express's words where it had any.
    fn message(&self) -> &'static str {
        match self {
            Self::CrossSite => "This request came from another site",
            Self::MediaType => {
                "Send application/json or application/x-www-form-urlencoded, in UTF-8"
            }
            Self::TooLarge => "The request body is too large",
            Self::TooSlow => "The request body did not arrive in time",
            Self::Malformed => "The request body cannot be read",
            Self::Invalid(message) => message,
            Self::Taken => "User already exists",
            Self::NoMatch => "Email and password do not match",
            Self::Busy | Self::Database(_) => "Please try again in a moment",
        }
    }

    pub(super) fn response(&self) -> Response<Full<Bytes>> {
        let status = self.status();
        let mut response = respond(status, &Outcome { status: "error", message: self.message() });
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECS));
        }
        response
    }
}

/// Says that it is done, and gives the browser its cookie.
pub(super) fn success(
    message: &'static str,
    set_cookie: Option<HeaderValue>,
) -> Response<Full<Bytes>> {
    let mut response = respond(StatusCode::OK, &Outcome { status: "success", message });
    if let Some(set_cookie) = set_cookie {
        response.headers_mut().append(SET_COOKIE, set_cookie);
    }
    response
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
