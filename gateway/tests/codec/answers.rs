//! Answers, read by both.

use http::Method;
use nextbnb_gateway::proxy::codec::answer::read_answer;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::corpus::corpus;
use crate::differences::DIFFERENCES;
use crate::verdict::{Sent, Verdict};

/// Answers up to this long are cut at every byte.
const SHORT: usize = 400;

#[track_caller]
fn check(sent: &Sent) {
    let (codec, hyper) = (sent.by_codec(), sent.by_hyper());
    let is_known = || DIFFERENCES.iter().any(|difference| (difference.explains)(&codec, &hyper));
    let pieces: Vec<_> = sent.pieces.iter().map(|piece| String::from_utf8_lossy(piece)).collect();
    let Sent { method, ends, .. } = sent;
    assert!(
        codec == hyper || is_known(),
        "{method}, ends {ends}: {pieces:?}\ncodec: {codec:#?}\nhyper: {hyper:#?}"
    );
}

fn cut(answer: &[u8], at: usize) -> Vec<Vec<u8>> {
    let (first, second) = answer.split_at(at);
    vec![first.to_vec(), second.to_vec()]
}

/// Lines that came before are read in a way of their own.
#[test]
fn an_answer_that_came_before_is_what_it_was_wherever_it_is_cut() {
    const ANSWER: &[u8] =
        b"HTTP/1.1 200 OK\r\nA: 1\r\nSet-Cookie: a=b\r\nKeep-Alive: timeout=5\r\n\
        A: 1\r\nContent-Length: 2\r\n\r\nhi";
    let without_cookie = String::from_utf8_lossy(ANSWER).replace("Set-Cookie: a=b\r\n", "");
    for answer in [ANSWER, without_cookie.as_bytes()] {
        let read = |pieces: [&[u8]; 2]| {
            let read = read_answer(&Method::GET, pieces, false).unwrap().unwrap();
            (read.head.headers, read.body, read.is_reusable)
        };
        let first = read([answer, b""]);
        assert_eq!((&*first.1, first.2), (&b"hi"[..], true));
        for at in 0..answer.len() {
            let (begun, rest) = answer.split_at(at);
            assert_eq!(read([begun, rest]), first, "cut at {at}");
        }
    }
}

#[test]
fn an_answer_is_read_as_hyper_reads_it_wherever_it_is_cut() {
    let corpus = corpus();
    assert!(corpus.len() >= 150, "{}", corpus.len());
    for answer in &corpus {
        for method in [Method::GET, Method::HEAD] {
            for ends in [false, true] {
                let step = if answer.len() <= SHORT { 1 } else { answer.len() / 16 };
                for at in (0..answer.len()).step_by(step) {
                    let pieces = cut(answer, at);
                    check(&Sent { method: method.clone(), pieces, ends });
                }
                let pieces = answer.chunks(if answer.len() <= SHORT { 1 } else { 1000 });
                let pieces = pieces.map(<[u8]>::to_vec).collect();
                check(&Sent { method: method.clone(), pieces, ends });
            }
        }
    }
}

#[test]
fn an_answer_that_stops_anywhere_is_read_as_hyper_reads_it() {
    for answer in corpus().iter().filter(|answer| answer.len() <= SHORT) {
        for length in 0..answer.len() {
            for ends in [false, true] {
                let pieces = vec![answer[..length].to_vec()];
                check(&Sent { method: Method::GET, pieces, ends });
            }
        }
    }
}

#[test]
fn each_difference_to_hyper_is_there() {
    for difference in DIFFERENCES {
        let pieces = vec![(difference.example)()];
        let sent = Sent { method: Method::GET, pieces, ends: false };
        let (codec, hyper) = (sent.by_codec(), sent.by_hyper());
        assert_ne!(codec, hyper, "{}", difference.what);
        assert!((difference.explains)(&codec, &hyper), "{}: {codec:#?}", difference.what);
    }
}

#[test]
fn most_of_the_corpus_is_read_and_much_of_it_refused() {
    let sent =
        |answer: &Vec<u8>| Sent { method: Method::GET, pieces: vec![answer.clone()], ends: false };
    let verdicts: Vec<_> = corpus().iter().map(|answer| sent(answer).by_codec()).collect();
    let count = |is: fn(&Verdict) -> bool| verdicts.iter().filter(|verdict| is(verdict)).count();
    assert!(count(|verdict| matches!(verdict, Verdict::Refused { .. })) >= 40);
    assert!(count(|verdict| matches!(verdict, Verdict::Read(read) if read.is_reusable)) >= 40);
}

/// What breaks heads and bodies more often than any byte does.
const BREAKERS: [&[u8]; 28] = [
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\n\n",
    b" ",
    b"\t",
    b":",
    b",",
    b";",
    b"0",
    b"1",
    b"f",
    b"-",
    b"+",
    b"\0",
    b"\x7f",
    b"\xff",
    b"\"",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 6\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n",
    b"0\r\n\r\n",
    b"5\r\nhello\r\n",
    b"X: y\r\n",
];

#[derive(Debug, Clone)]
enum Change {
    Put(Index, &'static [u8]),
    Byte(Index, u8),
    Cut(Index),
    Drop(Index),
    Twice(Index, Index),
}

impl Change {
    fn of(&self, answer: &mut Vec<u8>) {
        if answer.is_empty() {
            return;
        }
        let length = answer.len();
        match self {
            Self::Put(at, bytes) => {
                let at = at.index(length);
                answer.splice(at..at, bytes.iter().copied());
            }
            Self::Byte(at, byte) => answer[at.index(length)] = *byte,
            Self::Cut(at) => answer.truncate(at.index(length)),
            Self::Drop(at) => drop(answer.remove(at.index(length))),
            Self::Twice(from, to) => {
                let (from, to) = (from.index(length), to.index(length));
                let part = answer[from.min(to)..from.max(to)].to_vec();
                answer.splice(to..to, part);
            }
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<Index>;
    prop_oneof![
        (index(), select(&BREAKERS[..])).prop_map(|(at, bytes)| Change::Put(at, bytes)),
        (index(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        index().prop_map(Change::Cut),
        index().prop_map(Change::Drop),
        (index(), index()).prop_map(|(from, to)| Change::Twice(from, to)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_answer_is_read_as_hyper_reads_it(
        mut answer in select(corpus()),
        changes in vec(change(), 0..4),
        behind in prop::option::weighted(0.2, select(corpus())),
        cuts in vec(any::<Index>(), 0..4),
        method in select(vec![Method::GET, Method::HEAD, Method::POST]),
        ends in any::<bool>(),
    ) {
        for change in &changes {
            change.of(&mut answer);
        }
        answer.extend(behind.unwrap_or_default());
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(answer.len() + 1)).collect();
        cuts.extend([0, answer.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|pair| answer[pair[0]..pair[1]].to_vec()).collect();
        check(&Sent { method, pieces, ends });
    }
}
