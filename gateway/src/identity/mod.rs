//! Who is signed in, and how the frontend is told.

pub mod fields;
pub mod headers;
pub mod names;

use std::fmt;

use crate::entity::user_id::UserId;

/// The person behind a live session. Its `Debug` shows the id only.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// `users.id`.
    pub id: UserId,
    /// The address as registered; empty where there is none.
    pub email: String,
    /// What the person wants to be called, where they said so.
    pub name: Option<String>,
}

impl Identity {
    /// Bytes of memory behind this.
    pub(crate) fn heap_bytes(&self) -> usize {
        let id = if let UserId::Text(id) = &self.id { id.len() } else { 0 };
        id + self.email.len() + self.name.as_ref().map_or(0, String::len)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("id", &self.id).finish_non_exhaustive()
    }
}
