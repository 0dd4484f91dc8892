use http::header::{ETAG, HeaderValue};

use super::*;

const MIB: u64 = 1 << 20;
const UNASKED: Duration = Duration::from_secs(10);

fn files(size: u64) -> Arc<StaticFiles> {
    StaticFiles::new(StaticFilesSettings { size, unasked: UNASKED }).unwrap()
}

fn name(target: &str) -> Name<&str> {
    Name { host: "a.example", target, is_https: false, codings: Codings::default() }
}

fn keep(files: &Arc<StaticFiles>, target: &str, length: usize, at: Moment) {
    let (etag, body) = (HeaderValue::from_static("\"a\""), Bytes::from(vec![b'x'; length]));
    let headers = HeaderMap::from_iter([(ETAG, etag.clone())]);
    let file = Some(Arc::new(File::new(headers, etag, body)));
    files.begin(name(target).to_owned(), None).unwrap().keep(Entry { file, at });
}

fn has(files: &StaticFiles, target: &str, at: Moment) -> bool {
    matches!(files.find(&name(target), at), Found::File { .. })
}

#[track_caller]
fn check(secs: u64, losses: u64, expected: &str) {
    let (files, now) = (files(MIB), Instant::now());
    keep(&files, "/a", 9, Moment { losses: 5, now });
    let found = files.find(&name("/a"), Moment { losses, now: now + Duration::from_secs(secs) });
    let found = match found {
        Found::File { is_due: false, .. } => "fresh",
        Found::File { is_due: true, .. } => "due",
        Found::Unknown(Some(_)) => "unsure",
        Found::Unknown(None) | Found::Refused => "unknown",
    };
    assert_eq!(found, expected, "after {secs} s and {losses} losses");
}

#[test]
fn a_file_is_given_away_while_its_upstream_stands_by_it() {
    check(0, 5, "fresh");
    check(4, 5, "fresh");
    check(5, 5, "due");
    check(9, 5, "due");
    check(10, 5, "unsure");
    check(0, 6, "unsure");
}

#[test]
fn a_file_is_found_by_all_of_its_name() {
    let (files, at) = (files(MIB), Moment { losses: 0, now: Instant::now() });
    keep(&files, "/a", 9, at);
    assert!(has(&files, "/a", at));
    let gzip = Codings::accepted(&HeaderValue::from_static("gzip")).unwrap();
    for other in [
        Name { host: "b.example", ..name("/a") },
        Name { target: "/b", ..name("/a") },
        Name { is_https: true, ..name("/a") },
        Name { codings: gzip, ..name("/a") },
    ] {
        assert!(matches!(files.find(&other, at), Found::Unknown(None)), "{other:?}");
    }
}

#[test]
fn memory_is_bounded_and_the_largest_file_has_room() {
    let (files, at) = (files(16 * MIB), Moment { losses: 0, now: Instant::now() });
    for number in 0..100 {
        let target = format!("/{number}");
        keep(&files, &target, files.largest, at);
        assert!(has(&files, &target, at), "{target}");
        assert!(files.stats().bytes <= 16 * MIB);
    }
    assert!(files.stats().files >= 8, "{:?}", files.stats());
}

#[test]
fn a_flood_of_names_pushes_out_no_file_that_is_in_use() {
    let (files, at) = (files(16 * MIB), Moment { losses: 0, now: Instant::now() });
    for number in 0..20_000 {
        if number % 1000 == 0 {
            for used in ["/used", "/too"] {
                if number == 0 {
                    keep(&files, used, 1 << 16, at);
                }
                assert!(has(&files, used, at), "{used} is gone after {number}");
            }
        }
        keep(&files, &format!("/{number}"), 1 << 16, at);
    }
}

#[test]
fn what_is_being_asked_for_is_not_asked_for_again() {
    let files = files(MIB);
    let first = files.begin(name("/a").to_owned(), None).unwrap();
    assert!(files.begin(name("/a").to_owned(), None).is_none());
    drop(first);
    let several = (0..20).map(|number| files.begin(name(&format!("/{number}")).to_owned(), None));
    let several: Vec<_> = several.collect();
    assert_eq!(several.iter().flatten().count(), MOST_QUESTIONS);
    drop(several);
    assert!(files.begin(name("/a").to_owned(), None).is_some());
}
