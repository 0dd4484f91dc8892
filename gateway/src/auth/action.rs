//! The three routes that the gateway answers itself.

use http::Method;

use crate::ops::metrics::labels::AuthAction;

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

impl From<Action> for AuthAction {
    fn from(action: Action) -> Self {
        match action {
            Action::Login => Self::Login,
            Action::Register => Self::Register,
            Action::Logout => Self::Logout,
        }
    }
}

/// Where the three routes are; elsewhere than in the course's site by `--auth-path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthPaths {
    login: String,
    register: String,
    logout: String,
}

impl Default for AuthPaths {
    fn default() -> Self {
        let [login, register, logout] =
            ["/api/auth/login", "/api/auth/register", "/api/auth/logout"].map(str::to_owned);
        Self { login, register, logout }
    }
}

impl AuthPaths {
    /// Moves one route; `false` where another has that path.
    pub fn set(&mut self, action: Action, path: &str) -> bool {
        let path = folded(path);
        let is_free = self.action_at(&path).is_none_or(|other| other == action);
        if is_free {
            *match action {
                Action::Login => &mut self.login,
                Action::Register => &mut self.register,
                Action::Logout => &mut self.logout,
            } = path;
        }
        is_free
    }

    /// Matches as Express does: in any case, with one slash at the end or none, and without
    /// decoding. Everything else is the frontend's.
    pub fn action_of(&self, method: &Method, path: &str) -> Option<Action> {
        if method == Method::POST { self.action_at(&folded(path)) } else { None }
    }

    fn action_at(&self, folded: &str) -> Option<Action> {
        match folded {
            path if path == self.login => Some(Action::Login),
            path if path == self.register => Some(Action::Register),
            path if path == self.logout => Some(Action::Logout),
            _ => None,
        }
    }
}

fn folded(path: &str) -> String {
    path.strip_suffix('/').unwrap_or(path).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: &Method, path: &str, action: Option<Action>) {
        assert_eq!(AuthPaths::default().action_of(method, path), action, "{method} {path}");
    }

    #[test]
    fn the_routes_match_as_in_express() {
        check(&Method::POST, "/api/auth/login", Some(Action::Login));
        check(&Method::POST, "/api/auth/register", Some(Action::Register));
        check(&Method::POST, "/API/Auth/LOGOUT/", Some(Action::Logout));
    }

    #[test]
    fn a_route_may_be_elsewhere_and_is_then_no_more_where_it_was() {
        let mut paths = AuthPaths::default();
        assert!(paths.set(Action::Login, "/api/users/Login/"));
        let action_of = |path| paths.action_of(&Method::POST, path);
        assert_eq!(action_of("/API/users/login"), Some(Action::Login));
        assert_eq!(action_of("/api/auth/login"), None);
        assert_eq!(action_of("/api/auth/logout"), Some(Action::Logout));
        assert!(!AuthPaths::default().set(Action::Login, "/api/auth/register/"));
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
