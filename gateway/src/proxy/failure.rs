//! Why the upstream gave no answer, and whose doing it is.

use super::codec::exchange::Failure;
use super::request_body::BodyError;
use crate::error::RequestError;

impl From<Failure> for RequestError {
    /// What is answered where the request is not sent again.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Ended(None) => Self::UpstreamBroken("the connection ended at once".into()),
            Failure::Ended(Some(error)) => Self::UpstreamBroken(error.into()),
            Failure::Answer(error) => Self::UpstreamBroken(error.into()),
            Failure::Silent(limit) => Self::UpstreamSilent(limit),
            Failure::Body(BodyError::Silent(limit)) => Self::DownstreamSilent(limit),
            Failure::Body(BodyError::TooLarge(limit)) => Self::BodyTooLarge(limit),
            Failure::Body(error) => Self::DownstreamBroken(error.into()),
        }
    }
}
