//! What Next.js is doing in `dev`, for whoever waits for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use crate::next::last_lines::LastLines;

/// How long a page is waited for before it is asked whether Next.js answers at all.
const PATIENCE: Duration = Duration::from_secs(5);

/// What Next.js is doing, in the words that a developer is told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Situation {
    /// What it depends on is being installed, by this command.
    Installing(String),
    /// It does not answer yet.
    #[default]
    Starting,
    /// The same after it `ended` by itself, for that reason.
    StartingAgain {
        /// Why, such as `exit code 1`.
        ended: String,
    },
    /// It answers.
    Ready,
    /// It ended by itself and rests before its next start.
    Ended(String),
    /// It lives, and does not answer any more.
    Hung,
}

/// What Next.js is doing and what it said last. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct DevNews(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    situation: watch::Sender<Situation>,
    lines: LastLines,
    doubt: Notify,
}

impl DevNews {
    /// Tells that it is doing something else now.
    pub fn tell(&self, situation: Situation) {
        self.0.situation.send_replace(situation);
    }

    /// What it is doing.
    pub fn situation(&self) -> Situation {
        self.0.situation.borrow().clone()
    }

    /// What it said last; while it starts again that tells why it ended.
    pub fn said(&self) -> Vec<String> {
        match &*self.0.situation.borrow() {
            Situation::StartingAgain { .. } => self.0.lines.with_earlier(),
            _ => self.0.lines.to_vec(),
        }
    }

    /// Where what it says is kept.
    pub(crate) fn lines(&self) -> &LastLines {
        &self.0.lines
    }

    /// Waits until it is sure that Next.js does not answer: it has not begun to, has ended, or was
    /// silent before. Whom it leaves waiting from now on waits for as long as it takes, since a page at
    /// a breakpoint that was given up would be asked for again, and stop there again.
    ///
    /// Nothing is asked of Next.js while nobody has waited for long.
    pub async fn until_absent(&self) {
        let mut situation = self.0.situation.subscribe();
        if *situation.borrow_and_update() == Situation::Hung {
            return;
        }
        while matches!(*situation.borrow_and_update(), Situation::Ready | Situation::Hung) {
            tokio::select! {
                _ = situation.changed() => {} // The sender lives as long as `self`.
                () = sleep(PATIENCE) => self.0.doubt.notify_one(),
            }
        }
    }

    /// Waits, behind a connection that was lost, until it is known whether Next.js ended; not for long.
    pub async fn settle(&self) {
        const DEATH_NOTICE: Duration = Duration::from_millis(500);
        let _is_absent = timeout(DEATH_NOTICE, self.until_absent()).await;
    }

    /// Waits until somebody has waited for so long that it is worth asking.
    pub(crate) async fn doubted(&self) {
        self.0.doubt.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_that_answers_is_waited_for_and_doubted_after_a_while() {
        let news = DevNews::default();
        news.until_absent().await; // It is starting.
        news.tell(Situation::Ready);
        let began = Instant::now();
        tokio::select! {
            () = news.until_absent() => panic!("it is there"),
            () = news.doubted() => assert_eq!(began.elapsed(), PATIENCE),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_at_a_breakpoint_is_not_sent_there_again() {
        let news = DevNews::default();
        news.tell(Situation::Ready);
        let mut waits = pin!(news.until_absent());
        assert!(timeout(PATIENCE, &mut waits).await.is_err());
        news.tell(Situation::Hung);
        assert!(timeout(PATIENCE, &mut waits).await.is_err());
        news.until_absent().await; // Who comes now learns it at once.
        news.tell(Situation::Ended("exit code 1".to_owned()));
        waits.await;
    }
}
