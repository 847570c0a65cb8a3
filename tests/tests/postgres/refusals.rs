//! What a server, or flow on its behalf, refuses, and what is said of it.

use flow_runtime::{
    Error,
    plan::{FieldPlan, PortPlan},
    sink::{Mode, Published, Ticket},
    value::Type,
};

use super::place::{COUNTS, FIRST, Place, SECOND, nullable, refused, sink, tap, ticket};

#[test]
fn a_table_of_another_shape_is_refused_with_both_lists() {
    let Some(place) = Place::new("shapes") else { return };
    for (columns, found) in [
        ("ip text", "ip text"),
        ("ip text, count integer", "ip text, count integer"),
        ("ip text, count bigint, more text", "ip text, count bigint, more text"),
        ("\"IP\" text, count bigint", "IP text, count bigint"),
        ("ip varchar(10), count bigint", "ip character varying(10), count bigint"),
        ("ip text NOT NULL, count bigint", "ip text NOT NULL, count bigint"),
        ("", ""),
    ] {
        place.run(&format!("DROP TABLE IF EXISTS counts; CREATE TABLE counts ({columns})"));
        let check = refused(place.tap(Mode::Append, &COUNTS).check());
        let port = place.server.port();
        let expected = format!(
            "the table has other columns than the sink (port `counts`, 127.0.0.1:{port}/postgres, table shapes.counts): \
             expected (ip text, count bigint), found ({found}); "
        );
        assert!(check.starts_with(&expected), "{check}");
        assert!(check.contains("give another table with ?table="), "{check}");
        assert_eq!(refused(place.publish(Mode::Append, &COUNTS, &FIRST, 0)), check);
    }
    place.run("DROP TABLE counts; CREATE TABLE counts (count bigint, ip text)");
    place.publish(Mode::Append, &COUNTS, &FIRST, 0).unwrap();
    assert_eq!(place.ask("SELECT sum(count) FROM counts WHERE ip = 'a'"), "2", "the order of columns does not matter");
}

#[test]
fn what_is_no_durable_table_is_refused() {
    let Some(place) = Place::new("kinds") else { return };
    let check = |sql: &str| {
        place.run(sql);
        refused(place.tap(Mode::Append, &COUNTS).check())
    };
    assert!(check("CREATE VIEW counts AS SELECT ''::text AS ip, 1::bigint AS count").contains("this is no table"));
    let unlogged = check("DROP VIEW counts; CREATE UNLOGGED TABLE counts (ip text, count bigint)");
    assert!(unlogged.contains("a crash of the server empties it"), "{unlogged}");
    place.run(
        "DROP TABLE counts; CREATE TABLE counts (ip text, count bigint) PARTITION BY HASH (ip); \
               CREATE TABLE part PARTITION OF counts FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
    );
    place.tap(Mode::Append, &COUNTS).check().unwrap();
    place.publish(Mode::Merge, &COUNTS, &FIRST, 0).unwrap();
    place.publish(Mode::Merge, &COUNTS, &SECOND, 1).unwrap();
    assert_eq!(place.ask("SELECT count(*), sum(count) FROM counts"), "4|21");
}

#[test]
fn a_type_that_does_not_exist_is_found_by_checking() {
    static FIELDS: [FieldPlan; 1] =
        [FieldPlan { name: "ip", ty: Type::Text, nullable: true, column: Some("varchr(9)"), add: false }];
    static PORT: PortPlan = sink("mistyped", &FIELDS, &[]);
    let Some(place) = Place::new("mistyped") else { return };
    let error = refused(place.tap(Mode::Append, &PORT).check());
    assert!(error.contains("type \"varchr\" does not exist") && error.contains("as varchar(100)"), "{error}");
}

#[test]
fn checking_makes_nothing() {
    let Some(place) = Place::new("untouched") else { return };
    let tap = place.tap(Mode::Merge, &COUNTS);
    tap.check().unwrap();
    tap.check_without_store().unwrap();
    tap.check_ledger(&ticket(&COUNTS, 0)).unwrap();
    assert_eq!(place.ask("SELECT count(*) FROM pg_class WHERE relnamespace = 'untouched'::regnamespace"), "0");
}

