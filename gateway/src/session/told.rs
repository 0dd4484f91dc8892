//! What an upstream is told of a session, as express-session would show it to a page.

use super::members::Members;
use super::settle::Visit;

impl Visit {
    /// The session's id, and its cookie and user as they stand in the row, as JSON; `None` where
    /// there is no session. Other data of the row stay where they are.
    pub fn told(&self) -> Option<String> {
        let (id, text) = match self {
            Self::Apart | Self::Fresh => return None,
            Self::Begun(new) => (new.id(), None),
            Self::Of(session) => (&session.id, Some(session.record.text())),
        };
        let mut members = vec![format!("\"id\":{}", serde_json::to_string(id.as_str()).ok()?)];
        if let Some(row) = text.and_then(Members::of) {
            let told = ["cookie", "passport"].into_iter();
            members.extend(told.filter_map(|name| Some(format!("\"{name}\":{}", row.raw(name)?))));
        }
        Some(format!("{{{}}}", members.join(",")))
    }
}
