//! Iterations over a stream that forgets, and what is noted of it.

use super::{bench::Bench, *};
use crate::source::FakeTap;

const LINES: usize = 0;
const A_DAY: Duration = Duration::from_secs(24 * 3600);

/// Reads and seals an iteration of a stream.
fn iterate(bench: &Bench, stream: &FakeTap, number: u64, gaps: Gaps) -> Result<(), Error> {
    let (flow, options) = (bench.flow(), Options { gaps, ..bench.options() });
    bench.in_world(|| {
        let checkpoint = OpenCheckpoint::open(&options.checkpoint, "word_totals".to_owned())?;
        let mut ports = Ports::open(&flow)?;
        ports.bind(LINES, stream.share());
        let attempt = attempt::open(&checkpoint, number, 0)?;
        let read = attempt::read::<flow::WordTotals>(&checkpoint, &ports, &options, &attempt)?;
        attempt::seal(&checkpoint, &ports, &attempt, read).map(drop)
    })
}

/// A stream of which two records were read in the first iteration, 25 hours ago.
fn read_a_day_ago() -> (Bench, FakeTap) {
    let (bench, stream) = (Bench::new(""), FakeTap::new());
    bench.in_world(|| stream.put(&["a 1", "b 2"]));
    iterate(&bench, &stream, 0, Gaps::Refuse).unwrap();
    bench.world.pass(A_DAY + Duration::from_secs(3600));
    (bench, stream)
}

#[test]
fn a_gap_that_is_accepted_is_noted_with_its_size() {
    for (gaps, goes_on) in [(Gaps::FromBeginning, "it goes on at oldest"), (Gaps::FromEnd, "it goes on at time:")] {
        let (bench, stream) = read_a_day_ago();
        stream.forget();
        bench.in_world(|| stream.put(&["c 3"]));
        let held = iterate(&bench, &stream, 1, Gaps::Refuse).unwrap_err();
        assert!(matches!(&held, Error::Held(_)) && held.to_string().contains("a hole of up to 1 h 0 min"), "{held}");
        iterate(&bench, &stream, 1, gaps).unwrap();
        let rows = bench.list();
        let note = &rows[1].note;
        let says = "gap accepted in s/shardId-000000000000: a hole of up to 1 h 0 min, from 1970-01-01T00:00:";
        assert!(note.contains(says) && note.contains(goes_on), "{note}");
        // Once.
        bench.in_world(|| stream.put(&["d 4"]));
        iterate(&bench, &stream, 2, gaps).unwrap();
        assert!(!bench.list()[2].note.contains("gap"), "{}", bench.list()[2].note);
    }
}

#[test]
fn a_gap_of_a_shard_that_has_not_moved_is_noted_too() {
    let (bench, stream) = (Bench::new(""), FakeTap::new());
    iterate(&bench, &stream, 0, Gaps::Refuse).unwrap();
    bench.world.pass(A_DAY + Duration::from_secs(3600));
    iterate(&bench, &stream, 1, Gaps::FromBeginning).unwrap();
    let note = &bench.list()[1].note;
    assert!(note.starts_with("no new records; gap accepted in s/shardId-000000000000: a hole of up to 1 h"), "{note}");
}

#[test]
fn that_a_stream_was_made_anew_is_noted() {
    let (bench, stream) = read_a_day_ago();
    stream.make_anew();
    bench.in_world(|| stream.put(&["c 3"]));
    assert!(matches!(iterate(&bench, &stream, 1, Gaps::Refuse), Err(Error::Held(_))));
    iterate(&bench, &stream, 1, Gaps::FromBeginning).unwrap();
    let note = &bench.list()[1].note;
    assert!(note.contains("this one was made at 1970-01-01T00:00:02Z; what was read is s/shardId"), "{note}");
}
