//! Targets that change between runs: what does not fit is found before anything is read.

use std::fs;

use super::{super::*, bench::Bench, flow::WordTotals};
use crate::{Sink, effect::Moment, iteration::State};

fn run_to(bench: &Bench, out: &str) -> Result<Outcome, Error> {
    let out = Sink::at(format!("file:{}", bench.path("target").join(out).display()));
    bench.run_flow(&WordTotals { out, ..bench.flow() }, &bench.options())
}

fn held(run: Result<Outcome, Error>) -> String {
    match run {
        Err(Error::Held(failure)) => failure.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_target_is_held_before_the_seal_and_the_old_one_still_works() {
    let bench = Bench::new("a 1\n");
    run_to(&bench, "out.csv").unwrap();
    bench.append("b 2\n");
    let text = held(run_to(&bench, "february.csv"));
    assert!(text.contains("port `out`") && text.contains("february.csv"), "{text}");
    let [_, held] = &bench.list()[..] else { panic!("two iterations") };
    assert_eq!((held.state, held.records, bench.totals().as_str()), (State::Held, 0, "a=1 x=1 y=1"));
    run_to(&bench, "out.csv").unwrap();
    assert_eq!((bench.out().as_str(), bench.totals().as_str()), ("a 1\nb 2\n", "a=1 b=1 x=2 y=2"));
}

#[test]
fn a_new_target_begins_where_its_address_says() {
    let bench = Bench::new("a 1\n");
    run_to(&bench, "out.csv").unwrap();
    bench.append("b 2\n");
    let text = held(run_to(&bench, "february.csv"));
    assert!(text.contains("add the option from=1 to its address"), "{text}");
    held(run_to(&bench, "february.csv?from=2"));
    run_to(&bench, "february.csv?from=1").unwrap();
    bench.append("c 3\n");
    run_to(&bench, "february.csv?from=1").unwrap();
    assert_eq!((bench.out().as_str(), bench.read("target/february.csv").as_str()), ("a 1\n", "b 2\nc 3\n"));

    // What came before is the only thing that need not be there.
    bench.append("d 4\n");
    fs::remove_file(bench.path("target/february.csv.flow")).unwrap();
    held(run_to(&bench, "february.csv?from=1"));
}

#[test]
fn a_file_of_another_flow_is_refused_before_the_seal() {
    let bench = Bench::new("a 1\n");
    run_to(&bench, "out.csv").unwrap();
    let sidecar = bench.path("target/out.csv.flow");
    let foreign = fs::read_to_string(&sidecar).unwrap().replace("word_totals", "others");
    let (foreign, _) = foreign.split_once(r#","checksum""#).unwrap();
    let checksum = xxhash_rust::xxh3::xxh3_64(format!("{foreign}}}").as_bytes());
    fs::write(&sidecar, format!(r#"{foreign},"checksum":"{checksum:016x}"}}"#)).unwrap();
    bench.append("b 2\n");
    let error = run_to(&bench, "out.csv").unwrap_err().to_string();
    assert!(error.contains("of flow others"), "{error}");
    assert_eq!((bench.states(), bench.totals().as_str()), (vec![State::Done], "a=1 x=1 y=1"));
}

#[test]
fn a_leftover_is_published_to_its_place_however_that_is_written_now() {
    let bench = Bench::new("a 1\n");
    bench.world.die_at("store.seal", Moment::After);
    run_to(&bench, "out.csv").unwrap_err();
    bench.world.restart();
    let text = held(run_to(&bench, "february.csv"));
    assert!(text.contains("cannot be published as the flow is now"), "{text}");
    assert_eq!(run_to(&bench, "../target/./out.csv?header=false").unwrap().resumed, [0]);
    assert_eq!(bench.out(), "a 1\n");
}

#[test]
fn a_dead_target_keeps_no_other_from_being_loaded_and_holds_back_what_comes_next() {
    let bench = Bench::new("a 1\nbad 2\n");
    let apart = bench.path("target/apart");
    let away = bench.path("target/away");
    fs::create_dir(&apart).unwrap();
    run_to(&bench, "apart/out.csv").unwrap();

    bench.append("b 3\nbad 4\n");
    let (from, to) = (apart.clone(), away.clone());
    bench.world.act_at("store.seal", Moment::After, move || fs::rename(&from, &to).unwrap());
    let error = run_to(&bench, "apart/out.csv").unwrap_err();
    assert!(matches!(&error, Error::Target(failure) if failure.to_string().contains("apart/out.csv")), "{error}");
    assert_eq!((bench.totals().as_str(), bench.trapped()), ("a=1 b=1 x=2 y=2", 2));
    let [_, waits] = &bench.list()[..] else { panic!("two iterations") };
    assert_eq!((waits.state, waits.note.as_str(), bench.staged()), (State::Sealed, "waits for out", 1));

    // However much comes, no more than one iteration waits.
    bench.world.restart();
    bench.append("c 5\n");
    run_to(&bench, "apart/out.csv").unwrap_err();
    assert_eq!((bench.states().len(), bench.staged(), bench.totals().as_str()), (2, 1, "a=1 b=1 x=2 y=2"));

    fs::rename(&away, &apart).unwrap();
    assert_eq!(run_to(&bench, "apart/out.csv").unwrap().resumed, [1]);
    assert_eq!((bench.read("target/apart/out.csv").as_str(), bench.staged()), ("a 1\nb 3\nc 5\n", 0));
    assert_eq!(bench.totals(), "a=1 b=1 c=1 x=3 y=3");
}
