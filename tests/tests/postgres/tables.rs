//! The ledger knows its table: another one, or one that is gone, is not the one that rows were published to.

use flow_runtime::{
    Error,
    sink::{Mode, Published, Work},
};

use super::place::{COUNTS, FIRST, Place, SECOND, refused, tap, ticket};

fn held(result: Result<Published, Error>) -> String {
    match result {
        Err(Error::Held(failure)) => failure.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_table_of_the_same_schema_is_another_target() {
    let Some(place) = Place::new("others") else { return };
    let (first, second) = (place.stage(&COUNTS, &FIRST), place.stage(&COUNTS, &SECOND));
    let to_other = |mode| tap(&place.address("other"), mode, &COUNTS);
    place.tap(Mode::Append, &COUNTS).publish(&first, Some(&ticket(&COUNTS, 0))).unwrap();
    let text = held(to_other(Mode::Append).publish(&second, Some(&ticket(&COUNTS, 1))));
    assert!(text.contains("it has no iteration, the checkpoint store iteration 0"), "{text}");
    assert!(to_other(Mode::Append).check_ledger(&ticket(&COUNTS, 1)).is_err());
    place.tap(Mode::Append, &COUNTS).publish(&second, Some(&ticket(&COUNTS, 1))).unwrap();
    to_other(Mode::Replace).publish(&first, Some(&ticket(&COUNTS, 2))).unwrap();
    assert_eq!(place.ask("SELECT count(*) FROM counts; SELECT count(*) FROM other"), "7\n3");
}

#[test]
fn a_table_that_was_dropped_is_missed_except_by_replace() {
    let Some(place) = Place::new("dropped") else { return };
    let staged = place.stage(&COUNTS, &FIRST);
    let publish = |mode, iteration| place.tap(mode, &COUNTS).publish(&staged, Some(&ticket(&COUNTS, iteration)));
    publish(Mode::Append, 0).unwrap();
    place.run("DROP TABLE counts");
    for iteration in [0, 1] {
        let text = held(publish(Mode::Merge, iteration));
        assert!(text.contains("the table is gone") && text.contains("from="), "{text}");
    }
    assert!(place.tap(Mode::Append, &COUNTS).check_ledger(&ticket(&COUNTS, 1)).is_err());
    for iteration in [0, 1] {
        place.run("DROP TABLE IF EXISTS counts");
        assert_eq!(publish(Mode::Replace, iteration).unwrap(), Published::Now);
    }
    assert_eq!(place.ask("SELECT count(*) FROM counts"), "3");
}

#[test]
fn what_the_message_about_a_dropped_table_advises_helps() {
    let Some(place) = Place::new("advised") else { return };
    let staged = place.stage(&COUNTS, &FIRST);
    let publish = |address: &str, iteration| {
        tap(address, Mode::Append, &COUNTS).publish(&staged, Some(&ticket(&COUNTS, iteration)))
    };
    publish(&place.address("counts"), 0).unwrap();
    place.run("DROP TABLE counts");
    let text = held(publish(&place.address("counts"), 1));
    let forget = text.split("iteration 1: ").nth(1).and_then(|rest| rest.split(", and add").next()).unwrap();
    place.run(forget);
    publish(&(place.address("counts") + "&from=1"), 1).unwrap();
    assert_eq!(place.ask("SELECT count(*) FROM counts"), "3");
}

#[test]
fn a_target_that_forgets_begins_anew_with_its_rows_or_without() {
    let Some(place) = Place::new("forgetting") else { return };
    let publish = |iteration| place.publish(Mode::Append, &COUNTS, &FIRST, iteration);
    place.tap(Mode::Append, &COUNTS).forget("hits", true).unwrap();
    publish(0).unwrap();
    let other = tap(&place.address("other"), Mode::Append, &COUNTS)
        .publish(&place.stage(&COUNTS, &FIRST), Some(&ticket(&COUNTS, 0)));
    assert_eq!(other.unwrap(), Published::Now);
    for (empty, rows) in [(false, "6"), (true, "3")] {
        assert_eq!(publish(0).unwrap(), Published::Before);
        place.tap(Mode::Append, &COUNTS).forget("another flow", false).unwrap();
        assert_eq!(publish(0).unwrap(), Published::Before);
        place.tap(Mode::Append, &COUNTS).forget("hits", empty).unwrap();
        assert_eq!(publish(0).unwrap(), Published::Now);
        assert_eq!(place.ask("SELECT count(*) FROM counts"), rows);
    }
    assert_eq!(place.ask("SELECT target, count(*) FROM flow_ledger GROUP BY 1 ORDER BY 1"), "counts|1\nother|1");
}

#[test]
fn a_table_that_a_store_keeps_is_left_alone_by_a_run_without_one() {
    let Some(place) = Place::new("kept") else { return };
    let staged = place.stage(&COUNTS, &FIRST);
    place.publish(Mode::Merge, &COUNTS, &FIRST, 0).unwrap();
    let trial = || place.tap(Mode::Replace, &COUNTS);
    let text = refused(trial().publish(&staged, None));
    assert!(text.contains("a flow with a checkpoint publishes to this table") && text.contains("flow hits"), "{text}");
    assert!(trial().check_without_store().is_err());
    tap(&place.address("trial"), Mode::Replace, &COUNTS).publish(&staged, None).unwrap();
    assert_eq!(place.ask("SELECT count(*) FROM trial"), "3");
}

#[test]
fn a_table_is_made_changed_and_dropped_beforehand_and_the_ledger_goes_with_the_last_one() {
    let Some(place) = Place::new("surveyed") else { return };
    let (first, other) = (place.tap(Mode::Merge, &COUNTS), tap(&place.address("other"), Mode::Append, &COUNTS));
    for tap in [&first, &other] {
        let survey = tap.survey().unwrap().unwrap();
        assert!(survey.row_count.is_none() && survey.misfit.is_none(), "{survey:?}");
        tap.execute(Work::Make, &survey.making).unwrap();
        assert!(tap.survey().unwrap().unwrap().making.is_empty());
    }
    for target in ["counts", "other"] {
        let staged = place.stage(&COUNTS, &FIRST);
        tap(&place.address(target), Mode::Append, &COUNTS).publish(&staged, Some(&ticket(&COUNTS, 0))).unwrap();
    }
    place.run("ALTER TABLE counts DROP COLUMN count");
    let survey = first.survey().unwrap().unwrap();
    assert_eq!(survey.making, [r#"ALTER TABLE "surveyed"."counts" ADD COLUMN "count" bigint"#]);
    first.execute(Work::Make, &survey.making).unwrap();
    let survey = first.survey().unwrap().unwrap();
    assert_eq!((survey.row_count, survey.flows.as_slice()), (Some(3), &["hits".to_owned()][..]));
    first.execute(Work::Drop, &survey.dropping).unwrap();
    assert_eq!(place.ask("SELECT target FROM flow_ledger; SELECT count(*) FROM other"), "other\n3");
    other.execute(Work::Drop, &other.survey().unwrap().unwrap().dropping).unwrap();
    assert_eq!(place.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'surveyed'"), "0");
}
