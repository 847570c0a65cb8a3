//! Whole runs over files: what is published, what is not, and what the next run does about it.
//!
//! `bench.rs` is the folder they run in, `flow.rs` the flow; `recovery.rs` has the runs that die,
//! `model.rs` compares them with those of the protocol's model.

mod bench;
mod flow;
mod follow;
mod forgetful;
mod in_place;
mod in_targets;
mod model;
mod origins;
mod recovery;
mod replay;
mod restage;
#[cfg(feature = "aws")]
mod streams;
mod targets;
mod tidy;

use std::fs;

use bench::Bench;

use super::{lock::FlowLock, *};
use crate::{MemoryRecords, MemoryRows, Sink, Source, Table, Trap, effect::Moment, iteration::State};

#[test]
fn a_run_publishes_everything_and_the_next_finds_nothing_new() {
    let bench = Bench::new("a 1\nb 2\nbad 3\nskip 4\n");
    let outcome = bench.run().unwrap();
    assert_eq!((outcome.iteration, outcome.nothing_new, outcome.resumed), (Some(0), false, vec![]));
    let rows: Vec<u64> = outcome.ports.iter().map(|port| port.rows).collect();
    assert_eq!(rows, [4, 2, 2, 4, 1]);
    assert_eq!(outcome.ports[0].bytes, 21);
    assert_eq!(outcome.counts[1], Counts { rows_in: 4, rows_out: 2, filtered: 1, trapped: 1 });
    assert_eq!((bench.out().as_str(), bench.totals().as_str()), ("a 1\nb 2\n", "a=1 b=1 x=1 y=1"));
    assert_eq!((bench.trapped(), bench.staged()), (1, 0));

    let outcome = bench.run().unwrap();
    assert_eq!((outcome.iteration, outcome.nothing_new), (None, true));
    assert_eq!((bench.out().as_str(), bench.totals().as_str()), ("a 1\nb 2\n", "a=1 b=1 x=1 y=1"));
    assert_eq!((bench.states(), bench.staged()), (vec![State::Done], 0));
}

#[test]
fn only_new_lines_are_read_and_an_unfinished_one_waits() {
    let bench = Bench::new("a 1\nb");
    bench.run().unwrap();
    assert_eq!(bench.out(), "a 1\n");
    bench.append(" 2\na 3\nbad 4\n");
    let outcome = bench.run().unwrap();
    assert_eq!((outcome.iteration, outcome.ports[0].rows), (Some(1), 3));
    assert_eq!((bench.out().as_str(), bench.totals().as_str()), ("a 1\nb 2\na 3\n", "a=2 b=1 x=2 y=2"));
    assert_eq!(bench.trapped(), 1);
}

#[test]
fn the_first_iteration_runs_over_no_records_and_later_ones_do_not() {
    let bench = Bench::new("");
    assert_eq!(bench.run().unwrap().iteration, Some(0));
    assert_eq!(bench.totals(), "x=1 y=1");
    assert!(bench.run().unwrap().nothing_new);
    assert_eq!(bench.totals(), "x=1 y=1");
}

#[test]
fn a_renamed_file_keeps_its_position_and_runs_nothing() {
    let bench = Bench::new("a 1\n");
    bench.run().unwrap();
    fs::rename(bench.path("lines.log"), bench.path("renamed.log")).unwrap();
    let outcome = bench.run().unwrap();
    assert_eq!((outcome.iteration, outcome.nothing_new), (None, true));
    let rows = bench.list();
    assert_eq!((rows[1].state, rows[1].records, rows[1].note.as_str()), (State::Done, 0, "no new records"));
    assert_eq!((bench.out().as_str(), bench.totals().as_str()), ("a 1\n", "a=1 x=1 y=1"));
    bench.run().unwrap();
    assert_eq!(bench.list().len(), 2);
}

#[test]
fn a_bound_leaves_the_rest_to_the_next_run() {
    let bench = Bench { bounds: Bounds { max_records: Some(2), ..Bounds::default() }, ..Bench::new("a\nb\nc\nd\ne\n") };
    for (rows, out) in [(2, "a\nb\n"), (2, "a\nb\nc\nd\n"), (1, "a\nb\nc\nd\ne\n"), (0, "a\nb\nc\nd\ne\n")] {
        assert_eq!(bench.run().unwrap().ports[0].rows, rows);
        assert_eq!(bench.out(), out);
    }
    let notes: Vec<String> = bench.list().into_iter().map(|row| row.note).collect();
    assert_eq!(notes, ["closed by --max-records", "closed by --max-records", ""]);
}

