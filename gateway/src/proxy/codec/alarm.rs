//! A timer that costs little to set anew.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::time::{Instant, Sleep, sleep_until};

/// Resolves at a moment that may be put off at each poll.
///
/// It is moved only when it has run out, so that who puts it off for each request pays for it once
/// in as long as it runs.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Resolves at `due` or later.
    pub(in crate::proxy) fn poll_at(
        &mut self,
        due: Instant,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(due)));
        loop {
            if due < sleep.deadline() {
                sleep.as_mut().reset(due);
            }
            ready!(sleep.as_mut().poll(context));
            if due <= Instant::now() {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_rings_when_it_is_due_however_often_that_is_moved() {
        let mut alarm = Alarm::default();
        let began = Instant::now();
        let mut context = Context::from_waker(std::task::Waker::noop());
        for seconds in [60, 90, 30] {
            let due = began + Duration::from_secs(seconds);
            assert!(alarm.poll_at(due, &mut context).is_pending());
        }
        for seconds in [45, 50] {
            let due = began + Duration::from_secs(seconds);
            poll_fn(|context| alarm.poll_at(due, context)).await;
            assert!(due <= Instant::now() && Instant::now() < due + Duration::from_secs(1));
        }
    }
}
