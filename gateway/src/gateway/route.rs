//! Which part of the gateway a request is for.

use http::Method;
use http::request::Parts;

use super::OWN_PREFIX;
use crate::auth::action::{Action, AuthPaths};
use crate::next::asset::is_asset;
use crate::ops::metrics::labels::RouteKind;

/// Who answers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// `/.nextbnb/health`.
    Health,
    /// `/.nextbnb/health/upstreams`.
    UpstreamsHealth,
    /// `/.nextbnb/session`.
    WhoAmI,
    /// `/.nextbnb/waiting`, which pages ask that wait for an upstream.
    Waiting,
    /// Nobody: the path is the gateway's, but nothing is there.
    Nothing,
    /// Register, login or logout.
    Auth(Action),
    /// Next.js, whoever asks.
    Asset,
    /// Next.js.
    Upstream,
}

impl Route {
    /// Decides by method and path alone; a query never changes who answers.
    pub(super) fn of(head: &Parts, paths: &AuthPaths) -> Self {
        let path = head.uri.path();
        if let Some(own) = path.strip_prefix(OWN_PREFIX) {
            let reads = matches!(head.method, Method::GET | Method::HEAD);
            return match own {
                "health" if reads => Self::Health,
                "health/upstreams" if reads => Self::UpstreamsHealth,
                "session" if reads => Self::WhoAmI,
                "waiting" if reads => Self::Waiting,
                _ => Self::Nothing,
            };
        }
        match paths.action_of(&head.method, path) {
            Some(action) => Self::Auth(action),
            None if is_asset(&head.method, path) => Self::Asset,
            None => Self::Upstream,
        }
    }
}

impl From<Route> for RouteKind {
    fn from(route: Route) -> Self {
        match route {
            Route::Health
            | Route::UpstreamsHealth
            | Route::WhoAmI
            | Route::Waiting
            | Route::Nothing => Self::Own,
            Route::Auth(_) => Self::Auth,
            Route::Asset => Self::Asset,
            Route::Upstream => Self::Page,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[track_caller]
    fn check(method: &str, target: &str, expected: Route) {
        let request = Request::builder().method(method).uri(target).body(()).unwrap();
        assert_eq!(
            Route::of(&request.into_parts().0, &AuthPaths::default()),
            expected,
            "{method} {target}"
        );
    }

    #[test]
    fn the_gateway_owns_three_posts_and_one_prefix() {
        check("GET", "/.nextbnb/health", Route::Health);
        check("HEAD", "/.nextbnb/session?x=/", Route::WhoAmI);
        check("GET", "/.nextbnb/waiting?path=%2F", Route::Waiting);
        check("POST", "/.nextbnb/session", Route::Nothing);
        check("GET", "/.nextbnb/", Route::Nothing);
        check("POST", "/api/auth/login?next=/", Route::Auth(Action::Login));
        check("POST", "/API/Auth/Logout/", Route::Auth(Action::Logout));
        check("GET", "/api/auth/login", Route::Upstream);
        check("GET", "/_next/static/a.js", Route::Asset);
        check("GET", "/.nextbnb", Route::Upstream);
        check("GET", "/.nextbnbx/health", Route::Upstream);
        check("GET", "/?/.nextbnb/health", Route::Upstream);
    }
}
