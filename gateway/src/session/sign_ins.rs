//! Sign-ins under way, and what becomes of the ids that were presented to them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use http::header::USER_AGENT;
use http::{HeaderMap, HeaderValue};
use tokio::sync::watch;
use tokio::time::timeout;

use super::id::SessionId;

/// Longest wait of a request for a sign-in that its own session id was presented to.
const PATIENCE: Duration = Duration::from_secs(2);

/// The sign-ins of this process by the session ids that their requests presented.
///
/// A browser that leaves a page while its form is sent asks for the next page before the answer to
/// the sign-in: that request waits. Where the browser has dropped the answer, and with it the new
/// cookie, `--login-handover` lets the old id lead to the new session, once, for a short time, and
/// for the same browser only.
#[derive(Debug, Clone)]
pub(super) struct SignIns {
    state: Arc<watch::Sender<State>>,
    handover: TimeDelta,
}

#[derive(Debug, Default)]
struct State {
    under_way: HashMap<SessionId, usize>,
    handovers: HashMap<SessionId, Handover>,
}

#[derive(Debug)]
struct Handover {
    to: SessionId,
    browser: Browser,
    until: DateTime<Utc>,
}

/// What a browser is known by while a session is handed over to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Browser {
    address: IpAddr,
    user_agent: Option<HeaderValue>,
}

impl Browser {
    pub(crate) fn of(headers: &HeaderMap, address: IpAddr) -> Self {
        Self { address, user_agent: headers.get(USER_AGENT).cloned() }
    }
}

impl SignIns {
    /// Hands sessions over for the time of `handover`; zero is never.
    pub(super) fn new(handover: Duration) -> Self {
        let handover = TimeDelta::from_std(handover).unwrap_or(TimeDelta::MAX);
        Self { state: Arc::default(), handover }
    }

    /// Notes a sign-in that `presented` ids came with; it is under way until the guard is gone.
    pub(super) fn begin(&self, presented: &[SessionId]) -> SignIn {
        if !presented.is_empty() {
            self.state.send_modify(|state| state.begin(presented));
        }
        SignIn { sign_ins: self.clone(), presented: presented.to_vec() }
    }

    /// Waits, for two seconds at most, until no sign-in of a `presented` id is under way.
    pub(super) async fn settled(&self, presented: &[SessionId]) {
        let is_settled = |state: &State| presented.iter().all(|id| state.is_settled(id));
        if is_settled(&self.state.borrow()) {
            return;
        }
        let mut state = self.state.subscribe();
        // The sender lives in `self`; and whoever waited in vain goes on as if there were none.
        drop(timeout(PATIENCE, state.wait_for(is_settled)).await);
    }

    /// Whether no sign-in of an id is under way.
    pub(super) fn is_settled(&self, id: &SessionId) -> bool {
        self.state.borrow().is_settled(id)
    }

    /// The session that one of `presented` leads to for this browser: once, unless it was of no
    /// use.
    pub(super) fn take(
        &self,
        presented: &[SessionId],
        browser: impl FnOnce() -> Browser,
        now: DateTime<Utc>,
    ) -> Option<HandedOver> {
        if self.state.borrow().handovers.is_empty() {
            return None;
        }
        let (mut taken, browser) = (None, browser());
        self.state.send_if_modified(|state| {
            taken = presented.iter().find_map(|id| state.take(id, &browser, now));
            false // Nobody waits for this.
        });
        let (from, handover) = taken?;
        let to = handover.to.clone();
        Some(HandedOver { sign_ins: self.clone(), from, to, left: Mutex::new(Some(handover)) })
    }
}

impl State {
    fn is_settled(&self, id: &SessionId) -> bool {
        self.under_way.is_empty() || !self.under_way.contains_key(id)
    }

    fn begin(&mut self, presented: &[SessionId]) {
        for id in presented {
            *self.under_way.entry(id.clone()).or_default() += 1;
        }
    }

    fn end(&mut self, presented: &[SessionId]) {
        for id in presented {
            if let Some(count) = self.under_way.get_mut(id) {
                *count -= 1;
                if *count == 0 {
                    self.under_way.remove(id);
                }
            }
        }
    }

    fn take(
        &mut self,
        id: &SessionId,
        browser: &Browser,
        now: DateTime<Utc>,
    ) -> Option<(SessionId, Handover)> {
        let is_theirs = |handover: &Handover| handover.browser == *browser && now < handover.until;
        if !self.handovers.get(id).is_some_and(is_theirs) {
            return None;
        }
        self.handovers.remove_entry(id)
    }
}

/// A session that an old id led to.
///
/// Where the request's answer does not bring the browser the new cookie, the old id leads there
/// once more.
#[derive(Debug)]
pub(super) struct HandedOver {
    sign_ins: SignIns,
    from: SessionId,
    pub(super) to: SessionId,
    left: Mutex<Option<Handover>>,
}