#[test]
fn the_listing_says_what_an_iteration_was() {
    let bench = Bench::new("a 1\nbad 2\nb 3\n");
    bench.run().unwrap();
    let [row] = &bench.list()[..] else { panic!("one iteration") };
    assert_eq!((row.number, row.state, row.records, row.trapped, row.note.as_str()), (0, State::Done, 3, 1, ""));
    let rows: Vec<_> = row.rows.iter().map(|(port, rows)| (port.as_str(), *rows)).collect();
    assert_eq!(rows, [("bad", 1), ("out", 2), ("totals", 4)]);
    assert!(row.took > Some(Duration::ZERO));
}

#[test]
fn of_two_runs_at_once_the_second_is_told_who_is_first() {
    let bench = Bench::new("a 1\n");
    let first = FlowLock::take(&bench.path("store.db"), "word_totals", "pid 42").unwrap();
    let error = bench.run().unwrap_err();
    assert!(matches!(&error, Error::Busy(_)) && error.to_string().contains("pid 42"), "{error}");
    assert_eq!(bench.out(), "");
    drop(first);
    bench.run().unwrap();
    assert_eq!(bench.out(), "a 1\n");
}

#[test]
fn counts_that_do_not_add_up_publish_nothing() {
    let bench = Bench::new("a 1\nlose 2\n");
    let error = bench.run().unwrap_err();
    assert!(matches!(&error, Error::Imbalance(_)) && error.to_string().contains("Each(check)"), "{error}");
    assert_eq!((bench.out().as_str(), bench.totals().as_str()), ("", ""));
    assert_eq!((bench.states(), bench.staged()), (vec![], 0));
}

#[test]
fn a_panic_in_the_flow_publishes_nothing() {
    let bench = Bench::new("a 1\npanic 2\n");
    let error = bench.run().unwrap_err();
    assert!(error.to_string().contains("as the line says"), "{error}");
    assert_eq!((bench.out().as_str(), bench.states(), bench.staged()), ("", vec![], 0));
}

#[test]
fn a_run_that_is_asked_to_stop_publishes_nothing_and_the_next_one_all() {
    let bench = Bench::new("a 1\n");
    bench.stop.store(true, Ordering::Relaxed);
    assert!(matches!(bench.run(), Err(Error::Interrupted)));
    assert_eq!((bench.out().as_str(), bench.states(), bench.staged()), ("", vec![], 0));
    bench.stop.store(false, Ordering::Relaxed);
    assert_eq!(bench.run().unwrap().iteration, Some(0));
    assert_eq!(bench.out(), "a 1\n");
}

#[test]
fn a_trap_without_address_is_an_error_only_when_something_is_trapped() {
    let bench = Bench::new("a 1\n");
    let flow = flow::WordTotals { bad: Trap::unbound(), ..bench.flow() };
    bench.run_flow(&flow, &bench.options()).unwrap();
    bench.append("b 2\nbad 3\n");
    let error = bench.run_flow(&flow, &bench.options()).unwrap_err();
    assert!(matches!(&error, Error::Record(_)) && error.to_string().contains("give --bad"), "{error}");
    assert_eq!((bench.out().as_str(), bench.states(), bench.staged()), ("a 1\n", vec![State::Done], 0));
    bench.run().unwrap();
    assert_eq!((bench.out().as_str(), bench.trapped()), ("a 1\nb 2\n", 1));
}

#[test]
fn a_changed_file_is_held_and_nothing_is_published() {
    let bench = Bench::new("a 1\nb 2\n");
    bench.run().unwrap();
    fs::write(bench.path("lines.log"), "something else\n").unwrap();
    let error = bench.run().unwrap_err();
    assert!(matches!(&error, Error::Held(_)) && error.to_string().contains("port `lines`"), "{error}");
    assert_eq!(bench.out(), "a 1\nb 2\n");
    let rows = bench.list();
    assert_eq!((rows[1].number, rows[1].state), (1, State::Held));
    assert!(rows[1].note.contains("lines.log"), "{}", rows[1].note);
}

#[test]
fn a_target_that_another_store_has_loaded_is_held_and_left_alone() {
    let bench = Bench::new("a 1\n");
    bench.run().unwrap();
    for file in ["store.db", "store.db-wal", "store.db-shm"] {
        let _ = fs::remove_file(bench.path(file));
    }
    let error = bench.run().unwrap_err();
    assert!(matches!(&error, Error::Held(_)) && error.to_string().contains("port `out`"), "{error}");
    assert_eq!((bench.out().as_str(), bench.totals().as_str()), ("a 1\n", "a=1 x=1 y=1"));
    assert_eq!((bench.states(), bench.list()[0].records), (vec![State::Held], 0));
    // It stays so, and says so, until a person mends it.
    assert!(matches!(bench.run(), Err(Error::Held(_))));
    assert_eq!(bench.out(), "a 1\n");
}

