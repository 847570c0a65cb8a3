//! Log lines, shipped to a stream that takes them, refuses them, or stands still.

use std::sync::{
    atomic::Ordering,
    mpsc::{Receiver, Sender},
};

use tracing::{info, subscriber::with_default};
use tracing_subscriber::prelude::*;

use super::*;
use crate::aws::{Kind, Trouble, clients::streams::Entry, limits::LINE_BYTES_MAX};

/// Takes a request when it is told to, and tells what it took; whoever made the other ends does both.
struct Gate {
    asked: Sender<usize>,
    open: Receiver<Result<(), Kind>>,
    taken: Sender<Vec<String>>,
}

impl Put for Gate {
    fn put(&mut self, entries: &[&Entry]) -> Result<Vec<Result<(), Trouble>>, Trouble> {
        let _ = self.asked.send(entries.len());
        // Nobody says no any more: it stays open.
        if let Err(kind) = self.open.recv().unwrap_or(Ok(())) {
            return Err(Trouble::new("kinesis.put_records", kind, "as the test wants"));
        }
        let text = |entry: &&Entry| String::from_utf8(entry.data.clone()).unwrap();
        self.taken.send(entries.iter().map(text).collect()).unwrap();
        Ok(entries.iter().map(|_| Ok(())).collect())
    }
}

/// The log, its guard, how requests fare, and what they bring.
type Opened = (LogStream, LogStreamGuard, Sender<Result<(), Kind>>, Receiver<Vec<String>>);

fn opened(options: LogStreamOptions) -> Opened {
    opened_and_heard(options).0
}

/// The same with the number of entries of each request, as it comes.
fn opened_and_heard(options: LogStreamOptions) -> (Opened, Receiver<usize>) {
    let ((open, is_open), (taken, was_taken), (asked, was_asked)) = (mpsc::channel(), mpsc::channel(), mpsc::channel());
    let (log, guard) = options.start_with(Gate { asked, open: is_open, taken }).unwrap();
    ((log, guard, open, was_taken), was_asked)
}

/// What is logged, in bare messages.
fn logging(log: &LogStream, act: impl FnOnce()) {
    let lines = tracing_subscriber::fmt::layer().without_time().with_level(false).with_target(false);
    with_default(tracing_subscriber::registry().with(lines.with_ansi(false).with_writer(log.clone())), act);
}

#[test]
fn what_was_logged_before_the_end_is_sent() {
    let (log, guard, open, taken) = opened(LogStream::to("kinesis://log"));
    drop(open);
    logging(&log, || (0..1_200).for_each(|number| info!(target: "app", "line {number}")));
    let shipped = guard.finish();
    assert_eq!((shipped.sent, shipped.dropped, shipped.unsent), (1_200, 0, 0), "{shipped}");
    let lines: Vec<String> = taken.iter().flatten().collect();
    assert!(lines.iter().enumerate().all(|(number, line)| *line == format!("line {number}")), "{lines:?}");
    // Nobody is there any more.
    logging(&log, || info!(target: "app", "late"));
    assert_eq!(log.shared.shipped().dropped, 1);
}

#[test]
fn a_layer_of_its_own_writes_json() {
    let (log, guard, open, taken) = opened(LogStream::to("kinesis://log"));
    drop(open);
    with_default(tracing_subscriber::registry().with(log.layer()), || info!(target: "app", user = 7, "logged in"));
    assert_eq!(guard.finish().sent, 1);
    let line: serde_json::Value = serde_json::from_str(&taken.recv().unwrap()[0]).unwrap();
    assert_eq!((&line["level"], &line["fields"]["user"]), (&"INFO".into(), &7.into()), "{line}");
}

#[test]
fn a_full_buffer_drops_lines_and_counts_them() {
    let (log, guard, open, _taken) = opened(LogStream::to("kinesis://log").buffer(10));
    // The first request holds what comes until the buffer is full behind it.
    logging(&log, || (0..5_000).for_each(|number| info!(target: "app", "line {number}")));
    drop(open);
    let shipped = guard.finish();
    assert!(shipped.dropped > 0, "{shipped}");
    assert_eq!((shipped.sent + shipped.dropped, shipped.unsent), (5_000, 0), "{shipped}");
}

#[test]
fn a_full_buffer_holds_up_who_logs_if_that_was_chosen() {
    let options = LogStream::to("kinesis://log").buffer(10).when_full(WhenFull::Block);
    let ((log, guard, open, _taken), asked) = opened_and_heard(options);
    let logger = {
        let log = log.clone();
        thread::spawn(move || logging(&log, || (0..3_000).for_each(|number| info!(target: "app", "line {number}"))))
    };
    // Those on their way, 10 in the buffer, one that waits.
    let all = asked.recv().unwrap() as u64 + 11;
    while log.shared.taken.load(Ordering::Relaxed) < all {
        thread::yield_now();
    }
    assert!(!logger.is_finished());
    drop(open);
    logger.join().unwrap();
    let shipped = guard.finish();
    assert_eq!((shipped.sent, shipped.dropped, shipped.unsent), (3_000, 0, 0), "{shipped}");
}

#[test]
fn lines_that_cannot_be_sent_are_counted_and_later_ones_are_tried() {
    let (log, guard, open, taken) = opened(LogStream::to("kinesis://log"));
    open.send(Err(Kind::Denied)).unwrap();
    logging(&log, || info!(target: "app", "first"));
    while log.shared.shipped().last_error.is_none() {
        thread::yield_now();
    }
    drop(open);
    logging(&log, || info!(target: "app", "second"));
    let shipped = guard.finish();
    assert_eq!((shipped.sent, shipped.unsent), (1, 1), "{shipped}");
    assert!(shipped.to_string().contains("1 not sent: cannot write to the stream"), "{shipped}");
    assert_eq!(taken.recv().unwrap(), ["second"]);
}

#[test]
fn the_end_does_not_wait_for_ever() {
    let (log, guard, open, _taken) = opened(LogStream::to("kinesis://log").patience(Duration::from_millis(1)));
    logging(&log, || info!(target: "app", "first"));
    let shipped = guard.finish();
    assert_eq!((shipped.sent, shipped.unsent), (0, 1), "{shipped}");
    drop(open);
}

#[test]
fn what_is_written_about_shipping_is_not_shipped() {
    let (log, guard, open, taken) = opened(LogStream::to("kinesis://log"));
    drop(open);
    logging(&log, || {
        info!(target: "aws_smithy_runtime::client", "sending");
        info!(target: "hyper_util::client", "connecting");
        info!(target: "flow_runtime::publish::sender", "sending again");
        info!(target: "flow_runtime::driver", "an iteration is done");
    });
    assert_eq!(guard.finish().sent, 1);
    assert_eq!(taken.recv().unwrap(), ["an iteration is done"]);
}

#[test]
fn a_line_that_no_record_holds_is_dropped() {
    let (log, guard, open, _taken) = opened(LogStream::to("kinesis://log"));
    drop(open);
    logging(&log, || info!(target: "app", "{}", "x".repeat(LINE_BYTES_MAX + 1)));
    let shipped = guard.finish();
    assert_eq!((shipped.sent, shipped.dropped), (0, 1), "{shipped}");
}
