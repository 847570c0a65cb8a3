//! Replaying sealed iterations: they are found as they were, or it is said what is not.

use std::fs;

use super::{bench::Bench, flow::WordTotals, *};
use crate::{Sink, Source, driver::lock::FlowLock, effect::Moment};

/// A bench with two iterations: `a 1`, `bad 2` and then `b 3`, `bad 4`, `a 5`.
fn two_iterations() -> Bench {
    let bench = Bench::new("a 1\nbad 2\n");
    bench.run().unwrap();
    bench.append("b 3\nbad 4\na 5\n");
    bench.run().unwrap();
    bench
}

fn again(bench: &Bench, iteration: u64) -> Result<Replayed, Error> {
    replay(&bench.flow(), &bench.options(), iteration, &[])
}

fn refused(replayed: Result<Replayed, Error>) -> String {
    match replayed {
        Err(error @ (Error::Input(_) | Error::Config(_))) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

fn into(bench: &Bench, out: &str) -> Result<Replayed, Error> {
    let out = Sink::at(format!("file:{}", bench.path("target").join(out).display()));
    replay(&WordTotals { out, ..bench.flow() }, &bench.options(), 1, &["out"])
}

#[test]
fn a_replayed_iteration_has_the_rows_that_were_sealed_and_changes_nothing() {
    let bench = two_iterations();
    let files = ["store.db", "target/out.csv", "target/out.csv.flow", "target/totals.db", "target/bad.csv"];
    let before = files.map(|name| fs::read(bench.path(name)).unwrap());
    for iteration in [0, 1, 1] {
        let replayed = again(&bench, iteration).unwrap();
        assert!(replayed.outputs.iter().all(|output| output.is_same), "{:?}", replayed.outputs);
        assert_eq!((replayed.outputs.len(), replayed.published.len()), (3, 0));
        assert!(replayed.tables[0].is_same && !replayed.program_changed);
        assert_eq!(replayed.ports[0].rows, if iteration == 0 { 2 } else { 3 });
    }
    assert_eq!(files.map(|name| fs::read(bench.path(name)).unwrap()), before);
    assert_eq!(bench.staged(), 0);
}

#[test]
fn a_run_may_be_under_way() {
    let bench = two_iterations();
    let _run = FlowLock::take(&bench.path("store.db"), "word_totals", "pid 42").unwrap();
    again(&bench, 0).unwrap();
}

#[test]
fn a_source_that_has_grown_and_was_renamed_is_read_as_far_as_it_was() {
    let bench = two_iterations();
    bench.append("c 6\n");
    fs::rename(bench.path("lines.log"), bench.path("older.log")).unwrap();
    fs::write(bench.path("lines.log"), "d 7\n").unwrap();
    let replayed = again(&bench, 1).unwrap();
    assert_eq!((replayed.ports[0].rows, replayed.outputs[0].is_same), (3, true));
}

#[test]
fn a_source_that_has_changed_is_named_with_both_figures() {
    // A file is known by its first KiB: what is changed there makes it another.
    let bench = Bench::new(&"a 1\n".repeat(300));
    bench.run().unwrap();
    bench.append("b 3\nbad 4\na 5\n");
    bench.run().unwrap();
    let log = bench.path("lines.log");
    let changed = fs::read_to_string(&log).unwrap().replace("b 3", "c 3");
    fs::write(&log, changed).unwrap();
    again(&bench, 0).unwrap();
    let text = refused(again(&bench, 1));
    assert!(text.starts_with("the source has changed (port `lines`, "), "{text}");
    for part in ["positions 1200 to 1214", "has sealed 3 records, 14 bytes, hash ", "now there are 3 records, 14 bytes"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_source_that_is_gone_leaves_a_hole_of_a_known_size() {
    let bench = two_iterations();
    fs::remove_file(bench.path("lines.log")).unwrap();
    fs::write(bench.path("other.log"), "z 1\n").unwrap();
    let text = refused(again(&bench, 1));
    assert!(text.contains("what iteration 1 has read is not there any more (port `lines`, "), "{text}");
    assert!(text.contains("lines.log, positions 10 to 24): 3 records are missing, 14 bytes"), "{text}");
    let advice = "under whatever name --lines covers; what a stream no longer retains cannot be had again";
    assert!(text.ends_with(advice), "{text}");
}

#[test]
fn a_source_that_is_bound_elsewhere_now_is_found_there() {
    let bench = two_iterations();
    fs::create_dir(bench.path("archive")).unwrap();
    fs::rename(bench.path("lines.log"), bench.path("archive/lines.old")).unwrap();
    let lines = Source::at(format!("file:{}", bench.path("archive/*").display()));
    let flow = WordTotals { lines, ..bench.flow() };
    assert_eq!(replay(&flow, &bench.options(), 1, &[]).unwrap().ports[0].rows, 3);
}

#[test]
fn a_table_that_has_changed_is_told_and_so_are_the_rows_that_differ() {
    let bench = two_iterations();
    fs::write(bench.path("hosts.txt"), "x\ny\nz\n").unwrap();
    let replayed = again(&bench, 1).unwrap();
    let table = &replayed.tables[0];
    assert_eq!((table.records_sealed, table.records, table.is_same), (Some(2), 3, false));
    let outputs: Vec<_> = replayed.outputs.iter().map(|output| (output.port.as_str(), output.is_same)).collect();
    assert_eq!(outputs, [("out", true), ("totals", false), ("bad", true)]);
}

/// Two files; read again, the second one comes first.
fn turned(bench: &Bench) {
    let store = rusqlite::Connection::open(bench.path("store.db")).unwrap();
    assert_eq!(store.execute("UPDATE ranges SET place = -place", []).unwrap(), 2);
}

#[test]
fn shards_that_come_in_another_order_give_the_same_rows() {
    let bench = Bench::new("a 1\nbad 2\n");
    fs::write(bench.path("more.log"), "b 3\nbad 4\n").unwrap();
    bench.run().unwrap();
    assert_eq!(bench.out(), "a 1\nb 3\n");
    turned(&bench);
    let outputs = again(&bench, 0).unwrap().outputs;
    let told: Vec<_> = outputs.iter().map(|of| (of.port.as_str(), of.is_same, of.is_reordered)).collect();
    assert_eq!(told, [("out", true, true), ("totals", true, false), ("bad", true, true)]);
}

#[test]
fn a_restage_in_another_order_is_accepted_as_it_is() {
    let bench = Bench::new("a 1\nbad 2\n");
    fs::write(bench.path("more.log"), "b 3\nbad 4\n").unwrap();
    bench.world.die_at("store.seal", Moment::After);
    bench.run().unwrap_err();
    bench.world.restart();
    fs::remove_dir_all(bench.path("store.db.staging/word_totals")).unwrap();
    turned(&bench);
    let restaged = restage(&bench.flow(), &bench.options(), 0, false).unwrap();
    assert!(!restaged.nothing_lost && restaged.outputs.iter().all(|output| output.is_same), "{restaged:?}");
    bench.run().unwrap();
    assert_eq!((bench.out().as_str(), bench.trapped()), ("b 3\na 1\n", 2));
}

#[test]
fn rows_go_to_another_target_and_never_to_the_one_that_has_them() {
    let bench = two_iterations();
    for sealed in ["out.csv", "../target/./out.csv?header=false", "out.csv?mode=replace"] {
        let text = refused(into(&bench, sealed));
        assert!(text.contains("the flow loads this target") && text.contains("port `out`"), "{sealed}: {text}");
    }
    assert_eq!(into(&bench, "copy.csv?header=false").unwrap().published, ["out"]);
    assert_eq!(bench.read("target/copy.csv"), "b 3\na 5\n");
    assert!(matches!(into(&bench, "copy.csv?header=false"), Err(Error::Target(_))), "it is not empty any more");
    into(&bench, "copy.csv?header=false&mode=replace").unwrap();
    assert_eq!((bench.read("target/copy.csv").as_str(), bench.out().as_str()), ("b 3\na 5\n", "a 1\nb 3\na 5\n"));
}

#[test]
fn what_the_flow_reads_is_no_target_either() {
    let bench = two_iterations();
    let text = refused(into(&bench, "../hosts.txt?mode=replace"));
    assert!(text.contains("port `out` would write to what port `hosts` reads"), "{text}");
}

#[test]
fn an_iteration_that_was_never_sealed_cannot_be_replayed() {
    let bench = two_iterations();
    let text = refused(again(&bench, 2));
    assert!(text.contains("word_totals has no sealed iteration 2 (store "), "{text}");
    let without = Options { checkpoint: Checkpoint::None, ..bench.options() };
    let text = refused(replay(&bench.flow(), &without, 0, &[]));
    assert!(text.contains("without a checkpoint store"), "{text}");
    fs::remove_file(bench.path("store.db")).unwrap();
    assert!(matches!(again(&bench, 0), Err(Error::Store(_))));
    assert!(!bench.path("store.db").exists());
}

#[test]
fn a_sealed_iteration_that_is_not_loaded_can_be_replayed() {
    let bench = Bench::new("a 1\n");
    bench.world.die_at("store.seal", Moment::After);
    bench.run().unwrap_err();
    assert!(again(&bench, 0).unwrap().outputs.iter().all(|output| output.is_same));
    assert_eq!((bench.out().as_str(), bench.staged()), ("", 1));
}

#[test]
fn an_iteration_without_new_records_is_replayed_without_running_the_flow() {
    let bench = two_iterations();
    fs::write(bench.path("empty.log"), "unfinished").unwrap();
    bench.run().unwrap();
    let replayed = again(&bench, 2).unwrap();
    assert_eq!((replayed.ports[0].rows, replayed.counts.iter().map(|counts| counts.rows_in).sum::<u64>()), (0, 0));
}
