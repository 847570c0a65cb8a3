//! Connections that are lost: at every message of a load, before it arrives and after it was answered.

use std::{
    fmt::Write as _,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use flow_runtime::sink::{Mode, Published};
use flow_tests::postgres::{Cut, Proxy, When};

use super::place::{COUNTS, FIRST, Place, SECOND, refused, tap, ticket};

const MODES: [Mode; 3] = [Mode::Append, Mode::Replace, Mode::Merge];

/// How many loads run at once.
const THREADS: usize = 8;

#[test]
fn a_lost_answer_to_the_commit_is_answered_by_the_ledger() {
    let Some(place) = Place::new("committed") else { return };
    place.publish(Mode::Append, &COUNTS, &FIRST, 0).unwrap();
    let staged = place.stage(&COUNTS, &SECOND);
    let proxy = Proxy::start(place.server.port(), &[(When::Commit, Cut::After)]);
    let mut by_proxy = tap(&place.address_by(proxy.port(), "counts"), Mode::Append, &COUNTS);
    assert_eq!(by_proxy.publish(&staged, Some(&ticket(&COUNTS, 1))).unwrap(), Published::Before);
    assert_eq!(proxy.connections(), 2);
    assert_eq!(place.ask("SELECT count(*) FROM counts"), "7");
}

#[test]
fn a_commit_that_never_arrived_is_done_again_with_all_before_it() {
    let Some(place) = Place::new("uncommitted") else { return };
    place.publish(Mode::Append, &COUNTS, &FIRST, 0).unwrap();
    let staged = place.stage(&COUNTS, &SECOND);
    let proxy = Proxy::start(place.server.port(), &[(When::Commit, Cut::Before); 2]);
    let mut by_proxy = tap(&place.address_by(proxy.port(), "counts"), Mode::Append, &COUNTS);
    assert_eq!(by_proxy.publish(&staged, Some(&ticket(&COUNTS, 1))).unwrap(), Published::Now);
    assert_eq!(proxy.connections(), 3);
    assert_eq!(place.ask("SELECT count(*) FROM counts"), "7");
}

#[test]
fn an_answer_that_never_comes_is_not_waited_for() {
    let Some(place) = Place::new("silent") else { return };
    place.publish(Mode::Append, &COUNTS, &FIRST, 0).unwrap();
    let staged = place.stage(&COUNTS, &SECOND);
    let proxy = Proxy::start(place.server.port(), &[(When::Commit, Cut::Silence)]);
    let address = place.address_by(proxy.port(), "counts") + "&statement_timeout=500ms";
    let published = tap(&address, Mode::Append, &COUNTS).publish(&staged, Some(&ticket(&COUNTS, 1))).unwrap();
    assert_eq!((published, proxy.connections()), (Published::Before, 2));
    assert_eq!(place.ask("SELECT count(*) FROM counts"), "7");
}

#[test]
fn the_server_is_told_to_give_up_a_client_whose_machine_is_gone() {
    let Some(place) = Place::new("gone") else { return };
    place.run(
        "CREATE TABLE counts (ip text, count bigint); CREATE TABLE seen (name text, setting text);
         CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             INSERT INTO gone.seen SELECT name, setting FROM pg_settings WHERE name LIKE 'tcp%'; RETURN NULL; END $$;
         CREATE TRIGGER noted AFTER INSERT ON counts EXECUTE FUNCTION note()",
    );
    place.publish(Mode::Append, &COUNTS, &FIRST, 0).unwrap();
    assert_eq!(
        place.ask("SELECT name, setting FROM seen ORDER BY 1"),
        "tcp_keepalives_count|3\ntcp_keepalives_idle|30\ntcp_keepalives_interval|10\ntcp_user_timeout|60000"
    );
}

#[test]
fn without_a_store_a_lost_commit_is_not_tried_again() {
    let Some(place) = Place::new("untold") else { return };
    let staged = place.stage(&COUNTS, &FIRST);
    let proxy = Proxy::start(place.server.port(), &[(When::Commit, Cut::After)]);
    let mut by_proxy = tap(&place.address_by(proxy.port(), "counts"), Mode::Append, &COUNTS);
    let error = refused(by_proxy.publish(&staged, None));
    assert!(error.contains("cannot commit") && error.contains("attempt 1 of 6"), "{error}");
    assert!(error.contains("whether the rows are there is not known"), "{error}");
    assert_eq!((place.ask("SELECT count(*) FROM counts"), proxy.connections()), ("3".to_owned(), 1));
}

/// A load of the second iteration, in a schema of its own.
struct Scenario {
    schema: String,
    mode: Mode,
    cut: (When, Cut),
}

#[test]
fn wherever_a_connection_is_lost_the_rows_are_there_once() {
    let Some(place) = Place::new("losses") else { return };
    let scenarios = scenarios(&place);
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::SeqCst)) {
                    play(&place, scenario);
                }
            });
        }
    });
    let mut sql = String::new();
    for Scenario { schema, .. } in &scenarios {
        let _ = write!(
            sql,
            "SELECT (SELECT string_agg(concat(ip, '=', count), ' ' ORDER BY ip NULLS FIRST, count NULLS FIRST) FROM \
             {schema}.counts), (SELECT string_agg(concat(iteration, hash, rows), ' ') FROM {schema}.flow_ledger);"
        );
    }
    let found = place.ask(&sql);
    assert_eq!(found.lines().count(), scenarios.len());
    for (scenario, found) in scenarios.iter().zip(found.lines()) {
        let rows = match scenario.mode {
            Mode::Append => "= =1 =10 a=2 b= b=5 c=3",
            Mode::Replace => "= =10 b=5 c=3",
            Mode::Merge => "=11 a=2 b=5 c=3",
        };
        let expected = format!("{rows}|0hash of 03 1hash of 14");
        assert_eq!(found, expected, "{:?} {:?}", scenario.mode, scenario.cut);
    }
    println!("{} connections lost, 0 rows lost, 0 doubled", scenarios.len());
}

