//! `GET /.nextbnb/session`.

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;

use super::answer;
use crate::entity::user_id::UserId;
use crate::session::Session;

/// Answers with the person behind the session, or `null`.
pub fn who_am_i(session: Option<&Session>) -> Response<Full<Bytes>> {
    #[derive(Serialize)]
    struct Answer<'a> {
        user: Option<User<'a>>,
    }
    #[derive(Serialize)]
    struct User<'a> {
        id: &'a UserId,
        email: Option<&'a str>,
        name: Option<&'a str>,
    }
    let identity = session.and_then(Session::identity);
    let user = identity.map(|identity| User {
        id: &identity.id,
        email: Some(identity.email.as_str()).filter(|email| !email.is_empty()),
        name: identity.name.as_deref(),
    });
    answer::respond(StatusCode::OK, &Answer { user })
}
