//! The three routes that the gateway answers itself.

use http::Method;

/// What a request wants of its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `POST /api/auth/login`
    Login,
    /// `POST /api/auth/register`
    Register,
    /// `POST /api/auth/logout`
    Logout,
}

impl Action {
    /// Matches as Express does: in any case, with one slash at the end or none, and without
    /// decoding. Everything else is the frontend's.
    pub fn of(method: &Method, path: &str) -> Option<Self> {
        if method != Method::POST {
            return None;
        }
        match path.strip_suffix('/').unwrap_or(path).to_ascii_lowercase().as_str() {
            "/api/auth/login" => Some(Self::Login),
            "/api/auth/register" => Some(Self::Register),
            "/api/auth/logout" => Some(Self::Logout),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: &Method, path: &str, action: Option<Action>) {
        assert_eq!(Action::of(method, path), action, "{method} {path}");
    }

    #[test]
    fn the_routes_match_as_in_express() {
        check(&Method::POST, "/api/auth/login", Some(Action::Login));
        check(&Method::POST, "/api/auth/register", Some(Action::Register));
        check(&Method::POST, "/API/Auth/LOGOUT/", Some(Action::Logout));
    }

    #[test]
    fn everything_else_is_the_frontends() {
        check(&Method::GET, "/api/auth/login", None);
        check(&Method::HEAD, "/api/auth/logout", None);
        check(&Method::OPTIONS, "/api/auth/login", None);
        check(&Method::POST, "/api//auth/login", None);
        check(&Method::POST, "/api/auth/%6cogin", None);
        check(&Method::POST, "/api/auth/login//", None);
        check(&Method::POST, "/api/auth/login/x", None);
        check(&Method::POST, "/api/auth", None);
        check(&Method::POST, "/", None);
    }
}
