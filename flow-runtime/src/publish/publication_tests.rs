//! The order of a publication: what is taken is sent or counted as failed, whatever ends it.

use std::{io, sync::mpsc};

use super::*;
use crate::{
    aws::{Kind, Trouble, clients::streams::Entry},
    effect::in_world,
    publish::Timeless,
};

/// Takes everything, or after some requests nothing.
#[derive(Default)]
struct Service {
    requests: Vec<usize>,
    broken_after: Option<usize>,
    /// Set by the first request.
    stop: Arc<AtomicBool>,
}

impl Put for Service {
    fn put(&mut self, entries: &[&Entry]) -> Result<Vec<Result<(), Trouble>>, Trouble> {
        if self.broken_after.is_some_and(|count| self.requests.len() >= count) {
            return Err(Trouble::new("kinesis.put_records", Kind::Missing, "no such stream"));
        }
        self.stop.store(true, Ordering::Relaxed);
        self.requests.push(entries.len());
        Ok(entries.iter().map(|_| Ok(())).collect())
    }
}

fn lines(count: usize) -> Lines {
    let (sender, lines) = mpsc::sync_channel(count);
    (0..count).for_each(|number| sender.send(Ok(number.to_string().into_bytes())).unwrap());
    lines
}

fn run(publication: &Publication, lines: &Lines, service: &mut Service) -> (Totals, Result<(), Error>) {
    in_world(Arc::new(Timeless), || publication.run(lines, service))
}

#[test]
fn all_lines_are_sent_and_no_more_than_were_asked_for() {
    let mut service = Service::default();
    let (totals, result) = run(&Publication::default(), &lines(1_234), &mut service);
    result.unwrap();
    assert_eq!((totals.read, totals.sent, service.requests), (1_234, 1_234, vec![500, 500, 234]));

    let publication = Publication { records_max: Some(700), is_aggregated: true, ..Publication::default() };
    let (totals, result) = run(&publication, &lines(1_000), &mut Service::default());
    result.unwrap();
    assert_eq!((totals.read, totals.sent, totals.stream_records), (700, 700, 1));
}

#[test]
fn a_rate_sends_in_portions() {
    let mut service = Service::default();
    let publication = Publication { rate: Some(100), ..Publication::default() };
    let (totals, result) = run(&publication, &lines(35), &mut service);
    result.unwrap();
    assert_eq!((totals.sent, service.requests), (35, vec![10, 10, 10, 5]));
}

#[test]
fn what_was_read_and_not_sent_is_counted_as_failed() {
    for is_aggregated in [false, true] {
        let mut service = Service { broken_after: Some(0), ..Service::default() };
        let publication = Publication { is_aggregated, ..Publication::default() };
        let (totals, result) = run(&publication, &lines(800), &mut service);
        assert!(matches!(result, Err(Error::Target(_))), "{result:?}");
        assert!(totals.read > 0 && totals.failed == totals.read, "{totals:?}");
    }
}

#[test]
fn who_is_asked_to_stop_sends_what_was_read() {
    let publication = Publication::default();
    let mut service = Service { stop: Arc::clone(&publication.stop), ..Service::default() };
    let (totals, result) = run(&publication, &lines(5_000), &mut service);
    assert!(matches!(result, Err(Error::Interrupted)));
    assert!(totals.sent == totals.read && (500..5_000).contains(&totals.read), "{totals:?}");
}

#[test]
fn a_file_that_cannot_be_read_on_is_an_error_after_what_came_before_it() {
    let (sender, lines) = mpsc::sync_channel(2);
    sender.send(Ok(b"a".to_vec())).unwrap();
    sender.send(Err(io::Error::other("the disk is gone"))).unwrap();
    let (totals, result) = run(&Publication::default(), &lines, &mut Service::default());
    assert_eq!(result.unwrap_err().to_string(), "cannot read on: the disk is gone");
    assert_eq!((totals.read, totals.sent), (1, 1));
}