#[test]
fn a_user_who_may_not_load_is_told_what_is_missing() {
    let Some(place) = Place::new("rights") else { return };
    place.run("CREATE ROLE loader LOGIN");
    let check = |sql: &str, mode| {
        place.run(sql);
        tap(&place.address("counts").replace("flow@", "loader@"), mode, &COUNTS).check()
    };
    let lacks = |sql: &str, mode, what: &str| {
        let error = refused(check(sql, mode));
        assert!(error.contains(what), "{error}");
    };
    lacks("", Mode::Append, "may not use the schema `rights`");
    lacks("GRANT USAGE ON SCHEMA rights TO loader", Mode::Append, "may not make the table counts");
    let made = "CREATE TABLE counts (ip text, count bigint); GRANT INSERT ON counts TO loader";
    lacks(made, Mode::Append, "may not make the table flow_ledger");
    check("GRANT CREATE ON SCHEMA rights TO loader", Mode::Append).unwrap();
    lacks("", Mode::Replace, "lacks the right DELETE on the table counts");
    lacks("", Mode::Merge, "lacks the right SELECT on the table counts");
    lacks("GRANT SELECT ON counts TO loader", Mode::Merge, "lacks the right UPDATE on the table counts");
    check("GRANT UPDATE ON counts TO loader", Mode::Merge).unwrap();
    let staged = place.stage(&COUNTS, &FIRST);
    let mut by_loader = tap(&place.address("counts").replace("flow@", "loader@"), Mode::Merge, &COUNTS);
    assert_eq!(by_loader.publish(&staged, Some(&ticket(&COUNTS, 0))).unwrap(), Published::Now);
    // Once both are there, making is no longer needed.
    check("REVOKE CREATE ON SCHEMA rights FROM loader", Mode::Merge).unwrap();
    assert_eq!(by_loader.publish(&staged, Some(&ticket(&COUNTS, 1))).unwrap(), Published::Now);
}

#[test]
fn doors_that_are_shut_are_told_without_secrets() {
    let Some(place) = Place::new("doors") else { return };
    place.run("CREATE ROLE guarded LOGIN SUPERUSER PASSWORD 'sword:fish@'; CREATE ROLE barred LOGIN");
    let check = |user: &str, rest: &str| {
        let address = place.address("counts").replace("flow@", user) + rest;
        tap(&address, Mode::Append, &COUNTS).check()
    };
    check("guarded:sword%3Afish%40@", "").unwrap();
    let wrong = refused(check("guarded:swordfish@", ""));
    assert!(wrong.contains("cannot connect") && wrong.contains("password authentication failed"), "{wrong}");
    assert!(wrong.contains("PGPASSWORD") && !wrong.contains("swordfish"), "{wrong}");
    let none = refused(check("guarded@", ""));
    assert!(none.contains("password missing") && none.contains("PGPASSWORD"), "{none}");
    let barred = refused(check("barred@", ""));
    assert!(barred.contains("pg_hba.conf"), "{barred}");
    let nobody = place.address("counts").replace("/postgres?", "/nowhere?");
    let error = refused(tap(&nobody, Mode::Append, &COUNTS).check());
    assert!(error.contains("database \"nowhere\" does not exist; make the database first"), "{error}");
    let schema = place.address("counts").replace("=doors.", "=nowhere.");
    let error = refused(tap(&schema, Mode::Append, &COUNTS).check());
    assert!(error.contains("there is no schema `nowhere`"), "{error}");
}