impl HandedOver {
    /// The browser is sent the new cookie.
    pub(super) fn use_up(&self) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Drop for HandedOver {
    fn drop(&mut self) {
        let left = self.left.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(left) = left {
            self.sign_ins.state.send_if_modified(|state| {
                state.handovers.insert(self.from.clone(), left);
                false
            });
        }
    }
}

/// A sign-in under way.
#[derive(Debug)]
pub(crate) struct SignIn {
    sign_ins: SignIns,
    presented: Vec<SessionId>,
}

impl SignIn {
    /// From now on the presented ids lead to the session `to`, whose row is committed.
    pub(crate) fn hand_over(&self, to: &SessionId, browser: &Browser, now: DateTime<Utc>) {
        let SignIns { state, handover } = &self.sign_ins;
        if handover.is_zero() {
            return;
        }
        state.send_modify(|state| {
            state.handovers.retain(|_, handover| now < handover.until);
            for id in &self.presented {
                let (to, browser) = (to.clone(), browser.clone());
                let handover = Handover { to, browser, until: now + *handover };
                state.handovers.insert(id.clone(), handover);
            }
        });
    }
}

impl Drop for SignIn {
    fn drop(&mut self) {
        if !self.presented.is_empty() {
            self.sign_ins.state.send_modify(|state| state.end(&self.presented));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-12-16T00:00:00Z".parse().unwrap()
    }

    fn browser() -> Browser {
        let user_agent = Some(HeaderValue::from_static("Firefox"));
        Browser { address: "10.0.0.1".parse().unwrap(), user_agent }
    }

    /// A sign-in that presented the first id, done, and what it began.
    fn done(handover_secs: u64) -> (SignIns, [SessionId; 1], SessionId) {
        let sign_ins = SignIns::new(Duration::from_secs(handover_secs));
        let (old, new) = ([SessionId::generate().unwrap()], SessionId::generate().unwrap());
        sign_ins.begin(&old).hand_over(&new, &browser(), now());
        (sign_ins, old, new)
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_waits_for_the_sign_in_of_its_session_and_for_no_other() {
        let sign_ins = SignIns::new(Duration::ZERO);
        let ids = [SessionId::generate().unwrap()];
        let (first, second) = (sign_ins.begin(&ids), sign_ins.begin(&ids));
        let began = Instant::now();
        sign_ins.settled(&[SessionId::generate().unwrap()]).await;
        sign_ins.settled(&[]).await;
        assert_eq!(began.elapsed(), Duration::ZERO);
        let ends = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            drop(first);
            tokio::time::sleep(Duration::from_millis(300)).await;
            drop(second);
        };
        tokio::join!(sign_ins.settled(&ids), ends);
        assert_eq!(began.elapsed(), Duration::from_millis(600));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_two_seconds() {
        let sign_ins = SignIns::new(Duration::ZERO);
        let ids = [SessionId::generate().unwrap()];
        let _under_way = sign_ins.begin(&ids);
        let began = Instant::now();
        sign_ins.settled(&ids).await;
        assert_eq!(began.elapsed(), PATIENCE);
    }

    fn take(sign_ins: &SignIns, old: &[SessionId], browser: Browser) -> Option<HandedOver> {
        sign_ins.take(old, || browser, now())
    }

    #[test]
    fn an_old_id_leads_to_the_new_session_once() {
        let (sign_ins, old, new) = done(10);
        let taken = take(&sign_ins, &old, browser()).unwrap();
        assert_eq!(taken.to, new);
        assert!(take(&sign_ins, &old, browser()).is_none());
        taken.use_up();
        drop(taken);
        assert!(take(&sign_ins, &old, browser()).is_none());
    }

    #[test]
    fn it_leads_there_once_more_where_the_new_cookie_was_not_sent() {
        let (sign_ins, old, new) = done(10);
        drop(take(&sign_ins, &old, browser()).unwrap());
        assert_eq!(take(&sign_ins, &old, browser()).unwrap().to, new);
    }

    #[test]
    fn another_browser_does_not_get_it_and_does_not_use_it_up() {
        let (sign_ins, old, _) = done(10);
        let elsewhere = Browser { address: "10.0.0.2".parse().unwrap(), ..browser() };
        assert!(take(&sign_ins, &old, elsewhere).is_none());
        assert!(take(&sign_ins, &old, Browser { user_agent: None, ..browser() }).is_none());
        assert!(take(&sign_ins, &old, browser()).is_some());
    }

    #[test]
    fn it_is_over_after_its_time_and_never_begins_without_one() {
        let (sign_ins, old, _) = done(10);
        assert!(sign_ins.take(&old, browser, now() + TimeDelta::seconds(10)).is_none());
        let (sign_ins, old, _) = done(0);
        assert!(take(&sign_ins, &old, browser()).is_none());
    }
}
