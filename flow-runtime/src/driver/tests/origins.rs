//! What is told of the records that a row was made of which a target has refused.

use std::fs;

use super::{super::*, bench::Bench, flow::WordTotals};
use crate::{
    Failure,
    driver::origin::Refused,
    iteration::Range,
    origin::{MadeOf, PieceOrigin},
};

/// An iteration over `lines.log`, and what is told of rows of it.
struct Sealed {
    bench: Bench,
    ranges: Vec<Range>,
}

impl Sealed {
    fn of(lines: &str) -> Self {
        let bench = Bench::new(lines);
        bench.run().unwrap();
        let checkpoint = OpenCheckpoint::open(&bench.options().checkpoint, "word_totals".to_owned()).unwrap();
        let ranges = checkpoint.store.iteration(0).unwrap().unwrap().sealed.unwrap().seal.ranges;
        Self { bench, ranges }
    }

    fn piece(&self, from: &str, to: &str) -> PieceOrigin<'static> {
        let Range { port, shard, .. } = self.ranges[0].clone();
        let [from, to] = [from, to].map(|position| position.to_owned().into());
        PieceOrigin { port: port.into(), shard: shard.into(), from, to, lineage: None }
    }

    fn told(&self, made_of: MadeOf) -> String {
        let ports = Ports::open::<WordTotals>(&self.bench.flow()).unwrap();
        let told = self.bench.in_world(|| told(&ports, &self.bench.stop, || self.ranges.clone(), refused(made_of)));
        let told = told.replace(&self.bench.path("").display().to_string(), "…/");
        told.strip_prefix("cannot copy: too long; that row was made of ").unwrap_or(&told).to_owned()
    }
}

fn told(ports: &Ports, stop: &AtomicBool, ranges: impl FnOnce() -> Vec<Range>, error: Error) -> String {
    Refused { ports, iteration: 0, stop }.told(ranges, error).to_string()
}

fn refused(made_of: MadeOf) -> Error {
    Error::Target(Failure::new("cannot copy").cause("too long").made_of(Some(Box::new(made_of))))
}

const LINES: &str = "a 1\r\nskip\nb 2\nc 3\n";

#[test]
fn the_position_of_a_record_is_found_where_it_is_read_again() {
    let sealed = Sealed::of(LINES);
    let of = |from, to, index| sealed.told(MadeOf::Record { piece: sealed.piece(from, to), index: Some(index) });
    assert_eq!(of("0", "18", 0), "the record of port `lines`, …/lines.log, position 0");
    assert_eq!(of("0", "18", 2), "the record of port `lines`, …/lines.log, position 10");
    assert_eq!(of("10", "18", 1), "the record of port `lines`, …/lines.log, position 14");
    // There is no such record.
    assert_eq!(of("10", "14", 1), "record 2 from position 10 on of port `lines`, …/lines.log");
}

#[test]
fn who_asks_to_stop_does_not_wait_for_it() {
    let sealed = Sealed::of(LINES);
    sealed.bench.stop.store(true, Ordering::Relaxed);
    let said = sealed.told(MadeOf::Record { piece: sealed.piece("0", "18"), index: Some(2) });
    assert_eq!(said, "record 3 from position 0 on of port `lines`, …/lines.log");
}

#[test]
fn what_is_not_there_any_more_is_told_by_its_piece() {
    let sealed = Sealed::of(LINES);
    fs::remove_file(sealed.bench.path("lines.log")).unwrap();
    let of = |index| sealed.told(MadeOf::Record { piece: sealed.piece("0", "18"), index });
    assert_eq!(of(Some(2)), "record 3 from position 0 on of port `lines`, …/lines.log");
    assert_eq!(of(None), "one of the records of port `lines`, …/lines.log, positions 0 to 18");
}

#[test]
fn a_row_of_many_records_is_told_by_what_the_iteration_has_read() {
    let mut sealed = Sealed::of(LINES);
    assert_eq!(sealed.told(MadeOf::Records), "records of port `lines`, …/lines.log, positions 0 to 18");
    let range = sealed.ranges[0].clone();
    sealed.ranges.resize_with(6, || Range { name: "other.log".to_owned(), ..range.clone() });
    sealed.ranges[1].records = 0;
    let said = sealed.told(MadeOf::Records);
    assert!(said.ends_with("of port `lines`, other.log, positions 0 to 18; and of 2 more"), "{said}");
    sealed.ranges.clear();
    assert_eq!(sealed.told(MadeOf::Records), "cannot copy: too long");
}

#[test]
fn other_errors_stay_as_they_are() {
    let bench = Bench::new(LINES);
    let ports = Ports::open::<WordTotals>(&bench.flow()).unwrap();
    let none = || -> Vec<Range> { panic!("nobody asks") };
    let full = Error::Target(Failure::new("full"));
    assert_eq!(told(&ports, &bench.stop, none, full), "full");
    assert!(told(&ports, &bench.stop, none, Error::Interrupted).starts_with("interrupted"));
}

#[cfg(feature = "aws")]
#[test]
fn a_record_of_a_stream_is_told_by_its_sequence_number() {
    use crate::source::{FakeTap, Framing, Next, Reading};
    let (bench, stream) = (Bench::new(""), FakeTap::new());
    bench.in_world(|| {
        stream.put(&["a 1", "b 2", "c 3", "d 4"]);
        let mut ports = Ports::open::<WordTotals>(&bench.flow()).unwrap();
        ports.bind(0, stream.share());
        let tap = ports.input(0).unwrap();
        let shards = tap.shards(&[]).unwrap();
        let mut reader = tap.open(&shards, Reading::default()).unwrap();
        let piece = loop {
            if let Next::Piece(piece) = reader.next(Vec::new(), Duration::from_millis(100)).unwrap() {
                break piece;
            }
        };
        let Framing::Listed(listed) = &piece.framing else { panic!("a stream lists its records") };
        let range = Range {
            port: "lines".to_owned(),
            shard: shards[0].shard.id.clone(),
            name: "s/0".to_owned(),
            mark: shards[0].shard.mark.clone(),
            first: shards[0].from.clone(),
            next: piece.to.clone(),
            records: 4,
            bytes: 12,
            hash: String::new(),
            covered_us: None,
        };
        let of = |index: usize| PieceOrigin {
            port: "lines".into(),
            shard: range.shard.clone().into(),
            from: listed[index].1.to_string().into(),
            to: piece.to.to_string().into(),
            lineage: None,
        };
        for (begin, index) in [(0, 0), (0, 3), (2, 1)] {
            let error = refused(MadeOf::Record { piece: of(begin), index: Some(index as u64) });
            let said = told(&ports, &bench.stop, || vec![range.clone()], error);
            let position = &listed[begin + index].1;
            assert!(said.ends_with(&format!("the record of port `lines`, s/0, position {position}")), "{said}");
        }
    });
}
