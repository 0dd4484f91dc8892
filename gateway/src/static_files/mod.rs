//! Built files of Next.js that were asked for lately, so that Next.js is not asked for each.
//!
//! What is kept is what the gateway itself was told when it asked as a guest: without cookies, without
//! any other field of a client's but the codings that it accepts, and by the path, host and scheme that
//! the file is then found by. So nobody can put anything in for others, and nothing is in that is for
//! somebody. A client's own request never fills it; it only shows that a file is worth asking for.
//!
//! A file is given away while the upstream has vouched for it within
//! [`StaticFilesSettings::unasked`], and was not lost since ([`Upstream::losses`]). Then the gateway
//! asks whether it is still what it was; if one is not, there is another build, and all are dropped.

pub mod asked;
pub mod codings;
pub mod file;
pub mod rules;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use foldhash::fast::RandomState;
use http::header::{DATE, HeaderMap};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{Equivalent, OptionsBuilder, Weighter};
use tokio::time::timeout;

use self::codings::Codings;
use self::file::File;
use self::rules::{confirms, keepable};
use crate::proxy::body::UpstreamBody;
use crate::proxy::own_fields::OwnFields;
use crate::proxy::request_body::RequestBody;
use crate::proxy::response::remove_inner;
use crate::proxy::upstream::Upstream;

/// Largest file that is kept, in bytes, where there is room for sixteen.
const LARGEST_FILE: u64 = 1 << 20;

/// How many files are asked for at once; so many may be in memory beside those that are kept.
const MOST_QUESTIONS: usize = 8;

/// Longest time that one of them takes.
const QUESTION_LIMIT: Duration = Duration::from_secs(10);

/// Parts that are locked apart. Each has a share of the memory, in which the largest file has room.
const SHARDS: usize = 4;

/// Bytes of what finds a file, and of room that is not used.
const AROUND_BYTES: usize = 256;

/// About what a built file takes, compressed.
const USUAL_BYTES: u64 = 16 * 1024;

/// How much is kept, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StaticFilesSettings {
    /// `--static-cache-size`: bytes; zero keeps nothing.
    pub size: u64,
    /// Longest time that a file is given away without asking the upstream.
    pub unasked: Duration,
}

impl StaticFilesSettings {
    /// Smallest memory that there is, in bytes.
    pub const LEAST: u64 = 1 << 20;
}

/// What a file is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name<T> {
    /// The site's, as the browser wrote it.
    pub host: T,
    /// The path and its query.
    pub target: T,
    /// Whether the browser speaks TLS.
    pub is_https: bool,
    /// What it may be coded in.
    pub codings: Codings,
}

impl Name<&str> {
    /// The same, to keep.
    pub fn to_owned(self) -> Name<Box<str>> {
        let Self { host, target, is_https, codings } = self;
        Name { host: host.into(), target: target.into(), is_https, codings }
    }
}

impl Name<Box<str>> {
    /// The same, to find by.
    pub fn as_str(&self) -> Name<&str> {
        let Self { host, target, is_https, codings } = self;
        Name { host, target, is_https: *is_https, codings: *codings }
    }
}

impl Equivalent<Name<Box<str>>> for Name<&str> {
    fn equivalent(&self, key: &Name<Box<str>>) -> bool {
        self.target == &*key.target
            && self.host == &*key.host
            && (self.is_https, self.codings) == (key.is_https, key.codings)
    }
}

/// What the upstream said, and when.
#[derive(Debug, Clone)]
struct Entry {
    /// `None` where it gives a guest nothing to keep.
    file: Option<Arc<File>>,
    at: Moment,
}

/// When an upstream was asked.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// How often it had been lost.
    pub losses: u64,
    /// The time.
    pub now: Instant,
}

/// What is known of a file.
#[derive(Debug)]
pub enum Found {
    /// The upstream vouches for it.
    File {
        /// To be given away.
        file: Arc<File>,
        /// How long ago it did.
        age: Duration,
        /// Whether it should be asked again, so that nobody ever has to wait for that.
        is_due: bool,
    },
    /// It was asked lately, and gives guests nothing to keep.
    Refused,
    /// It has to be asked: never was, or was too long ago.
    Unknown(Option<Arc<File>>),
}

/// How much is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StaticFilesStats {
    /// Files, in each coding.
    pub files: usize,
    /// Bytes that they take.
    pub bytes: u64,
}