#[test]
fn a_row_that_the_table_forbids_publishes_nothing() {
    let Some(place) = Place::new("forbidding") else { return };
    place.run("CREATE TABLE counts (ip text, count bigint CHECK (count < 5))");
    let error = refused(place.publish(Mode::Append, &COUNTS, &SECOND, 0));
    assert!(error.contains("violates check constraint") && error.contains("COPY counts, line 1"), "{error}");
    let error = refused(place.publish(Mode::Merge, &COUNTS, &SECOND, 0));
    assert!(error.contains("violates check constraint") && error.contains("Failing row contains"), "{error}");
    // One that is checked only at the commit.
    place.run(
        "DROP TABLE counts; CREATE TABLE counts (ip text UNIQUE DEFERRABLE INITIALLY DEFERRED, count bigint); \
         INSERT INTO counts VALUES ('b', 0)",
    );
    let error = refused(place.publish(Mode::Append, &COUNTS, &SECOND, 0));
    assert!(error.contains("cannot commit") && error.contains("Key (ip)=(b) already exists"), "{error}");
    assert_eq!(place.ask("SELECT count(*) FROM counts; SELECT count(*) FROM flow_ledger"), "1\n0");
}

#[test]
fn a_table_that_does_not_take_every_row_is_found_out() {
    let Some(place) = Place::new("dropping") else { return };
    place.run(
        "CREATE TABLE counts (ip text, count bigint); CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN IF NEW.ip = ''b'' THEN RETURN NULL; END IF; RETURN NEW; END'; \
         CREATE TRIGGER forget BEFORE INSERT ON counts FOR EACH ROW EXECUTE FUNCTION forget()",
    );
    for mode in [Mode::Append, Mode::Replace, Mode::Merge] {
        let error = refused(place.publish(mode, &COUNTS, &FIRST, 0));
        assert!(error.contains("did not take all rows") && error.contains("2 rows were written for 3"), "{error}");
    }
    assert_eq!(place.ask("SELECT count(*) FROM counts; SELECT count(*) FROM flow_ledger"), "0\n0");
}

#[test]
fn a_key_that_is_there_twice_is_not_merged_into() {
    let Some(place) = Place::new("twice") else { return };
    place.run("CREATE TABLE counts (ip text, count bigint); INSERT INTO counts VALUES ('a', 1), ('a', 2)");
    let error = refused(place.publish(Mode::Merge, &COUNTS, &FIRST, 0));
    assert!(error.contains("several rows of one key"), "{error}");
    assert_eq!(place.ask("SELECT sum(count) FROM counts"), "3");
}

#[test]
fn a_sum_that_overflows_publishes_nothing() {
    let Some(place) = Place::new("overflow") else { return };
    place.publish(Mode::Merge, &COUNTS, &[("a", i64::MAX), ("b", 1)], 0).unwrap();
    let error = refused(place.publish(Mode::Merge, &COUNTS, &[("b", 1_i64), ("a", 1)], 1));
    assert!(error.contains("bigint out of range"), "{error}");
    assert_eq!(place.ask("SELECT count FROM counts WHERE ip = 'b'; SELECT max(iteration) FROM flow_ledger"), "1\n0");
}

#[test]
fn what_ledger_and_store_do_not_agree_on_is_held() {
    let Some(place) = Place::new("held") else { return };
    for iteration in 0..3 {
        place.publish(Mode::Append, &COUNTS, &FIRST, iteration).unwrap();
    }
    let staged = place.stage(&COUNTS, &FIRST);
    let held = |ticket: &Ticket| match place.tap(Mode::Append, &COUNTS).publish(&staged, Some(ticket)) {
        Err(Error::Held(failure)) => failure.to_string(),
        other => panic!("{other:?}"),
    };
    let error = held(&Ticket { hash: "other".into(), ..ticket(&COUNTS, 2) });
    assert!(error.contains("iteration 2 was published with another hash"), "{error}");
    let foreign = Ticket { epoch: "e2".into(), ..ticket(&COUNTS, 3) };
    let error = held(&foreign);
    assert!(error.contains("its epoch is e1, that of the checkpoint store is e2"), "{error}");
    assert!(matches!(place.tap(Mode::Append, &COUNTS).check_ledger(&foreign), Err(Error::Held(_))));
    let error = held(&ticket(&COUNTS, 1));
    assert!(error.contains("it has iteration 2, the checkpoint store iteration 0"), "{error}");
    let error = held(&ticket(&COUNTS, 9));
    assert!(error.contains("it has iteration 2, the checkpoint store iteration 8"), "{error}");
    place.run("DELETE FROM flow_ledger");
    assert!(matches!(place.tap(Mode::Append, &COUNTS).check_ledger(&ticket(&COUNTS, 3)), Err(Error::Held(_))));
    // What the advice says works.
    place.tap(Mode::Append, &COUNTS).check_ledger(&ticket(&COUNTS, 0)).unwrap();
    assert_eq!(place.ask("SELECT count(*) FROM counts"), "9");
}

