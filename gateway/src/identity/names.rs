//! What the fields are called by which an upstream knows who is signed in.

use clap::ValueEnum;
use http::header::{HeaderMap, HeaderName};

use super::headers::{fold, is_managed};

/// A known set of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Preset {
    /// Those of oauth2-proxy before an application.
    #[default]
    Forwarded,
    /// Those of Authelia.
    Remote,
    /// Those of oauth2-proxy behind nginx's `auth_request`.
    AuthRequest,
    /// None; what is named by itself is sent.
    None,
}

/// What of a person a field tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// `users.id`.
    User,
    /// The address.
    Email,
    /// What the person wants to be called.
    Name,
}

impl Preset {
    fn names(self) -> &'static [(Told, &'static str)] {
        match self {
            Self::Forwarded => &[
                (Told::User, "x-forwarded-user"),
                (Told::Email, "x-forwarded-email"),
                (Told::Name, "x-forwarded-preferred-username"),
            ],
            Self::Remote => &[
                (Told::User, "remote-user"),
                (Told::Email, "remote-email"),
                (Told::Name, "remote-name"),
            ],
            Self::AuthRequest => &[
                (Told::User, "x-auth-request-user"),
                (Told::Email, "x-auth-request-email"),
                (Told::Name, "x-auth-request-preferred-username"),
            ],
            Self::None => &[],
        }
    }

    /// Whether a field, its name folded, is one of any preset.
    pub(super) fn any_has(folded: &str) -> bool {
        let has = |preset: &Self| preset.names().iter().any(|(_, name)| *name == folded);
        Self::value_variants().iter().any(has)
    }
}

/// The names in use.
#[derive(Debug, Clone)]
pub struct IdentityNames(Vec<(Told, HeaderName)>);

impl Default for IdentityNames {
    fn default() -> Self {
        Self::new(Preset::default(), Vec::new())
    }
}

impl IdentityNames {
    /// Those of `preset`, but for what is told by a name of `own`.
    pub fn new(preset: Preset, own: Vec<(Told, HeaderName)>) -> Self {
        let is_left = |told: Told| own.iter().all(|(other, _)| *other != told);
        let known = preset.names().iter().filter(|(told, _)| is_left(*told));
        let mut names: Vec<_> =
            known.map(|(told, name)| (*told, HeaderName::from_static(name))).collect();
        names.extend(own);
        Self(names)
    }

    /// Whether a field, its name folded, is one that only the gateway may set, now or with another
    /// preset.
    pub fn are_managing(&self, folded: &str) -> bool {
        is_managed(folded) || self.0.iter().any(|(_, name)| name == folded)
    }

    /// Whether a name is one of them, as it is.
    pub fn hold(&self, name: &HeaderName) -> bool {
        self.0.iter().any(|(_, own)| own == name)
    }

    /// Whether one of them begins with this byte.
    pub fn may_begin_with(&self, byte: u8) -> bool {
        self.0.iter().any(|(_, name)| name.as_str().as_bytes().first() == Some(&byte))
    }

    /// The fields to set.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Told, &HeaderName)> {
        self.0.iter().map(|(told, name)| (*told, name))
    }

    /// Whether a client's fields have none of them, in any spelling.
    pub fn are_absent_in(&self, headers: &HeaderMap) -> bool {
        self.0.iter().all(|(_, name)| headers.keys().all(|other| fold(other) != name.as_str()))
    }
}
