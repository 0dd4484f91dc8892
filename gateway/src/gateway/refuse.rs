//! What is answered to a request that fails.

use http::Response;
use http::header::{self, HeaderValue};
use tracing::Level;

use super::body::AnswerBody;
use super::own;
use crate::error::{Blame, RequestError, chain};
use crate::ops::access_log::AccessLog;
use crate::proxy::asker::Asker;
use crate::proxy::pages::ErrorPages;

/// The one place where an error becomes an answer, and a cause in the log.
pub(super) fn refuse(
    error: &RequestError,
    pages: &ErrorPages,
    asker: &Asker,
    log: &mut AccessLog,
) -> Response<AnswerBody> {
    let level = match error.blame() {
        Blame::Upstream if !pages.is_expected(error) => Level::ERROR,
        Blame::Upstream | Blame::Downstream => Level::INFO,
    };
    log.set_cause(level, chain(error));
    let mut response = own(pages.answer(error, asker));
    if error.ends_connection() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
