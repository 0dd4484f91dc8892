use std::future::ready;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use sea_orm::DbErr;
use tokio::sync::oneshot;

use super::*;
use crate::entity::user_id::UserId;
use crate::identity::Identity;
use crate::session::changes::Change;
use crate::session::record::SessionRecord;
use crate::session::record::tests::EXPRESS;
use crate::session::resolve::Live;
use crate::session::user_key::UserKey;

const MINUTE: Duration = Duration::from_mins(1);
const VALUE: &[u8] = b"s%3Aid.signature";

fn now() -> DateTime<Utc> {
    "2026-12-16T00:00:00Z".parse().unwrap()
}

fn id(text: &str) -> SessionId {
    SessionId::signed(text).unwrap()
}

fn ada() -> Owner {
    let identity = Identity { id: UserId::Number(7), email: "ada@b.c".to_owned(), name: None };
    Owner::Known(identity)
}

/// A session that ends a second from now.
fn session_of(id: &SessionId, owner: Owner) -> StoredSession {
    let record = SessionRecord::read(r#"{"cookie":{}}"#.to_owned(), &UserKey::Email).unwrap();
    let expires = Some(now() + TimeDelta::seconds(1));
    StoredSession::new(id.clone(), Live { record, expires, updated: None }, owner)
}

/// A cache, and a table with one session in it.
struct Site {
    changes: Changes,
    cache: Arc<SessionCache>,
    /// Where the clock stands that tells who vouches.
    at: Instant,
    reads: Arc<AtomicUsize>,
}

impl Site {
    /// One that nobody vouches for.
    fn unheard(max_stale: Duration) -> Self {
        let changes = Changes::new();
        let settings = CacheSettings { size: CacheSettings::LEAST, max_stale, max_age: 2 * MINUTE };
        let cache = SessionCache::new(settings, &changes).unwrap();
        Self { changes, cache, at: Instant::now(), reads: Arc::default() }
    }

    fn new() -> Self {
        let site = Self::unheard(Duration::ZERO);
        site.changes.vouch_until(site.at + MINUTE);
        site
    }

    fn presented<'a>(&self, id: &'a SessionId, value: &'a [u8]) -> Presented<'a> {
        Presented { id, value: Some(value), now: now(), at: self.at }
    }

    /// Whether there is a session, by a visit that reads `row` where it must.
    async fn visit(&self, value: &[u8], row: Option<StoredSession>) -> bool {
        self.visit_as(&id("id"), value, row).await
    }

    async fn visit_as(&self, id: &SessionId, value: &[u8], row: Option<StoredSession>) -> bool {
        let reads = self.reads.clone();
        let read = async move {
            reads.fetch_add(1, Ordering::Relaxed);
            Ok(row)
        };
        self.cache.load(self.presented(id, value), read).await.unwrap().is_some()
    }

    async fn read(&self, value: &[u8], owner: Owner) {
        assert!(self.visit(value, Some(session_of(&id("id"), owner))).await);
    }

    fn finds(&self, value: &[u8]) -> bool {
        self.cache.find(value, now(), self.at).is_some()
    }

    fn tell(&self, id: &SessionId) {
        self.changes.tell(&Change::Session(SessionDigest::of(id)));
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }
}

/// Whether a session of account 7 is found after `change`.
async fn is_found_after(owner: Owner, change: Change) -> bool {
    let site = Site::new();
    site.read(VALUE, owner).await;
    assert!(site.finds(VALUE));
    site.changes.tell(&change);
    site.finds(VALUE)
}

#[tokio::test]
async fn a_session_is_found_until_somebody_tells_of_it_its_account_or_everything() {
    let (its, other) = (SessionDigest::of(&id("id")), SessionDigest::of(&id("other")));
    assert!(!is_found_after(ada(), Change::Session(its)).await);
    assert!(!is_found_after(ada(), Change::Account("7".into())).await);
    assert!(!is_found_after(ada(), Change::Everything).await);
    assert!(is_found_after(ada(), Change::Session(other)).await);
    assert!(is_found_after(ada(), Change::Account("8".into())).await);
    assert!(is_found_after(Owner::Nobody, Change::Account("7".into())).await);
}

#[tokio::test]
async fn a_session_is_found_by_the_value_that_led_to_it_and_no_other() {
    let site = Site::new();
    site.read(VALUE, ada()).await;
    for other in [&VALUE[1..], &VALUE[..VALUE.len() - 1], b"s:id.signature", b""] {
        assert!(!site.finds(other));
    }
    assert!(site.finds(VALUE));
}

#[tokio::test]
async fn every_spelling_of_a_cookie_is_forgotten_at_once() {
    let site = Site::new();
    site.read(VALUE, ada()).await;
    site.read(b"s:id.signature", ada()).await;
    assert!(site.finds(VALUE) && site.finds(b"s:id.signature"));
    site.tell(&id("id"));
    assert!(!site.finds(VALUE) && !site.finds(b"s:id.signature"));
}

#[tokio::test]
async fn a_session_is_found_until_the_millisecond_of_its_end() {
    let site = Site::new();
    site.read(VALUE, ada()).await;
    let found = |ms| site.cache.find(VALUE, now() + TimeDelta::milliseconds(ms), site.at).is_some();
    assert!(found(999));
    assert!(!found(1000));
}

#[tokio::test]
async fn whose_account_is_gone_or_not_read_is_not_kept() {
    for owner in [Owner::Gone, Owner::Unread] {
        let site = Site::new();
        site.read(VALUE, owner).await;
        assert!(!site.finds(VALUE));
    }
}

#[tokio::test]
async fn one_of_several_cookies_is_not_kept() {
    let site = Site::new();
    let id = id("id");
    let presented = Presented { value: None, ..site.presented(&id, VALUE) };
    let read = ready(Ok(Some(session_of(&id, ada()))));
    assert!(site.cache.load(presented, read).await.unwrap().is_some());
    assert_eq!(site.cache.stats().entries, 0);
}

#[tokio::test]
async fn while_nobody_vouches_the_database_is_asked() {
    let mut site = Site::unheard(Duration::ZERO);
    site.read(VALUE, ada()).await;
    assert!(!site.finds(VALUE));
    site.changes.vouch_until(site.at + MINUTE);
    assert!(!site.finds(VALUE), "what was read before is not kept");
    site.read(VALUE, ada()).await;
    site.at += MINUTE;
    assert!(!site.finds(VALUE));
    site.changes.vouch_until(site.at + MINUTE);
    assert!(site.finds(VALUE));
}

#[tokio::test]
async fn while_nobody_vouches_a_session_is_as_old_as_the_setting_allows() {
    let mut site = Site::unheard(Duration::from_secs(5));
    site.read(VALUE, ada()).await;
    site.at += Duration::from_millis(4999);
    assert!(site.finds(VALUE));
    site.at += Duration::from_millis(1);
    assert!(!site.finds(VALUE));
    site.read(VALUE, ada()).await;
    assert!(site.finds(VALUE));
    site.tell(&id("id"));
    assert!(!site.finds(VALUE), "what is told counts all the same");
}

#[tokio::test]
async fn whoever_vouches_a_session_is_read_again_in_time() {
    let mut site = Site::new();
    site.changes.vouch_until(site.at + 10 * MINUTE);
    site.read(VALUE, ada()).await;
    site.at += MINUTE;
    assert!(site.finds(VALUE));
    site.at += MINUTE;
    assert!(!site.finds(VALUE));
    site.read(VALUE, ada()).await;
    assert!(site.finds(VALUE));
}

/// A load that waits for its row, and what gives it.
fn slow(
    site: &Site,
    value: &'static [u8],
) -> (oneshot::Sender<()>, impl Future<Output = bool> + use<>) {
    let (answer, answered) = oneshot::channel();
    let (cache, at, reads) = (site.cache.clone(), site.at, site.reads.clone());
    let loading = async move {
        let id = id("id");
        let row = session_of(&id, ada());
        let read = async move {
            reads.fetch_add(1, Ordering::Relaxed);
            answered.await.unwrap();
            Ok(Some(row))
        };
        let presented = Presented { id: &id, value: Some(value), now: now(), at };
        cache.load(presented, read).await.unwrap().is_some()
    };
    (answer, loading)
}

#[tokio::test]
async fn those_who_ask_at_once_are_answered_by_one_question() {
    let site = Site::new();
    let (answer, first) = slow(&site, VALUE);
    let first = tokio::spawn(first);
    tokio::task::yield_now().await;
    let others = [slow(&site, VALUE).1, slow(&site, b"s:id.signature").1].map(tokio::spawn);
    tokio::task::yield_now().await;
    first.abort(); // Whoever asked first may go.
    assert!(first.await.is_err());
    answer.send(()).unwrap();
    for other in others {
        assert!(other.await.unwrap());
    }
    assert_eq!(site.reads(), 1);
    assert!(site.finds(VALUE));
    let stats = site.cache.stats();
    assert_eq!((stats.misses, stats.coalesced, stats.hits), (1, 2, 1));
}

#[tokio::test]
async fn a_load_that_everybody_gave_up_is_begun_anew() {
    let site = Site::new();
    let (answer, first) = slow(&site, VALUE);
    let first = tokio::spawn(first);
    tokio::task::yield_now().await;
    first.abort();
    assert!(first.await.is_err());
    assert!(answer.send(()).is_err(), "nobody waits");
    site.read(VALUE, ada()).await;
    assert_eq!(site.reads(), 2);
}

/// What is told while a session is read.
async fn check_race(change: Change) {
    let site = Site::new();
    let (answer_first, first) = slow(&site, VALUE);
    let first = tokio::spawn(first);
    tokio::task::yield_now().await;
    site.changes.tell(&change);
    assert!(!site.visit(VALUE, None).await, "who asks later gets what is so later: {change:?}");
    assert_eq!(site.reads(), 2);
    answer_first.send(()).unwrap();
    assert!(first.await.unwrap(), "who asked before gets what was so before");
    assert!(!site.finds(VALUE), "and that is not kept: {change:?}");
}

#[tokio::test]
async fn what_began_to_be_read_before_a_change_is_given_to_nobody_after_it() {
    check_race(Change::Session(SessionDigest::of(&id("id")))).await;
    check_race(Change::Account("7".into())).await;
    check_race(Change::Account("8".into())).await;
    check_race(Change::Everything).await;
}

#[tokio::test]
async fn a_failure_is_told_to_all_who_waited_and_not_kept() {
    let site = Site::new();
    let (fail, failed) = oneshot::channel::<()>();
    let fails = || Err(DbErr::Custom("no".to_owned()).into());
    let (one, read) = (id("id"), async move {
        failed.await.unwrap();
        fails()
    });
    let first = site.cache.load(site.presented(&one, VALUE), read);
    let second = site.cache.load(site.presented(&one, VALUE), ready(fails()));
    let (first, second, ()) = tokio::join!(first, second, async { fail.send(()).unwrap() });
    assert!(first.is_err() && second.is_err());
    assert_eq!(site.cache.stats().coalesced, 1);
    site.read(VALUE, ada()).await;
}

#[tokio::test]
async fn an_id_without_a_row_is_asked_for_once_a_second() {
    let mut site = Site::new();
    for _ in 0..3 {
        assert!(!site.visit(VALUE, None).await);
    }
    assert!(!site.visit(b"s:id.signature", None).await);
    assert_eq!(site.reads(), 1);
    site.at += MISSING_FOR;
    assert!(!site.visit(VALUE, None).await);
    assert_eq!(site.reads(), 2);
}

#[tokio::test]
async fn a_row_that_appears_is_seen_as_soon_as_it_is_told_of() {
    let site = Site::new();
    assert!(!site.visit(VALUE, None).await);
    site.tell(&id("id"));
    site.read(VALUE, ada()).await;
}

#[tokio::test]
async fn while_nobody_vouches_no_id_is_taken_to_be_without_a_row() {
    let site = Site::unheard(MINUTE);
    assert!(!site.visit(VALUE, None).await);
    site.read(VALUE, ada()).await;
}

#[tokio::test]
async fn a_flood_of_old_cookies_pushes_no_session_out() {
    let site = Site::new();
    site.read(VALUE, ada()).await;
    for number in 0..10_000 {
        let old = id(&format!("old-{number}"));
        assert!(!site.visit_as(&old, old.as_str().as_bytes(), None).await);
    }
    assert!(site.finds(VALUE));
    let stats = site.cache.stats();
    assert_eq!((stats.entries, stats.evictions), (1, 0));
    assert!(stats.bytes <= CacheSettings::LEAST / 32);
}

#[tokio::test]
async fn it_is_bounded_in_bytes_and_keeps_what_is_used() {
    let site = Site::new();
    site.read(VALUE, ada()).await;
    for number in 0..5_000 {
        assert!(site.finds(VALUE));
        let other = id(&format!("other-{number}"));
        let row = Some(session_of(&other, ada()));
        assert!(site.visit_as(&other, other.as_str().as_bytes(), row).await);
    }
    let stats = site.cache.stats();
    assert!(stats.bytes <= CacheSettings::LEAST, "{stats:?}");
    assert!(stats.bytes > CacheSettings::LEAST * 9 / 10, "{stats:?}");
    assert_eq!(stats.entries as u64 + stats.evictions, 5_001);
    assert!(site.finds(VALUE));
}

/// As Express writes it.
fn session_of_express(id: &SessionId) -> StoredSession {
    let record = SessionRecord::read(EXPRESS.to_owned(), &UserKey::Email).unwrap();
    StoredSession::new(id.clone(), Live { record, expires: None, updated: None }, ada())
}

#[test]
fn it_takes_no_more_memory_than_it_says() {
    let (mut site, mut stats) = (None, None);
    let measured = allocation_counter::measure(|| {
        let site = site.insert(Site::new());
        for _ in 0..5_000 {
            let id = SessionId::generate().unwrap();
            let value =
                format!("s%3A{}.hOzZxel5kSoqgDzzRaBJtHbAcQqxnxaQXHr2ejP%2BQSc", id.as_str());
            let row = Some(session_of_express(&id));
            assert!(site.visit_as(&id, value.as_bytes(), row).now_or_never().unwrap());
        }
        stats = Some(site.cache.stats());
    });
    let (bytes, most) = (stats.unwrap().bytes, CacheSettings::LEAST);
    assert!(u64::try_from(measured.bytes_current).unwrap() <= bytes, "{measured:?} {stats:?}");
    assert!((most * 9 / 10..=most).contains(&bytes), "{stats:?}");
}

#[tokio::test]
async fn what_is_over_takes_no_room_once_it_is_asked_for() {
    let site = Site::new();
    site.read(VALUE, ada()).await;
    site.tell(&id("id"));
    assert!(!site.finds(VALUE));
    assert_eq!(site.cache.stats().entries, 0);
}

#[test]
fn a_cache_of_no_bytes_is_none() {
    let settings = CacheSettings { size: 0, max_stale: MINUTE, ..CacheSettings::default() };
    assert!(SessionCache::new(settings, &Changes::new()).is_none());
}
