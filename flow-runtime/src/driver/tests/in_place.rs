//! Replaying in place: the rows of an iteration take the place of those that its target has, all or none of them.

use std::fs;

use rusqlite::Connection;

use super::{
    bench::{Bench, die_at_each, moments_of},
    flow::WordTotals,
    *,
};
use crate::{Sink, effect::Moment};

/// The totals of each iteration by themselves, with its number.
fn flow(bench: &Bench, options: &str) -> WordTotals {
    let totals = format!("sqlite:{}?table=totals{options}", bench.path("target/totals.db").display());
    WordTotals { totals: Sink::at(totals).append(), ..bench.flow() }
}

fn marked(bench: &Bench) -> WordTotals {
    flow(bench, "&iteration_column=n")
}

/// Two iterations, `a 1` and then `b 3`, `a 5`; and a table that has changed since: `x` and `y` then, now `z`.
fn changed() -> Bench {
    let bench = Bench::new("a 1\n");
    bench.run_flow(&marked(&bench), &bench.options()).unwrap();
    bench.append("b 3\nbad 4\na 5\n");
    bench.run_flow(&marked(&bench), &bench.options()).unwrap();
    fs::write(bench.path("hosts.txt"), "z\n").unwrap();
    bench
}

/// `iteration:word=count …`
fn rows(bench: &Bench) -> String {
    let connection = Connection::open(bench.path("target/totals.db")).unwrap();
    let sql = "SELECT coalesce(n, '-') || ':' || word || '=' || count FROM totals ORDER BY n, word";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.collect::<Result<Vec<_>, _>>().unwrap().join(" ")
}

const BEFORE: &str = "0:a=1 0:x=1 0:y=1 1:a=1 1:b=1 1:x=1 1:y=1";
const AFTER: &str = "0:a=1 0:x=1 0:y=1 1:a=1 1:b=1 1:z=1";

fn again(bench: &Bench, flow: &WordTotals, iteration: u64) -> Result<Replayed, Error> {
    bench.in_world(|| replay_in_place(flow, &bench.options(), iteration, &["totals"], false))
}

