//! Why the upstream gave no answer, and whose doing it is.

use std::error::Error;
use std::io;
use std::time::Duration;

use http::Request;

use super::request_body::{BodyError, RequestBody};
use crate::error::RequestError;

/// Why a request got no response on one connection.
pub(super) enum Failure {
    /// It was not written; nobody has seen it.
    Unsent(Box<Request<RequestBody>>),
    /// It may have been seen.
    Broken(hyper::Error),
    /// The answer can be read in two ways.
    Ambiguous(&'static str),
    /// No response head in this time.
    Silent(Duration),
}

impl Failure {
    /// What is answered where the request is not sent again; `limit` bounds how long the upstream
    /// may take nothing.
    pub(super) fn into_error(self, limit: Duration) -> RequestError {
        match self {
            Self::Unsent(_) => RequestError::UpstreamBroken("connection closed at once".into()),
            Self::Ambiguous(reason) => RequestError::UpstreamBroken(reason.into()),
            Self::Silent(limit) => RequestError::UpstreamSilent(limit),
            Self::Broken(error) => broken(error, limit),
        }
    }
}

fn broken(error: hyper::Error, limit: Duration) -> RequestError {
    match cause_of::<BodyError>(&error) {
        Some(BodyError::Silent(limit)) => return RequestError::DownstreamSilent(*limit),
        Some(BodyError::Broken(_)) => return RequestError::DownstreamBroken(error.into()),
        Some(BodyError::TooLarge(limit)) => return RequestError::BodyTooLarge(*limit),
        Some(BodyError::Unwanted) | None => {}
    }
    match cause_of::<io::Error>(&error) {
        Some(cause) if cause.kind() == io::ErrorKind::TimedOut => {
            RequestError::UpstreamSilent(limit)
        }
        _ => RequestError::UpstreamBroken(error.into()),
    }
}

/// Whether the connection ended without an answer, as one does that rested too long.
pub(super) fn is_stale(error: &hyper::Error) -> bool {
    let is_io = cause_of::<io::Error>(error).is_some();
    error.is_incomplete_message() || error.is_canceled() || error.is_closed() || is_io
}

fn cause_of<E: Error + 'static>(error: &hyper::Error) -> Option<&E> {
    error.source().and_then(|cause| cause.downcast_ref())
}
