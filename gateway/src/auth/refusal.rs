//! Why a sign-in request is not granted.

use std::time::Duration;

use sea_orm::DbErr;

use super::Afterwards;
use crate::accounts::insert::InsertError;
use crate::database::DatabaseError;
use crate::database::locks::MayBeOfDatabase;
use crate::ops::metrics::labels::AuthResult;

/// Why a request is not granted.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the request came from another site")]
    CrossSite,
    #[error("the body is neither JSON nor a form")]
    MediaType,
    #[error("the body is too large")]
    TooLarge,
    #[error("the body did not arrive in time")]
    TooSlow,
    #[error("the body cannot be read")]
    Malformed,
    /// A field is not as it must be.
    #[error("a field is missing or not allowed")]
    Invalid(Fault),
    #[error("the address has an account already")]
    Taken,
    /// By default told to nobody apart from [`Refusal::NoMatch`], and never faster.
    #[error("the address has no account")]
    NoAccount,
    #[error("e-mail and password do not match")]
    NoMatch,
    /// Before the password, or whether there is an account, was looked at.
    #[error("too many {what}: the next one in {wait:?}")]
    Throttled { what: &'static str, wait: Duration },
    #[error("too many passwords are being checked")]
    Busy,
    #[error("no account can be made: give {0} in --users-table a default, or let it be null")]
    Unfilled(String),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Address or password are missing or empty.
    Required,
    /// The address of a registration is the empty text: an account that nobody could use.
    EmptyAddress,
    /// The password and its confirmation are not the same.
    Apart,
    /// A field is a number, a list or the like.
    NotText,
    /// A rule for new accounts is not kept; the text is for the person who typed it.
    Rule(&'static str),
}

impl Refusal {
    /// As in Express, where bodies are read before sessions are.
    pub(super) fn afterwards(&self) -> Afterwards {
        match self {
            Self::Invalid(_) | Self::Taken | Self::NoAccount | Self::NoMatch => {
                Afterwards::AsAnyVisit
            }
            Self::CrossSite
            | Self::MediaType
            | Self::TooLarge
            | Self::TooSlow
            | Self::Malformed
            | Self::Throttled { .. }
            | Self::Busy
            | Self::Unfilled(_)
            | Self::Database(_) => Afterwards::Decided,
        }
    }
}

impl From<&Refusal> for AuthResult {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Throttled { .. } | Refusal::Busy => Self::Throttled,
            Refusal::Unfilled(_) | Refusal::Database(_) => Self::Failed,
            _ => Self::Refused,
        }
    }
}

impl MayBeOfDatabase for Refusal {
    fn of_database(&self) -> Option<&DatabaseError> {
        match self {
            Self::Database(error) => Some(error),
            _ => None,
        }
    }
}

impl From<DbErr> for Refusal {
    fn from(error: DbErr) -> Self {
        DatabaseError::from(error).into()
    }
}

impl From<InsertError> for Refusal {
    fn from(error: InsertError) -> Self {
        match error {
            InsertError::Taken => Self::Taken,
            InsertError::Unfilled(columns) => Self::Unfilled(columns),
            InsertError::Database(error) => Self::Database(error),
        }
    }
}
