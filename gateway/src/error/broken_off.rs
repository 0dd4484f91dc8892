//! Why an answer ends before its end.

use std::error::Error;

/// What breaks off an answer's body.
#[derive(Debug, thiserror::Error)]
pub enum BrokenOff {
    /// The session is over that its event stream was opened in.
    #[error("the session is over")]
    SessionOver,
    /// The upstream broke off.
    #[error(transparent)]
    Upstream(Box<dyn Error + Send + Sync>),
}