fn execute(bench: &Bench, sql: &str) {
    Connection::open(bench.path("target/totals.db")).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn rows_take_the_place_of_those_of_their_iteration() {
    let bench = changed();
    assert_eq!(rows(&bench), BEFORE);
    let flow = marked(&bench);
    let looked = look_at_replay(&flow, &bench.options(), 1, &["totals"]).unwrap();
    assert_eq!(looked.iter().map(|found| (found.port.as_str(), found.rows)).collect::<Vec<_>>(), [("totals", 4)]);
    let replayed = again(&bench, &flow, 1).unwrap();
    assert_eq!((replayed.replaced.as_slice(), rows(&bench).as_str()), (looked.as_slice(), AFTER));
    assert_eq!(again(&bench, &flow, 1).unwrap().replaced[0].rows, 3, "it can be done again");
    assert_eq!(rows(&bench), AFTER);
    // The store and the ledger still go together.
    bench.append("c 6\n");
    bench.run_flow(&flow, &bench.options()).unwrap();
    assert_eq!(rows(&bench), format!("{AFTER} 2:c=1 2:z=1"));
    assert_eq!(bench.staged(), 0);
}

#[test]
fn wherever_it_dies_the_former_rows_are_there_or_the_new_ones() {
    let moments = {
        let bench = changed();
        moments_of(&bench, |bench| again(bench, &marked(bench), 1).map(drop))
    };
    assert!(moments.iter().any(|(effect, _)| effect == "sqlite.remove"), "{moments:?}");
    die_at_each(&moments, |moment, passed| {
        let bench = changed();
        let mut left = passed;
        bench.world.watch(move |_, _| {
            left = left.wrapping_sub(1);
            left != usize::MAX
        });
        let died = again(&bench, &marked(&bench), 1);
        bench.world.restart();
        let found = rows(&bench);
        assert!(found == BEFORE || found == AFTER, "{moment:?}: {found}");
        assert!(died.is_err() || found == AFTER, "{moment:?}: it said that it was done");
        again(&bench, &marked(&bench), 1).unwrap();
        bench.append("c 6\n");
        bench.run_flow(&marked(&bench), &bench.options()).unwrap();
        assert_eq!(rows(&bench), format!("{AFTER} 2:c=1 2:z=1"), "{moment:?}");
    });
}

fn held(bench: &Bench) -> String {
    match again(bench, &marked(bench), 1) {
        Err(error @ Error::Held(_)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn rows_that_are_not_those_that_were_loaded_are_left_alone() {
    for (sql, told) in [
        (
            "DELETE FROM totals WHERE n = 1 AND word = 'a'",
            "the ledger has noted 4, the column n names the iteration in 3",
        ),
        ("INSERT INTO totals VALUES ('k', 1, 1)", "the ledger has noted 4, the column n names the iteration in 5"),
        (
            "UPDATE flow_ledger SET hash = 'h' WHERE iteration = 1",
            "but of other rows than the checkpoint store has sealed",
        ),
        ("UPDATE flow_ledger SET epoch = 'e' WHERE iteration = 1", "the target's ledger does not have the iteration"),
        ("DELETE FROM flow_ledger", "the target's ledger does not have the iteration"),
        ("DROP TABLE totals; DROP TABLE flow_ledger", "the target's ledger does not have the iteration"),
    ] {
        let bench = changed();
        execute(&bench, sql);
        let before = fs::read(bench.path("target/totals.db")).unwrap();
        let text = held(&bench);
        assert!(text.contains(told) && text.contains("nothing was changed"), "{sql}: {text}");
        assert_eq!(fs::read(bench.path("target/totals.db")).unwrap(), before, "{sql}");
    }
}

#[test]
fn who_does_not_ask_for_it_changes_nothing() {
    let bench = changed();
    let text = replay(&marked(&bench), &bench.options(), 1, &["totals"]).unwrap_err().to_string();
    assert!(text.contains("the flow loads this target"), "{text}");
    assert_eq!(rows(&bench), BEFORE);
}

#[test]
fn a_target_that_keeps_no_iterations_says_how_it_would() {
    let bench = changed();
    execute(&bench, "ALTER TABLE totals DROP COLUMN n");
    let refused = |flow: &WordTotals, port: &str| match replay_in_place(flow, &bench.options(), 1, &[port], false) {
        Err(error @ Error::Config(_)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let text = refused(&flow(&bench, ""), "totals");
    assert!(text.contains("port `totals`") && text.contains("iteration_column=flow_iteration"), "{text}");
    for port in ["out", "bad"] {
        let text = refused(&flow(&bench, ""), port);
        assert!(text.contains("another target, or stdout:"), "{port}: {text}");
    }
    // The column is there from now on: what was loaded before it is not known by it.
    let text = again(&bench, &marked(&bench), 1).unwrap_err().to_string();
    assert!(text.contains(r#"ALTER TABLE "totals" ADD COLUMN "n" INTEGER"#), "{text}");
    execute(&bench, r#"ALTER TABLE "totals" ADD COLUMN "n" INTEGER"#);
    assert!(held(&bench).contains("the ledger has noted 4, the column n names the iteration in 0"));
    bench.append("c 6\n");
    bench.run_flow(&marked(&bench), &bench.options()).unwrap();
    assert_eq!(again(&bench, &marked(&bench), 2).unwrap().replaced[0].rows, 2);
}

#[test]
fn an_iteration_that_is_not_loaded_is_loaded_first() {
    let bench = changed();
    bench.append("c 6\n");
    bench.world.die_at("store.seal", Moment::After);
    bench.run_flow(&marked(&bench), &bench.options()).unwrap_err();
    bench.world.restart();
    let text = again(&bench, &marked(&bench), 2).unwrap_err().to_string();
    assert!(text.contains("the target does not have iteration 2 yet"), "{text}");
}

#[test]
fn another_target_is_not_replaced_but_must_be_empty() {
    let bench = changed();
    let other = Sink::at(format!("sqlite:{}?table=other&iteration_column=n", bench.path("target/totals.db").display()));
    let flow = WordTotals { totals: other.append(), ..bench.flow() };
    let replayed = again(&bench, &flow, 1).unwrap();
    assert_eq!((replayed.published, replayed.replaced), (vec!["totals".to_owned()], Vec::new()));
    execute(&bench, "CREATE TABLE found AS SELECT count(*) AS rows, min(n) AS least, max(n) AS most FROM other");
    let found: (u64, u64, u64) = Connection::open(bench.path("target/totals.db"))
        .unwrap()
        .query_row("SELECT * FROM found", [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap();
    assert_eq!(found, (3, 1, 1));
    assert!(matches!(again(&bench, &flow, 1), Err(Error::Target(_))));
}
