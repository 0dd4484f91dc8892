//! The values that labels have.

use http::Method;

use crate::error::RequestError;

/// Declares an enum whose variants are the values of a label.
macro_rules! label {
    ($(#[$doc:meta])* $vis:vis $name:ident { $($(#[$of:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $vis enum $name {
            $($(#[$of])* $variant,)*
        }

        impl $name {
            pub(super) const LABELS: &'static [&'static str] = &[$($text),*];
        }
    };
}

label! {
    /// Who answers a request.
    pub RouteKind {
        /// A file of Next.js's, whoever asks.
        Asset = "asset",
        /// An upstream.
        Page = "page",
        /// Register, login and logout.
        Auth = "auth",
        /// The gateway's own paths.
        Own = "own",
    }
}

label! {
    /// How a request to register, log in or log out ended.
    pub AuthResult {
        /// As asked.
        Done = "done",
        /// Not, and it was the request's fault.
        Refused = "refused",
        /// Not, for there were too many.
        Throttled = "throttled",
        /// Not, and it was ours or the database's fault.
        Failed = "failed",
    }
}

label! {
    /// What a request asked of [`AuthResult`].
    pub AuthAction {
        /// To log in.
        Login = "login",
        /// To register.
        Register = "register",
        /// To log out.
        Logout = "logout",
    }
}

label! {
    /// What was found of a request's session.
    pub Lookup {
        /// One that lives.
        Live = "live",
        /// None.
        Nothing = "none",
        /// It could not be told.
        Failed = "failed",
    }
}

label! {
    /// What memory did for a request for a built file.
    pub StaticFile {
        /// It had the answer.
        Hit = "hit",
        /// It had not.
        Miss = "miss",
        /// It was not asked.
        Bypass = "bypass",
    }
}

label! {
    /// What a request to an upstream was sent on.
    pub UpstreamConnection {
        /// A connection made for it.
        New = "new",
        /// One that had served another.
        Reused = "reused",
        /// None: it did not come about.
        Failed = "failed",
    }
}

label! {
    /// The values of the label `method`.
    pub(super) MethodKind {
        Get = "GET",
        Head = "HEAD",
        Post = "POST",
        Put = "PUT",
        Patch = "PATCH",
        Delete = "DELETE",
        Options = "OPTIONS",
        Other = "other",
    }
}

label! {
    /// Why a request was not passed on, or its answer not.
    pub(super) Reason {
        Malformed = "malformed",
        TargetTooLong = "target_too_long",
        FieldsTooLarge = "fields_too_large",
        BodyTooLarge = "body_too_large",
        Method = "method",
        NothingHere = "nothing_here",
        DevOnly = "dev_only",
        ForeignOrigin = "foreign_origin",
        UnknownDevOrigin = "unknown_dev_origin",
        UnknownHost = "unknown_host",
        DownstreamSilent = "downstream_silent",
        DownstreamBroken = "downstream_broken",
        Crowded = "crowded",
        SessionsUnavailable = "sessions_unavailable",
        SessionsUnreadable = "sessions_unreadable",
        UpstreamUnreachable = "upstream_unreachable",
        UpstreamSilent = "upstream_silent",
        UpstreamBroken = "upstream_broken",
    }
}

impl Reason {
    pub(super) fn of(error: &RequestError) -> Self {
        match error {
            RequestError::Ambiguous(_) => Self::Malformed,
            RequestError::TargetTooLong => Self::TargetTooLong,
            RequestError::FieldsTooLarge => Self::FieldsTooLarge,
            RequestError::BodyTooLarge(_) => Self::BodyTooLarge,
            RequestError::Method => Self::Method,
            RequestError::NothingHere => Self::NothingHere,
            RequestError::DevOnly => Self::DevOnly,
            RequestError::ForeignOrigin => Self::ForeignOrigin,
            RequestError::UnknownDevOrigin => Self::UnknownDevOrigin,
            RequestError::UnknownHost(_) => Self::UnknownHost,
            RequestError::DownstreamSilent(_) => Self::DownstreamSilent,
            RequestError::DownstreamBroken(_) => Self::DownstreamBroken,
            RequestError::Crowded(_) => Self::Crowded,
            RequestError::SessionsUnavailable(_) => Self::SessionsUnavailable,
            RequestError::SessionsUnreadable(_) => Self::SessionsUnreadable,
            RequestError::UpstreamUnreachable(_) => Self::UpstreamUnreachable,
            RequestError::UpstreamSilent(_) => Self::UpstreamSilent,
            RequestError::UpstreamBroken(_) => Self::UpstreamBroken,
        }
    }
}

impl MethodKind {
    pub(super) fn of(method: &Method) -> Self {
        match *method {
            Method::GET => Self::Get,
            Method::HEAD => Self::Head,
            Method::POST => Self::Post,
            Method::PUT => Self::Put,
            Method::PATCH => Self::Patch,
            Method::DELETE => Self::Delete,
            Method::OPTIONS => Self::Options,
            _ => Self::Other,
        }
    }
}
