//! Each fault does what it says to the statement that it is meant for, and to no other.

use std::{io::ErrorKind, thread, time::Duration};

use flow_services::{
    Calls, redshift,
    redshift::{Fault, Redshift, Rule},
};

use crate::client::Client;

/// Writes a row in a transaction through a door with this rule; says at which statement that failed, and how.
fn write(door: &Redshift, table: &str, stalls_at: Option<&str>) -> Option<(&'static str, String)> {
    let mut client = Client::connect(door);
    let insert = format!("INSERT INTO {table} VALUES (1)");
    for (name, sql) in [("begin", "BEGIN"), ("insert", &insert), ("commit", "COMMIT")] {
        if stalls_at == Some(name) {
            client.set_patience(Duration::from_millis(300));
        }
        match client.try_ask(sql) {
            Err(error) => return Some((name, error.kind().to_string())),
            Ok(answer) if answer.error.is_some() => return Some((name, answer.error())),
            Ok(_) => {}
        }
    }
    None
}

fn rows(redshift: &Redshift, table: &str) -> String {
    Client::connect(redshift).rows(&format!("SELECT count(*) FROM {table}")).remove(0)
}

#[test]
fn a_statement_is_lost_before_it_is_done_or_its_answer_after() {
    let Some(redshift) = redshift() else { return };
    let reset = ErrorKind::ConnectionReset.to_string();
    let stalled = ErrorKind::WouldBlock.to_string();
    let failed = "XX000 Query cancelled on system's request: the node is restarting".to_owned();
    let conflict = "XX000 could not complete because of conflict with concurrent transaction".to_owned();
    let deadlock = "40P01 deadlock detected".to_owned();
    for (at, fault, error, written) in [
        ("begin", Fault::ResetBefore, &reset, "0"),
        ("insert", Fault::ResetBefore, &reset, "0"),
        ("insert", Fault::ResetAfter, &reset, "0"),
        ("insert", Fault::ErrorAfter, &failed, "0"),
        ("insert", Fault::Conflict, &conflict, "0"),
        ("insert", Fault::Deadlock, &deadlock, "0"),
        ("commit", Fault::ResetBefore, &reset, "0"),
        ("commit", Fault::ResetAfter, &reset, "1"),
        ("commit", Fault::ErrorAfter, &failed, "1"),
        ("commit", Fault::Stalled, &stalled, "1"),
        ("commit", Fault::Conflict, &conflict, "0"),
    ] {
        let table = format!("broken_{at}_{fault:?}").to_lowercase();
        Client::connect(redshift).rows(&format!("CREATE TABLE {table} (n int)"));
        let door = redshift.broken(&[Rule::nth(at, 1, fault)]);
        let stalls_at = (fault == Fault::Stalled).then_some(at);
        assert_eq!(write(&door, &table, stalls_at), Some((at, error.clone())), "{at} {fault:?}");
        let struck: Vec<String> = door.struck().iter().map(ToString::to_string).collect();
        assert_eq!(struck, [format!("{at}#1 {fault:?}")]);
        assert_eq!(rows(redshift, &table), written, "{at} {fault:?}");
        // The rule was for the first only.
        assert_eq!(write(&door, &table, None), None);
    }
}

#[test]
fn a_transaction_goes_on_only_where_a_statement_was_done() {
    let Some(redshift) = redshift() else { return };
    for (fault, status) in [(Fault::ErrorAfter, 'T'), (Fault::Conflict, 'E')] {
        let mut client = Client::connect(&redshift.broken(&[Rule::first("select", 1, fault)]));
        client.rows("BEGIN");
        assert_eq!(client.ask("SELECT 1").status, status, "{fault:?}");
    }
}

#[test]
fn a_connection_is_lost_as_it_begins() {
    let Some(redshift) = redshift() else { return };
    let door = redshift.broken(&[Rule { statement: "connect", calls: Calls::Every(2), fault: Fault::ResetBefore }]);
    assert!(Client::try_connect(&door, &[]).is_ok());
    assert!(Client::try_connect(&door, &[]).is_err());
    assert!(Client::try_connect(&door, &[]).is_ok());
    door.obey(&[]);
    assert!(Client::try_connect(&door, &[]).is_ok());
    assert_eq!(door.calls()["connect"], 1);
}

#[test]
fn a_session_without_a_client_holds_its_locks_until_it_ends() {
    let Some(redshift) = redshift() else { return };
    for (fault, written) in [(Fault::Zombie, "0"), (Fault::Late, "1")] {
        let table = format!("haunted_{fault:?}").to_lowercase();
        let mut other = Client::connect(redshift);
        other.rows(&format!("CREATE TABLE {table} (n int)"));
        let door = redshift.broken(&[Rule::nth("commit", 1, fault)]);
        assert_eq!(write(&door, &table, None), Some(("commit", ErrorKind::ConnectionReset.to_string())));
        door.await_zombies(1);
        assert_eq!(other.rows(&format!("SELECT count(*) FROM {table}")), ["0"]);
        thread::scope(|scope| {
            let locked = scope.spawn(|| {
                other.rows("BEGIN");
                other.rows(&format!("LOCK {table}"));
                other.rows(&format!("SELECT count(*) FROM {table}"))
            });
            redshift.await_waiting(1, &table);
            door.end_zombies();
            assert_eq!(locked.join().unwrap(), [written], "{fault:?}");
        });
    }
}
