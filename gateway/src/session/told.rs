//! What an upstream is told of a session, as express-session would show it to a page.

use super::Session;
use super::members::Members;
use super::settle::Visit;

impl Visit {
    /// The session's id, and its cookie and user as they stand in the row, as JSON; `None` where
    /// there is no session. A user whose account is gone is nobody, and other data of the row stay
    /// where they are.
    pub fn told(&self) -> Option<String> {
        let (id, text) = match self {
            Self::Apart | Self::Fresh => return None,
            Self::Begun(new) => (new.id(), None),
            Self::Of(Session { stored, .. }) => (&stored.id, Some(stored.record.text())),
        };
        let mut members = vec![format!("\"id\":{}", serde_json::to_string(id.as_str()).ok()?)];
        if let Some(row) = text.and_then(Members::of) {
            let is_known = self.session().and_then(Session::identity).is_some();
            let told = if is_known { &["cookie", "passport"][..] } else { &["cookie"] };
            members.extend(told.iter().filter_map(|name| {
                let value = row.raw(name)?;
                Some(format!("\"{name}\":{value}"))
            }));
        }
        Some(format!("{{{}}}", members.join(",")))
    }
}