/// Every message of a load in every mode, lost before it arrives and after it was answered.
fn scenarios(place: &Place) -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    for mode in MODES {
        place.run("DROP TABLE IF EXISTS counts, flow_ledger");
        place.publish(mode, &COUNTS, &FIRST, 0).unwrap();
        let template = format!("losses_{}", mode.as_str());
        place.run(&copied("losses", &template));
        let proxy = Proxy::start(place.server.port(), &[]);
        let mut by_proxy = tap(&place.address_by(proxy.port(), "counts"), mode, &COUNTS);
        by_proxy.publish(&place.stage(&COUNTS, &SECOND), Some(&ticket(&COUNTS, 1))).unwrap();
        let messages = proxy.messages();
        assert!(messages.len() > 15, "{messages:?}");
        let former = scenarios.len();
        for (number, is_answered) in messages.into_iter().enumerate() {
            // After one that is not answered is before the next one.
            for &cut in if is_answered { &[Cut::Before, Cut::After][..] } else { &[Cut::Before] } {
                let schema = format!("losses_{}", scenarios.len());
                scenarios.push(Scenario { schema, mode, cut: (When::Nth(number), cut) });
            }
        }
        place.run(&scenarios[former..].iter().map(|scenario| copied(&template, &scenario.schema)).collect::<String>());
    }
    scenarios
}

/// A schema with the same table and ledger.
fn copied(from: &str, to: &str) -> String {
    let table = |table| {
        format!(
            "CREATE TABLE {to}.{table} (LIKE {from}.{table} INCLUDING ALL); INSERT INTO {to}.{table} TABLE {from}.{table};"
        )
    };
    format!("CREATE SCHEMA {to}; {} {}", table("counts"), table("flow_ledger"))
}

fn play(place: &Place, scenario: &Scenario) {
    let Scenario { schema, mode, cut } = scenario;
    let proxy = Proxy::start(place.server.port(), &[*cut]);
    let address = place.address_by(proxy.port(), "counts").replace("=losses.", &format!("={schema}."));
    let staged = place.stage(&COUNTS, &SECOND);
    tap(&address, *mode, &COUNTS).publish(&staged, Some(&ticket(&COUNTS, 1))).unwrap();
}