/// The files of all upstreams, for all workers.
pub struct StaticFiles {
    entries: Cache<Name<Box<str>>, Entry, Weight, RandomState>,
    largest: usize,
    unasked: Duration,
    /// What is being asked for.
    questions: Mutex<Vec<Name<Box<str>>>>,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Name<Box<str>>, Entry> for Weight {
    fn weight(&self, name: &Name<Box<str>>, entry: &Entry) -> u64 {
        let file = entry.file.as_ref().map_or(0, |file| file.bytes());
        (name.host.len() + name.target.len() + file + AROUND_BYTES) as u64
    }
}

impl StaticFiles {
    /// `None` where nothing is to be kept.
    pub fn new(settings: StaticFilesSettings) -> Option<Arc<Self>> {
        let StaticFilesSettings { size, unasked } = settings;
        let usual = usize::try_from(size / USUAL_BYTES).unwrap_or(usize::MAX).max(32 * SHARDS);
        let mut options = OptionsBuilder::new();
        let options = options.shards(SHARDS).estimated_items_capacity(usual).weight_capacity(size);
        let options = options.build().ok().filter(|_| size > 0)?;
        let (hasher, lifecycle) = (RandomState::default(), DefaultLifecycle::default());
        Some(Arc::new(Self {
            entries: Cache::with_options(options, Weight, hasher, lifecycle),
            largest: usize::try_from((size / 16).min(LARGEST_FILE)).unwrap_or(usize::MAX),
            unasked,
            questions: Mutex::default(),
        }))
    }

    /// What is known at this moment of the file of that name.
    pub fn find(&self, name: &Name<&str>, at: Moment) -> Found {
        let Some(Entry { file, at: asked }) = self.entries.get(name) else {
            return Found::Unknown(None);
        };
        let age = at.now.saturating_duration_since(asked.now);
        match file {
            file if asked.losses != at.losses || age >= self.unasked => Found::Unknown(file),
            Some(file) => Found::File { file, age, is_due: age >= self.unasked / 2 },
            None => Found::Refused,
        }
    }

    /// Begins to ask for a file, of which perhaps one is `known`; `None` where that is being done, or
    /// too much is.
    pub fn begin(
        self: &Arc<Self>,
        name: Name<Box<str>>,
        known: Option<Arc<File>>,
    ) -> Option<Question> {
        let mut questions = self.questions();
        if questions.len() >= MOST_QUESTIONS || questions.contains(&name) {
            return None;
        }
        questions.push(name.clone());
        drop(questions);
        Some(Question { files: self.clone(), name, known })
    }

    /// How much is in it.
    pub fn stats(&self) -> StaticFilesStats {
        StaticFilesStats { files: self.entries.len(), bytes: self.entries.weight() }
    }

    fn questions(&self) -> MutexGuard<'_, Vec<Name<Box<str>>>> {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for StaticFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticFiles").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// A file that is being asked for.
#[derive(Debug)]
pub struct Question {
    files: Arc<StaticFiles>,
    name: Name<Box<str>>,
    known: Option<Arc<File>>,
}

impl Drop for Question {
    fn drop(&mut self) {
        self.files.questions().retain(|name| *name != self.name);
    }
}

impl Question {
    /// Sends `request`, a guest's, with the gateway's `own` fields, and keeps what comes of it. Whatever fails leaves everything as it
    /// is: clients go to the upstream themselves.
    pub async fn put(self, upstream: Arc<Upstream>, request: Request<RequestBody>, own: OwnFields) {
        let at = Moment { losses: upstream.losses(), now: Instant::now() };
        drop(timeout(QUESTION_LIMIT, self.ask(&upstream, (request, &own), at)).await);
    }

    async fn ask(
        &self,
        upstream: &Upstream,
        (request, own): (Request<RequestBody>, &OwnFields),
        at: Moment,
    ) {
        let Ok(response) = upstream.send(request, own).await else { return };
        let (mut head, body) = response.into_parts();
        remove_inner(&mut head.headers);
        let etag = keepable(head.status, &head.headers, self.name.codings).cloned();
        match (&self.known, etag) {
            (Some(known), _) if confirms(head.status, &head.headers, known.etag()) => {
                let file = known.confirmed(head.headers.get(DATE));
                self.keep(Entry { file: Some(Arc::new(file)), at });
            }
            (_, Some(etag)) => self.read(head.headers, etag, body, at).await,
            (_, None) if is_in_trouble(head.status) => {}
            (Some(_), None) => self.files.entries.clear(),
            (None, None) => self.keep(Entry { file: None, at }),
        }
    }

    async fn read(&self, headers: HeaderMap, etag: HeaderValue, body: UpstreamBody, at: Moment) {
        if self.known.as_ref().is_some_and(|known| *known.etag() != etag) {
            self.files.entries.clear(); // Another build.
        }
        let body = match Limited::new(body, self.files.largest).collect().await {
            Ok(body) => body,
            Err(error) if error.is::<LengthLimitError>() => {
                return self.keep(Entry { file: None, at });
            }
            Err(_) => return,
        };
        // A copy: what came may be a part of a larger buffer.
        let body = Bytes::copy_from_slice(&body.to_bytes());
        self.keep(Entry { file: Some(Arc::new(File::new(headers, etag, body))), at });
    }

    fn keep(&self, entry: Entry) {
        self.files.entries.insert(self.name.clone(), entry);
    }
}

/// Whether an answer tells how the upstream is, and nothing of its files.
fn is_in_trouble(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

#[cfg(test)]
mod tests;
