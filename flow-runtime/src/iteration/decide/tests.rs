//! The tables of `decide.rs`, one row each.

use super::*;
use crate::{sink::staging::StagedManifest, source::Position};

fn output(port: &str) -> Output {
    let staged = StagedManifest {
        port: port.to_owned(),
        file: Some("counts.rows".to_owned()),
        rows: 3,
        bytes: 30,
        hash: "h".to_owned(),
        fields: "ip: &str".to_owned(),
    };
    Output { staged, place: "sqlite:a.db".to_owned(), mode: Mode::Append, loaded: false }
}

fn bound(port: &str) -> Bound {
    Bound {
        port: port.to_owned(),
        place: Some("sqlite:a.db".to_owned()),
        mode: Mode::Append,
        fields: "ip: &str".to_owned(),
    }
}

fn sealed(iteration: u64, outputs: Vec<Output>) -> Sealed {
    Sealed { iteration, attempt: "a".to_owned(), outputs }
}

fn publishes(leftovers: &[Sealed], bound: &[Bound]) -> Option<u64> {
    match start(Some(4), leftovers, bound) {
        Start::Publish(sealed) => Some(sealed.iteration),
        _ => None,
    }
}

fn held_by(output: Output, bound: &[Bound]) -> Option<Misfit> {
    match start(Some(4), &[sealed(4, vec![output])], bound) {
        Start::Held { iteration: 4, port: "counts", why } => Some(why),
        _ => None,
    }
}

#[test]
fn a_new_flow_begins_with_iteration_0() {
    assert_eq!(start(None, &[], &[bound("counts")]), Start::Open(0));
}

#[test]
fn when_all_is_done_the_next_iteration_is_opened() {
    assert_eq!(start(Some(4), &[], &[bound("counts")]), Start::Open(5));
}

#[test]
fn a_sealed_leftover_is_published_before_anything_else() {
    assert_eq!(publishes(&[sealed(4, vec![output("counts")])], &[bound("counts")]), Some(4));
}

#[test]
fn of_several_leftovers_the_oldest_goes_first() {
    let leftovers = [sealed(3, vec![output("counts")]), sealed(4, vec![output("counts")])];
    assert_eq!(publishes(&leftovers, &[bound("counts")]), Some(3));
}

#[test]
fn a_leftover_without_outputs_is_finished() {
    assert_eq!(publishes(&[sealed(4, vec![])], &[]), Some(4));
}

#[test]
fn a_loaded_output_need_not_fit_any_more() {
    let loaded = Output { loaded: true, ..output("counts") };
    assert_eq!(publishes(&[sealed(4, vec![loaded])], &[]), Some(4));
}

#[test]
fn an_output_that_the_flow_has_no_more_is_held() {
    assert!(held_by(output("counts"), &[bound("others")]).unwrap().cause.contains("no such output"));
}

#[test]
fn an_output_at_another_address_is_held() {
    let moved = Bound { place: Some("sqlite:b.db".to_owned()), ..bound("counts") };
    assert!(held_by(output("counts"), &[moved]).unwrap().cause.contains("sqlite:a.db"));
}

#[test]
fn a_trap_that_lost_its_address_is_held() {
    let unbound = Bound { place: None, ..bound("counts") };
    assert!(held_by(output("counts"), &[unbound]).unwrap().cause.contains("no address"));
}

#[test]
fn an_output_with_another_mode_is_held() {
    let replacing = Bound { mode: Mode::Replace, ..bound("counts") };
    assert!(held_by(output("counts"), &[replacing]).unwrap().cause.contains("Replace"));
}

#[test]
fn an_output_with_other_fields_is_held() {
    let wider = Bound { fields: "ip: &str, count: i64".to_owned(), ..bound("counts") };
    assert!(held_by(output("counts"), &[wider]).unwrap().cause.contains("count: i64"));
}

fn shard(port: &str, id: &str, next: &str) -> SealedShard {
    let [port, shard, mark] = [port, id, "m"].map(str::to_owned);
    SealedShard {
        port,
        shard,
        name: format!("{id}.log"),
        mark,
        next: Position::new(next),
        last: None,
        covered_us: None,
    }
}

fn range(id: &str, records: u64, next: &str) -> Range {
    Range {
        port: "log".to_owned(),
        shard: id.to_owned(),
        name: format!("{id}.log"),
        mark: "m".to_owned(),
        first: Position::new("0"),
        next: Position::new(next),
        records,
        bytes: records * 10,
        hash: String::new(),
        covered_us: None,
    }
}

