//! What can go wrong: at start-up, told to the operator; in a request, answered to the browser.

mod next;
mod request;
mod start;

pub use self::next::NextError;
pub use self::request::{Blame, RequestError};
pub use self::start::StartError;

/// An error and its causes in one line: `what failed: why: why that`.
pub fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
