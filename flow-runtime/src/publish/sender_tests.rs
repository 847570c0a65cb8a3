//! The sender against a service that refuses, loses answers, and has limits of its own.

use super::*;
use crate::{effect::in_world, publish::Timeless};

/// Answers as it is told to; what it took stays in its order.
#[derive(Default)]
struct Service {
    /// What becomes of the next requests; then all is taken.
    script: Vec<Answer>,
    bytes_max: Option<usize>,
    requests: Vec<usize>,
    taken: Vec<Vec<u8>>,
}

enum Answer {
    /// Refuses these of the request's entries.
    Refuse(Vec<usize>, Kind),
    /// Takes all, and nobody hears of it.
    Lose,
    Fail(Kind),
}

fn trouble(kind: Kind) -> Trouble {
    Trouble::new("kinesis.put_records", kind, "as the test wants")
}

impl Put for Service {
    fn put(&mut self, entries: &[&Entry]) -> Result<Vec<Result<(), Trouble>>, Trouble> {
        self.requests.push(entries.len());
        let bytes: usize = entries.iter().map(|entry| entry.bytes()).sum();
        if entries.len() > PUT_RECORDS_MAX || self.bytes_max.is_some_and(|max| bytes > max) {
            return Err(trouble(Kind::Invalid));
        }
        let answer =
            if self.script.is_empty() { Answer::Refuse(vec![], Kind::Throttled) } else { self.script.remove(0) };
        let (refused, kind) = match answer {
            Answer::Fail(kind) => return Err(trouble(kind)),
            Answer::Lose => (vec![], None),
            Answer::Refuse(refused, kind) => (refused, Some(kind)),
        };
        let mut fates = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            if refused.contains(&index) {
                fates.push(Err(trouble(kind.unwrap())));
            } else {
                self.taken.push(entry.data.clone());
                fates.push(Ok(()));
            }
        }
        if kind.is_none() { Err(trouble(Kind::Passing)) } else { Ok(fates) }
    }
}

fn outgoing(data: Vec<u8>) -> Outgoing {
    let bytes = data.len() as u64;
    Outgoing { entry: Entry { data, partition_key: "k".to_owned(), explicit_hash_key: None }, records: 1, bytes }
}

fn numbered(count: usize) -> Vec<Outgoing> {
    (0..count).map(|number| outgoing(number.to_string().into_bytes())).collect()
}

/// What came of sending, in a world where time passes by itself.
fn sent(service: &mut Service, outgoing: Vec<Outgoing>) -> (Totals, Result<(), Error>) {
    let totals = Arc::default();
    let result = in_world(Arc::new(Timeless), || {
        let mut sender = Sender::new(service, Arc::clone(&totals), Arc::default());
        sender.count(|totals| totals.read = outgoing.len() as u64);
        sender.send(outgoing)
    });
    let totals = *totals.lock().unwrap();
    assert!(totals.add_up(), "{totals:?}");
    (totals, result)
}

fn texts(taken: &[Vec<u8>]) -> Vec<&str> {
    taken.iter().map(|data| std::str::from_utf8(data).unwrap()).collect()
}

#[test]
fn a_request_has_as_many_records_and_bytes_as_the_service_takes() {
    let mut service = Service::default();
    let (totals, result) = sent(&mut service, numbered(1_201));
    result.unwrap();
    assert_eq!(service.requests, [500, 500, 201]);
    assert_eq!((totals.sent, totals.requests, totals.retried), (1_201, 3, 0));

    let mut service = Service::default();
    let (_, result) = sent(&mut service, vec![outgoing(vec![0; 4 << 20]); 5]);
    result.unwrap();
    assert_eq!(service.requests, [2, 2, 1]);
}

#[test]
fn entries_that_were_refused_are_sent_again_alone_in_their_order() {
    let script = vec![Answer::Refuse(vec![1, 3], Kind::Throttled), Answer::Refuse(vec![0], Kind::Passing)];
    let mut service = Service { script, ..Service::default() };
    let (totals, result) = sent(&mut service, numbered(5));
    result.unwrap();
    assert_eq!(service.requests, [5, 2, 1]);
    assert_eq!(texts(&service.taken), ["0", "2", "4", "3", "1"]);
    assert_eq!((totals.sent, totals.retried, totals.maybe_twice), (5, 3, 0));
}

#[test]
fn a_lost_answer_is_told_as_what_may_be_there_twice() {
    let script = vec![Answer::Lose, Answer::Refuse(vec![2], Kind::Throttled)];
    let mut service = Service { script, ..Service::default() };
    let (totals, result) = sent(&mut service, numbered(3));
    result.unwrap();
    assert_eq!((totals.sent, totals.maybe_twice), (3, 3));
    assert_eq!(texts(&service.taken), ["0", "1", "2", "0", "1", "2"]);
}

#[test]
fn a_service_that_goes_by_the_former_limit_gets_smaller_requests() {
    let mut service = Service { bytes_max: Some(PUT_BYTES_MAX_FORMER), ..Service::default() };
    let (totals, result) = sent(&mut service, vec![outgoing(vec![0; 1 << 20]); 20]);
    result.unwrap();
    assert_eq!(service.requests, [9, 4, 4, 4, 4, 4]);
    assert_eq!(totals.sent, 20);
}

#[test]
fn what_is_refused_for_good_fails_with_all_that_waits_for_it() {
    let mut service = Service { script: vec![Answer::Fail(Kind::Denied)], ..Service::default() };
    let (totals, result) = sent(&mut service, numbered(700));
    assert!(result.unwrap_err().to_string().contains("`plan --iam`"));
    assert_eq!((totals.sent, totals.failed, totals.requests), (0, 700, 1));
}

#[test]
fn a_stream_that_takes_nothing_for_minutes_is_given_up_and_one_that_takes_a_little_is_not() {
    let refuse = || Answer::Refuse(vec![0, 1, 2], Kind::Throttled);
    let mut service = Service { script: (0..100).map(|_| refuse()).collect(), ..Service::default() };
    let (totals, result) = sent(&mut service, numbered(3));
    assert!(result.unwrap_err().to_string().contains("attempt 25 of 25"));
    assert_eq!((totals.failed, totals.requests), (3, 25));

    let script = (1..100).rev().map(|last| Answer::Refuse((1..=last).collect(), Kind::Throttled)).collect();
    let mut service = Service { script, ..Service::default() };
    let (totals, result) = sent(&mut service, numbered(100));
    result.unwrap();
    assert_eq!((totals.sent, totals.requests), (100, 100));
}
