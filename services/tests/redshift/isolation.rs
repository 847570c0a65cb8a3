//! What transactions see of each other, and what they wait for.

use std::{io::Write as _, net::TcpStream, thread};

use flow_services::{
    ministack, postgres, redshift,
    redshift::{Isolation, Redshift},
};
use serde_json::json;

use crate::client::Client;

const BOTH: [Isolation; 2] = [Isolation::Snapshot, Isolation::Serializable];

/// A warehouse of this isolation, with an empty ledger.
fn warehouse(isolation: Isolation) -> Option<Redshift> {
    let redshift = Redshift::start(postgres::server()?, isolation, ministack()?.port());
    Client::connect(&redshift).rows("CREATE TABLE ledger (n int)");
    Some(redshift)
}

/// Two transactions begin by these statements, the second one before the first is done; both note their load unless the
/// ledger has it. Says how the second one ends, and what is in the ledger then.
fn load_twice(redshift: &Redshift, beginning: &[&str]) -> (String, Vec<String>) {
    let (mut first, mut second) = (Client::connect(redshift), Client::connect(redshift));
    let (check, note) = ("SELECT count(*) FROM ledger", "INSERT INTO ledger VALUES (1)");
    let begin = |client: &mut Client| {
        client.rows("BEGIN");
        beginning.iter().for_each(|sql| drop(client.rows(sql)));
        client.rows(check)[0] == "0"
    };
    assert!(begin(&mut first));
    let is_locked = beginning.iter().any(|sql| sql.starts_with("LOCK"));
    let end = thread::scope(|scope| {
        // One that locks cannot begin before the first is done.
        let begun = scope.spawn(|| begin(&mut second));
        let begun = if is_locked {
            redshift.await_waiting(1, "ledger");
            Err(begun)
        } else {
            Ok(begun.join().unwrap())
        };
        first.rows(note);
        first.rows("COMMIT");
        begun.unwrap_or_else(|begun| begun.join().unwrap())
    });
    let ends = if end { vec![note, "COMMIT"] } else { vec!["ROLLBACK"] };
    let error = ends.iter().map(|sql| second.ask(sql).error()).find(|error| !error.is_empty());
    let loaded = Client::connect(redshift).rows(check);
    (error.unwrap_or_else(|| ends.join(" ")), loaded)
}

#[test]
fn a_lock_that_comes_first_takes_no_snapshot() {
    for isolation in BOTH {
        let Some(redshift) = warehouse(isolation) else { return };
        let (end, loaded) = load_twice(&redshift, &["LOCK ledger"]);
        assert_eq!((end.as_str(), loaded[0].as_str()), ("ROLLBACK", "1"), "{isolation:?}");
    }
}

#[test]
fn a_lock_that_comes_after_the_snapshot_is_too_late() {
    for (isolation, wanted, rows) in [
        (Isolation::Snapshot, "INSERT INTO ledger VALUES (1) COMMIT", "2"),
        (Isolation::Serializable, "XX000 1023", "1"),
    ] {
        let Some(redshift) = warehouse(isolation) else { return };
        let (end, loaded) = load_twice(&redshift, &["SELECT 1", "LOCK TABLE ledger"]);
        assert_eq!((end.as_str(), loaded[0].as_str()), (wanted, rows), "{isolation:?}");
    }
}

#[test]
fn a_check_without_a_lock_is_none() {
    for (isolation, wanted, rows) in [
        (Isolation::Snapshot, "INSERT INTO ledger VALUES (1) COMMIT", "2"),
        (Isolation::Serializable, "XX000 1023", "1"),
    ] {
        let Some(redshift) = warehouse(isolation) else { return };
        let (end, loaded) = load_twice(&redshift, &[]);
        assert_eq!((end.as_str(), loaded[0].as_str()), (wanted, rows), "{isolation:?}");
    }
}

#[test]
fn a_lock_in_a_request_of_several_statements_comes_after_the_snapshot() {
    let Some(redshift) = warehouse(Isolation::Snapshot) else { return };
    let (mut first, mut second) = (Client::connect(&redshift), Client::connect(&redshift));
    first.rows("BEGIN");
    first.rows("LOCK ledger");
    first.rows("INSERT INTO ledger VALUES (1)");
    thread::scope(|scope| {
        let found = scope.spawn(|| second.rows("BEGIN; LOCK ledger; SELECT count(*) FROM ledger"));
        redshift.await_waiting(1, "ledger");
        first.rows("COMMIT");
        assert_eq!(found.join().unwrap(), ["0"]);
    });
}

#[test]
fn a_violation_names_the_session() {
    let Some(redshift) = warehouse(Isolation::Serializable) else { return };
    let (mut first, mut second) = (Client::connect(&redshift), Client::connect(&redshift));
    for client in [&mut first, &mut second] {
        client.rows("BEGIN ISOLATION LEVEL READ COMMITTED");
        client.rows("SELECT * FROM ledger");
    }
    first.rows("INSERT INTO ledger VALUES (1)");
    first.rows("COMMIT");
    let (code, text, detail) = second.ask("INSERT INTO ledger VALUES (2)").error.unwrap();
    assert_eq!((code.as_str(), text.as_str()), ("XX000", "1023"));
    assert!(detail.starts_with("Serializable isolation violation on table"), "{detail}");
    assert!(detail.ends_with(&format!("(pid:{})", second.pid)), "{detail}");
}

