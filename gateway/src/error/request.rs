//! Why a request is not answered by the upstream.

use std::error::Error;
use std::io;
use std::time::Duration;

use http::StatusCode;

/// Why a request gets an answer that is not the upstream's.
///
/// There is a variant for each distinct answer. `Display` is for the log; the browser sees only
/// the status and its own words.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The request can be read in two ways, or in none (RFC 9112 §3.2).
    #[error("refused: {0}")]
    Ambiguous(&'static str),
    /// The target is longer than any server has to read (RFC 9110 §4.1).
    #[error("refused: the target is too long")]
    TargetTooLong,
    /// The fields are more than Node reads.
    #[error("refused: the header fields are too large")]
    FieldsTooLarge,
    /// The body is more than is passed on.
    #[error("refused: the body is larger than {0} bytes (--max-body)")]
    BodyTooLarge(u64),
    /// TRACE and CONNECT would expose or tunnel what is not theirs.
    #[error("method not served")]
    Method,
    /// A path of the gateway's own at which nothing is.
    #[error("no such path under the gateway's own prefix")]
    NothingHere,
    /// A path of `next dev`'s, outside of `dev`.
    #[error("a path that is served in `dev` alone")]
    DevOnly,
    /// An upgrade that another site's page asked for (ASVS 4.4.2).
    #[error("upgrade from a foreign origin")]
    ForeignOrigin,
    /// `next dev` takes the page that asked for an upgrade for another site's.
    #[error(
        "next dev refused the page's origin: open the page at http://localhost, or name its host in \
         allowedDevOrigins in next.config"
    )]
    UnknownDevOrigin,
    /// A name that nobody said the site is worked on under (DNS rebinding).
    #[error("a host that is not served in `dev` without --allow-host {0}")]
    UnknownHost(String),
    /// The client stopped sending in the middle of its body.
    #[error("the client sent nothing more of its body within {0:?}")]
    DownstreamSilent(Duration),
    /// The client's body cannot be read to its end.
    #[error("the client did not send its body properly")]
    DownstreamBroken(#[source] Box<dyn Error + Send + Sync>),
    /// There is more to do than is done at once.
    #[error("too much at once")]
    Crowded(#[source] Box<dyn Error + Send + Sync>),
    /// A cookie was presented and the database could not say whose it is.
    #[error("the session store cannot be read")]
    SessionsUnavailable(#[source] Box<dyn Error + Send + Sync>),
    /// A cookie was presented, and the database does not take the question whose it is.
    #[error("the session store is not as it must be")]
    SessionsUnreadable(#[source] Box<dyn Error + Send + Sync>),
    /// No connection to the upstream.
    #[error("the upstream cannot be reached")]
    UpstreamUnreachable(#[source] io::Error),
    /// The upstream answered nothing in time.
    #[error("the upstream sent no response head within {0:?}")]
    UpstreamSilent(Duration),
    /// The upstream broke off, or answered something that is not HTTP.
    #[error("the upstream did not answer properly")]
    UpstreamBroken(#[source] Box<dyn Error + Send + Sync>),
}

/// Whose doing an answer is; decides how loud it is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The client's: nothing to do here.
    Downstream,
    /// The upstream's or the database's: somebody may have to act.
    Upstream,
}

impl RequestError {
    /// The status that tells the browser.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Ambiguous(_) | Self::DownstreamBroken(_) => StatusCode::BAD_REQUEST,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::FieldsTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NothingHere | Self::DevOnly => StatusCode::NOT_FOUND,
            Self::ForeignOrigin | Self::UnknownDevOrigin | Self::UnknownHost(_) => {
                StatusCode::FORBIDDEN
            }
            Self::DownstreamSilent(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Crowded(_) | Self::SessionsUnavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::SessionsUnreadable(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::UpstreamUnreachable(_) | Self::UpstreamBroken(_) => StatusCode::BAD_GATEWAY,
            Self::UpstreamSilent(_) => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// Whether it is doubtful where the next request begins, so that none is read.
    pub fn ends_connection(&self) -> bool {
        matches!(
            self,
            Self::Ambiguous(_) | Self::TargetTooLong | Self::FieldsTooLarge | Self::Method
        )
    }

    /// Whose doing it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Ambiguous(_)
            | Self::TargetTooLong
            | Self::FieldsTooLarge
            | Self::BodyTooLarge(_)
            | Self::Method
            | Self::NothingHere
            | Self::DevOnly
            | Self::ForeignOrigin
            | Self::UnknownHost(_)
            | Self::DownstreamSilent(_)
            | Self::Crowded(_)
            | Self::DownstreamBroken(_) => Blame::Downstream,
            Self::SessionsUnavailable(_)
            | Self::SessionsUnreadable(_)
            | Self::UpstreamUnreachable(_)
            | Self::UnknownDevOrigin
            | Self::UpstreamSilent(_)
            | Self::UpstreamBroken(_) => Blame::Upstream,
        }
    }
}
