//! What can go wrong: at start-up, told to the operator; in a request, answered to the browser.

mod answer;
mod certificate;
mod front;
mod next;
mod request;
mod start;

use std::error::Error;
use std::iter::successors;

pub use self::answer::AnswerError;
pub use self::certificate::CertificateError;
pub use self::front::FrontError;
pub use self::next::NextError;
pub use self::request::{Blame, RequestError};
pub use self::start::StartError;

/// An error and its causes in one line: `what failed: why: why that`.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    for cause in successors(error.source(), |&cause| cause.source()).map(ToString::to_string) {
        // Some errors of libraries tell their cause themselves.
        if !line.ends_with(&cause) {
            line += ": ";
            line += &cause;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnAcquireErr, DbErr};

    use super::*;

    #[test]
    fn a_cause_that_is_told_already_is_not_told_again() {
        let line = chain(&DbErr::ConnectionAcquire(ConnAcquireErr::Timeout));
        assert_eq!(line, "Failed to acquire connection from pool: Connection pool timed out");
        let error = StartError::System { what: "it", source: std::io::Error::other("no memory") };
        assert_eq!(chain(&error), "cannot start it: no memory");
    }
}