#[test]
fn a_source_is_told_of_its_own_shards_only() {
    let sealed = [shard("log", "a", "10"), shard("other", "b", "20"), shard("log", "c", "30")];
    let known = known_shards(&sealed, "log");
    let expected = [("a", "10"), ("c", "30")].map(|(id, next)| KnownShard {
        id: id.to_owned(),
        name: format!("{id}.log"),
        mark: "m".to_owned(),
        next: Position::new(next),
        last: None,
        covered_us: None,
    });
    assert_eq!(known, expected);
}

fn closed(iteration: u64, ranges: &[Range], sealed: &[SealedShard]) -> Close {
    close(iteration, 1, ranges.to_vec(), sealed)
}

#[test]
fn new_records_are_sealed_and_shards_that_did_not_move_are_not() {
    let sealed = [shard("log", "a", "0"), shard("log", "b", "7")];
    let ranges = [range("a", 1, "10"), range("b", 0, "7"), range("c", 0, "0")];
    assert_eq!(closed(4, &ranges, &sealed), Close::Everything(vec![range("a", 1, "10"), range("c", 0, "0")]));
}

#[test]
fn the_first_iteration_is_sealed_even_if_nothing_came() {
    assert_eq!(closed(0, &[], &[]), Close::Everything(vec![]));
}

#[test]
fn a_flow_without_sources_is_sealed_each_time() {
    assert_eq!(close(4, 0, vec![], &[]), Close::Everything(vec![]));
}

#[test]
fn no_new_record_on_known_shards_leaves_the_store_as_it_is() {
    assert_eq!(closed(4, &[range("a", 0, "10")], &[shard("log", "a", "10")]), Close::Nothing);
}

#[test]
fn a_shard_that_is_gone_leaves_the_store_as_it_is() {
    assert_eq!(closed(4, &[], &[shard("log", "a", "10")]), Close::Nothing);
}

#[test]
fn a_new_shard_without_records_has_its_position_sealed() {
    let ranges = [range("a", 0, "10"), range("b", 0, "0")];
    assert_eq!(closed(4, &ranges, &[shard("log", "a", "10")]), Close::Positions(vec![range("b", 0, "0")]));
}

#[test]
fn a_position_that_moved_over_no_record_is_sealed() {
    let moved = range("a", 0, "12");
    assert_eq!(close(4, 1, vec![moved.clone()], &[shard("log", "a", "10")]), Close::Positions(vec![moved]));
}

#[test]
fn a_renamed_shard_is_sealed_under_its_new_name() {
    let renamed = Range { name: "a.log.1".to_owned(), ..range("a", 0, "10") };
    assert_eq!(close(4, 1, vec![renamed.clone()], &[shard("log", "a", "10")]), Close::Positions(vec![renamed]));
}

#[test]
fn a_shard_that_goes_on_elsewhere_than_it_was_sealed_to_has_a_gap() {
    let sealed = [shard("log", "a", "10"), shard("log", "b", "0"), shard("other", "c", "10")];
    let ranges = [range("a", 1, "5"), range("b", 1, "5"), range("c", 1, "5")];
    assert_eq!(gaps(&ranges, &sealed, |_| None), ["gap accepted in a.log: it was read to 10, and goes on at 0"]);
    // What its source says is more, also of a shard that has not moved.
    let told = |range: &Range| (range.shard == "b").then_some("a hole of 3 h");
    assert_eq!(gaps(&ranges[1..], &sealed, told), ["gap accepted in b.log: a hole of 3 h"]);
}

#[test]
fn that_nothing_came_is_sealed_now_and_then() {
    let hour = 3_600_000_000;
    let sealed = [SealedShard { covered_us: Some(hour), ..shard("log", "a", "10") }];
    let covered = |covered_us| vec![Range { covered_us, ..range("a", 0, "10") }];
    for nothing in [None, Some(hour), Some(3 * hour - 1)] {
        assert_eq!(close(4, 1, covered(nothing), &sealed), Close::Nothing);
    }
    let late = covered(Some(3 * hour));
    assert_eq!(close(4, 1, late.clone(), &sealed), Close::Positions(late));
    let first = covered(Some(hour));
    assert_eq!(close(4, 1, first.clone(), &[shard("log", "a", "10")]), Close::Positions(first));
}