#[test]
fn a_foreign_epoch_is_noticed_even_behind_newer_entries() {
    let Some(place) = Place::new("epochs") else { return };
    place.publish(Mode::Append, &COUNTS, &FIRST, 0).unwrap();
    place.run(
        "INSERT INTO flow_ledger (flow, port, target, epoch, iteration, hash, rows) \
         VALUES ('hits', 'counts', 'counts', 'e0', 0, '', 0)",
    );
    let error = place.publish(Mode::Append, &COUNTS, &FIRST, 1).unwrap_err();
    assert!(matches!(&error, Error::Held(failure) if failure.to_string().contains("its epoch is e0")), "{error}");
}

#[test]
fn a_ledger_that_somebody_holds_is_waited_for_only_so_long() {
    let Some(place) = Place::new("busy") else { return };
    place.publish(Mode::Append, &COUNTS, &FIRST, 0).unwrap();
    let mut holder = place.server.session();
    holder.ask("BEGIN; LOCK TABLE busy.flow_ledger IN EXCLUSIVE MODE");
    let address = place.address("counts") + "&statement_timeout=300ms";
    let staged = place.stage(&COUNTS, &SECOND);
    let publish = || tap(&address, Mode::Append, &COUNTS).publish(&staged, Some(&ticket(&COUNTS, 1)));
    match publish() {
        Err(Error::Busy(failure)) => {
            let text = failure.to_string();
            assert!(text.contains("cannot lock the ledger") && text.contains("pg_terminate_backend"), "{text}");
        }
        other => panic!("{other:?}"),
    }
    holder.ask("COMMIT");
    assert_eq!(publish().unwrap(), Published::Now);
}

#[test]
fn without_a_store_only_an_empty_table_is_appended_to() {
    let Some(place) = Place::new("empties") else { return };
    let staged = place.stage(&COUNTS, &FIRST);
    let publish_all = |mode| place.tap(mode, &COUNTS).publish(&staged, None);
    publish_all(Mode::Append).unwrap();
    assert!(refused(publish_all(Mode::Append)).contains("there are rows already"));
    assert!(refused(publish_all(Mode::Merge)).contains("there are rows already"));
    assert!(place.tap(Mode::Append, &COUNTS).check_without_store().is_err());
    publish_all(Mode::Replace).unwrap();
    publish_all(Mode::Replace).unwrap();
    assert_eq!(place.ask("SELECT count(*) FROM counts; SELECT to_regclass('empties.flow_ledger')"), "3\n∅");
}

#[test]
fn names_may_be_any() {
    static ODD: PortPlan = sink("odd", &[nullable("select", Type::Text), nullable("Größe", Type::I64)], &[0]);
    let Some(place) = Place::new("odd") else { return };
    let address = place.server.address("table=odd.Sel%22ect%20it");
    for iteration in 0..2 {
        let staged = place.stage(&ODD, &[(Some("a"), Some(iteration as i64)), (None, None)]);
        tap(&address, Mode::Merge, &ODD).publish(&staged, Some(&ticket(&ODD, iteration))).unwrap();
    }
    assert_eq!(place.ask("SELECT * FROM \"Sel\"\"ect it\" ORDER BY 1"), "a|1\n∅|∅");
}
