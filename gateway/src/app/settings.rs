//! From what was typed to what the rooms are told.

use cookie::SameSite;
use nextbnb_migrations::TableNames;

use crate::accounts::EmailCase;
use crate::auth::answer::AuthStatuses;
use crate::auth::credentials::PasswordPolicy;
use crate::auth::{AuthSettings, SiteData};
use crate::config::auth_args as typed_auth;
use crate::config::session_args::{self as typed, MaxAge, TouchInterval};
use crate::config::{AuthConfig, SessionConfig};
use crate::error::StartError;
use crate::session::SessionSettings;
use crate::session::attributes::CookiePriority;
use crate::session::cookie_policy::{CookiePolicy, CookieSameSite, CookieSecure};
use crate::session::lifetime::Lifetime;
use crate::session::policy::{AnonymousSessions, OldData, Rolling, SessionPolicy, Touch};
use crate::session::secrets::Secrets;

pub(super) fn session_settings(
    config: &SessionConfig,
    tables: &TableNames,
) -> Result<SessionSettings, StartError> {
    let secrets = Secrets::new(config.secrets.as_slice()).ok_or(StartError::SecretMissing)?;
    let lifetime = Lifetime {
        max_age: match config.max_age {
            MaxAge::Of(duration) => Some(duration),
            MaxAge::Browser => None,
        },
        expiration: config.expiration,
    };
    let policy = SessionPolicy {
        anonymous: match config.anonymous {
            typed::AnonymousSessions::Off => AnonymousSessions::Off,
            typed::AnonymousSessions::Save => AnonymousSessions::Save,
        },
        rolling: match config.rolling {
            typed::Rolling::Never => Rolling::Never,
            typed::Rolling::Half => Rolling::Half,
            typed::Rolling::Always => Rolling::Always,
        },
        touch: match config.touch_interval {
            TouchInterval::Every(interval) => Touch::Every(interval),
            TouchInterval::Never => Touch::Never,
        },
        old_data: if config.login_keeps_data { OldData::Keep } else { OldData::Drop },
    };
    let table = tables.sessions.clone();
    Ok(SessionSettings { table, secrets, cookie: cookie_policy(config), lifetime, policy })
}

fn cookie_policy(config: &SessionConfig) -> CookiePolicy {
    let cookie = &config.cookie;
    CookiePolicy {
        name: cookie.name.clone(),
        domain: cookie.domain.clone(),
        path: cookie.path.clone(),
        http_only: cookie.http_only,
        secure: match cookie.secure {
            typed::CookieSecure::Auto => CookieSecure::Auto,
            typed::CookieSecure::Always => CookieSecure::Always,
            typed::CookieSecure::Never => CookieSecure::Never,
        },
        same_site: match cookie.same_site {
            typed::CookieSameSite::Lax => CookieSameSite::Is(SameSite::Lax),
            typed::CookieSameSite::Strict => CookieSameSite::Is(SameSite::Strict),
            typed::CookieSameSite::None => CookieSameSite::Is(SameSite::None),
            typed::CookieSameSite::Auto => CookieSameSite::Auto,
            typed::CookieSameSite::Unset => CookieSameSite::Unset,
        },
        partitioned: cookie.partitioned,
        priority: cookie.priority.map(|priority| match priority {
            typed::CookiePriority::Low => CookiePriority::Low,
            typed::CookiePriority::Medium => CookiePriority::Medium,
            typed::CookiePriority::High => CookiePriority::High,
        }),
    }
}

pub(super) fn auth_settings(config: &AuthConfig) -> AuthSettings {
    AuthSettings {
        statuses: match config.statuses {
            typed_auth::AuthStatuses::Standard => AuthStatuses::Standard,
            typed_auth::AuthStatuses::Express => AuthStatuses::Express,
        },
        policy: match config.policy {
            typed_auth::PasswordPolicy::Standard => PasswordPolicy::Standard,
            typed_auth::PasswordPolicy::None => PasswordPolicy::None,
        },
        site_data: if config.clear_site_data { SiteData::Clear } else { SiteData::Keep },
    }
}

pub(super) fn email_case(config: &AuthConfig) -> EmailCase {
    match config.email_case {
        typed_auth::EmailCase::Ignore => EmailCase::Ignore,
        typed_auth::EmailCase::Exact => EmailCase::Exact,
    }
}