#[test]
fn writers_of_a_row_conflict_under_snapshot_isolation() {
    let Some(redshift) = warehouse(Isolation::Snapshot) else { return };
    let (mut first, mut second) = (Client::connect(&redshift), Client::connect(&redshift));
    first.rows("INSERT INTO ledger VALUES (1)");
    second.rows("BEGIN");
    second.rows("SELECT * FROM ledger");
    first.rows("UPDATE ledger SET n = 2");
    let error = second.error("UPDATE ledger SET n = 3");
    assert_eq!(error, "XX000 could not complete because of conflict with concurrent transaction");
}

#[test]
fn writers_of_a_table_queue_and_can_be_looked_up() {
    let (Some(redshift), Some(s3)) = (redshift(), ministack()) else { return };
    s3.create_bucket("queue");
    s3.put_object("queue", "part", "1\n");
    let manifest = json!({ "entries": [{ "url": "s3://queue/part", "mandatory": true }] });
    s3.put_object("queue", "manifest", manifest.to_string());
    let (mut first, mut second, mut reader) =
        (Client::connect(redshift), Client::connect(redshift), Client::connect(redshift));
    first.rows("CREATE TABLE queue (n int)");
    first.rows("BEGIN");
    let copy = "COPY queue FROM 's3://queue/manifest' IAM_ROLE default MANIFEST";
    first.rows(copy);
    let pid = second.pid;
    thread::scope(|scope| {
        let loaded = scope.spawn(|| second.rows(copy));
        redshift.await_waiting(1, "queue");
        let holders =
            "SELECT lock_owner_pid, trim(lock_status) FROM stv_locks WHERE table_id = 'queue'::regclass ORDER BY 2";
        let wanted = [format!("{}|Holding write lock", first.pid), format!("{pid}|Waiting for write lock")];
        assert_eq!(reader.rows(holders), wanted);
        // Readers wait for nobody but who locks.
        assert_eq!(reader.rows("SELECT count(*) FROM queue"), ["0"]);
        first.rows("COMMIT");
        loaded.join().unwrap();
    });
    assert_eq!(reader.rows("SELECT count(*) FROM queue"), ["2"]);
}

#[test]
fn a_session_that_holds_a_lock_can_be_ended_by_another() {
    let Some(redshift) = redshift() else { return };
    let (mut holder, mut other) = (Client::connect(redshift), Client::connect(redshift));
    holder.rows("CREATE TABLE held (n int)");
    holder.rows("BEGIN");
    holder.rows("LOCK held");
    let pid = "SELECT lock_owner_pid FROM stv_locks WHERE table_id = 'held'::regclass";
    assert_eq!(other.rows(pid), [holder.pid.to_string()]);
    other.rows(&format!("SELECT pg_terminate_backend({})", holder.pid));
    assert_eq!(other.rows("SELECT count(*) FROM held"), ["0"]);
    assert!(holder.error("SELECT 1").starts_with("57P01"));
}

#[test]
fn who_is_no_superuser_sees_nobody_else() {
    let Some(redshift) = redshift() else { return };
    let mut holder = Client::connect(redshift);
    holder.rows("CREATE TABLE hidden (n int)");
    holder.rows("CREATE ROLE plain LOGIN");
    holder.rows("BEGIN");
    holder.rows("LOCK hidden");
    let mut other = Client::try_connect(redshift, &[("user", "plain"), ("database", "dev")]).unwrap();
    let seen =
        "SELECT count(*) FROM svv_transactions WHERE relation = (SELECT oid FROM pg_class WHERE relname = 'hidden')";
    assert_eq!(other.rows(seen), ["0"]);
    assert_eq!(Client::connect(redshift).rows(seen), ["1"]);
}

#[test]
fn two_that_wait_for_each_other_are_told() {
    let Some(redshift) = redshift() else { return };
    let (mut first, mut second) = (Client::connect(redshift), Client::connect(redshift));
    first.rows("CREATE TABLE dead (n int); CREATE TABLE lock (n int)");
    first.rows("BEGIN; INSERT INTO dead VALUES (1)");
    second.rows("BEGIN; INSERT INTO lock VALUES (1)");
    thread::scope(|scope| {
        let answer = scope.spawn(|| {
            let answer = first.ask("INSERT INTO lock VALUES (1)");
            first.ask("ROLLBACK");
            answer
        });
        let other = second.ask("INSERT INTO dead VALUES (1)");
        second.ask("ROLLBACK");
        let errors = [answer.join().unwrap().error(), other.error()];
        assert_eq!(errors.iter().filter(|error| *error == "40P01 deadlock detected").count(), 1, "{errors:?}");
    });
}

#[test]
fn a_statement_that_waits_can_be_cancelled_and_its_session_ended() {
    let Some(redshift) = redshift() else { return };
    let mut holder = Client::connect(redshift);
    holder.rows("CREATE TABLE waited (n int)");
    holder.rows("BEGIN; LOCK waited");
    for (end, wanted) in [("cancel", "57014"), ("terminate", "57P01")] {
        let mut waiting = Client::connect(redshift);
        let (pid, cancellation) = (waiting.pid, waiting.cancellation());
        waiting.rows("BEGIN");
        thread::scope(|scope| {
            let error = scope.spawn(|| waiting.error("LOCK waited"));
            redshift.await_waiting(1, "waited");
            match end {
                "cancel" => {
                    let mut other = TcpStream::connect(("127.0.0.1", redshift.port())).unwrap();
                    other.write_all(&cancellation).unwrap();
                }
                _ => redshift.run(&format!("SELECT pg_terminate_backend({pid})")),
            }
            let error = error.join().unwrap();
            assert!(error.starts_with(wanted), "{error}");
        });
    }
}
