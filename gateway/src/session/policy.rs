//! What a site has chosen of express-session's options about rows and their times.

use std::time::Duration;

use clap::ValueEnum;

/// Whether visitors who never signed in have sessions (`saveUninitialized`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AnonymousSessions {
    /// None.
    ///
    /// No row and no cookie before a sign-in.
    Off,
    /// A row at the first visit.
    ///
    /// And a cookie, and a new id for one that is unknown.
    Save,
}

/// When a browser that has its cookie gets it again (`rolling`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Rolling {
    /// At sign-in only.
    ///
    /// The cookie dies on its day, however often it is used.
    Never,
    /// In the second half of its life.
    Half,
    /// At every visit.
    Always,
}

/// When a visit moves the end of a session's row (`touch`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch {
    /// Never: the row dies on its day (`disableTouch`).
    Never,
    /// When the row was last written this long ago; zero is every visit, assets included.
    Every(Duration),
}

impl Touch {
    /// Whether each visit is written down, so that an answer waits for it and assets count.
    pub(super) fn is_every_visit(self) -> bool {
        self == Self::Every(Duration::ZERO)
    }
}

/// What a sign-in does with the data of the session before it (`keepSessionInfo`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldData {
    /// It is gone with its session.
    Drop,
    /// The new session has it.
    Keep,
}

/// When rows are made and moved, and cookies sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionPolicy {
    /// `--anonymous-sessions`
    pub anonymous: AnonymousSessions,
    /// `--rolling`
    pub rolling: Rolling,
    /// `--touch-interval`
    pub touch: Touch,
    /// `--login-keeps-data`
    pub old_data: OldData,
}

impl Default for SessionPolicy {
    fn default() -> Self {
        Self {
            anonymous: AnonymousSessions::Off,
            rolling: Rolling::Half,
            touch: Touch::Every(Duration::from_mins(10)),
            old_data: OldData::Drop,
        }
    }
}