#[test]
fn a_store_that_is_reached_by_a_link_is_locked_and_staged_beside_where_it_is() {
    let bench = Bench::new("a 1\n");
    fs::create_dir(bench.path("links")).unwrap();
    std::os::unix::fs::symlink("../store.db", bench.path("links/store.db")).unwrap();
    let by_link = Options { checkpoint: Checkpoint::Sqlite(bench.path("links/store.db")), ..bench.options() };
    bench.world.die_at("store.seal", Moment::After);
    bench.run_flow(&bench.flow(), &by_link).unwrap_err();
    bench.world.restart();
    let first = FlowLock::take(&bench.path("store.db"), "word_totals", "pid 42").unwrap();
    assert!(matches!(bench.run_flow(&bench.flow(), &by_link), Err(Error::Busy(_))));
    drop(first);
    assert_eq!(bench.run().unwrap().resumed, [0]);
    assert_eq!((bench.out().as_str(), fs::read_dir(bench.path("links")).unwrap().count()), ("a 1\n", 1));
}

#[test]
fn two_flows_may_share_a_store() {
    let bench = Bench::new("a 1\n");
    let other = crate::iteration::sqlite::SqliteStore::open(&bench.path("store.db"), "another", "e", 1).unwrap();
    bench.run().unwrap();
    assert_eq!(bench.out(), "a 1\n");
    drop(other);
}

#[test]
fn without_a_store_everything_is_read_each_time_unfinished_lines_too() {
    let bench = Bench::new("a 1\nb 2");
    let (out, totals) = (MemoryRows::default(), MemoryRows::default());
    let flow =
        flow::WordTotals { out: Sink::memory(&out).replace(), totals: Sink::memory(&totals).replace(), ..bench.flow() };
    for _ in 0..2 {
        let outcome = bench.run_without_store(&flow).unwrap();
        assert_eq!((outcome.iteration, outcome.nothing_new, outcome.ports[0].rows), (None, false, 2));
        assert_eq!((out.len(), totals.len()), (2, 4));
    }
    assert!(!bench.path("store.db").exists());
}

#[test]
fn without_a_store_rows_are_never_added_to_rows() {
    let bench = Bench::new("a 1\n");
    bench.run_without_store(&bench.flow()).unwrap();
    let error = bench.run_without_store(&bench.flow()).unwrap_err();
    assert!(error.to_string().contains("port `out`") && error.to_string().contains("checkpoint"), "{error}");
    assert_eq!((bench.out().as_str(), bench.totals().as_str()), ("a 1\n", "a=1 x=1 y=1"));
}

#[test]
fn without_a_store_a_trap_is_looked_at_when_something_is_trapped() {
    let bench = Bench::new("a 1\n");
    let out = MemoryRows::default();
    let flow = flow::WordTotals {
        out: Sink::memory(&out).replace(),
        totals: Sink::memory(&MemoryRows::default()).replace(),
        ..bench.flow()
    };
    fs::write(bench.path("target/bad.csv"), "of an earlier run\n").unwrap();
    bench.run_without_store(&flow).unwrap();
    bench.append("b 2\nbad 3\n");
    let error = bench.run_without_store(&flow).unwrap_err();
    assert!(error.to_string().contains("port `bad`"), "{error}");
    assert_eq!((out.len(), bench.trapped()), (1, 1));
}

#[test]
fn a_program_may_keep_all_its_ports_in_memory() {
    let (out, totals, bad) = (MemoryRows::default(), MemoryRows::default(), MemoryRows::default());
    let flow = flow::WordTotals {
        lines: Source::memory(&MemoryRecords::lines(["a 1", "bad 2"])),
        hosts: Table::memory(&MemoryRecords::lines(["x"])),
        out: Sink::memory(&out),
        totals: Sink::memory(&totals).merge(),
        bad: Trap::memory(&bad),
    };
    let bench = Bench::new("");
    let options = Options { checkpoint: Checkpoint::None, ..bench.options() };
    run(&flow, &options).unwrap();
    assert_eq!((out.len(), totals.len(), bad.trapped()[0].reason.as_str()), (1, 2, "it is bad"));
    assert!(options.progress.finished.load(Ordering::Relaxed));
    assert_eq!(options.progress.phase(), Phase::Done);
}
