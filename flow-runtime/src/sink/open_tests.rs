use super::*;
use crate::sink::{
    MemoryRows,
    fixtures::{BAD_LINES, COUNTS, Place, sink},
};

static GROUPED: PortPlan = PortPlan { grouped: true, ..sink("counts", &[], &[]) };

fn at(address: &str) -> Target {
    Target::Address(address.to_owned())
}

fn refused(target: &Target, mode: Option<Mode>, port: &'static PortPlan) -> String {
    match open(target, mode, port) {
        Err(Error::Config(failure)) => failure.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_port_without_an_address_names_its_option() {
    assert_eq!(refused(&Target::Unbound, None, &COUNTS), "no address (port `counts`); give --counts");
    assert_eq!(refused(&Target::Unbound, None, &BAD_LINES), "no address (port `bad_lines`); give --bad-lines");
}

#[test]
fn addresses_that_cannot_be_written_to_are_refused() {
    assert!(refused(&at("counts.csv"), None, &COUNTS).contains("names no tap"));
    assert!(refused(&at("memory:"), None, &COUNTS).contains("for programs and tests"));
    assert!(refused(&at("kafka:x"), None, &COUNTS).contains("there is no tap `kafka`"));
    assert!(refused(&at("stdin:"), None, &COUNTS).contains("can only be read"));
    assert!(refused(&at("file:x?tabel=y"), None, &COUNTS).contains("unknown option `tabel`"));
    assert!(refused(&at("sqlite:?table=y"), None, &COUNTS).contains("names no file"));
    assert!(refused(&at("sqlite::memory:"), None, &COUNTS).contains("names no file"));
    assert!(refused(&at("file:"), None, &COUNTS).contains("names no file"));
    assert!(refused(&at("stdout:x"), None, &COUNTS).contains("stdout has no path"));
}

#[test]
fn the_mode_comes_from_the_program_or_the_address_and_is_append_otherwise() {
    let mode = |address: &str, mode| open(&at(address), mode, &COUNTS).unwrap().mode();
    assert_eq!(mode("file:x", None), Mode::Append);
    assert_eq!(mode("file:x?mode=replace", None), Mode::Replace);
    assert_eq!(mode("sqlite:x", Some(Mode::Merge)), Mode::Merge);
    assert_eq!(mode("sqlite:x?mode=merge", Some(Mode::Merge)), Mode::Merge);
    let text = refused(&at("sqlite:x?mode=merge"), Some(Mode::Append), &COUNTS);
    assert!(text.contains("name different modes"), "{text}");
    assert!(refused(&at("sqlite:x?mode=upsert"), None, &COUNTS).contains("there is no mode `upsert`"));
}

#[test]
fn a_grouped_sink_must_choose_what_its_rows_mean() {
    for target in [at("sqlite:x"), at("file:x"), Target::Memory(MemoryRows::default())] {
        let text = refused(&target, None, &GROUPED);
        assert!(
            text.contains("?mode=append") && text.contains("?mode=replace") && text.contains("?mode=merge"),
            "{text}"
        );
    }
    assert!(open(&at("sqlite:x?mode=replace"), None, &GROUPED).is_ok());
    assert!(open(&at("stdout:"), None, &GROUPED).is_ok());
    assert!(open(&at("stdout:"), Some(Mode::Merge), &GROUPED).is_ok());
}

#[test]
fn merging_needs_a_key_and_a_target_that_can() {
    assert!(refused(&at("sqlite:x?mode=merge"), None, &GROUPED).contains("merging needs a key"));
    assert!(refused(&at("file:x?mode=merge"), None, &COUNTS).contains("a file cannot be merged into"));
}

#[test]
fn a_trap_is_always_appended_to() {
    assert_eq!(open(&at("file:x"), None, &BAD_LINES).unwrap().mode(), Mode::Append);
    assert!(refused(&at("file:x?mode=replace"), None, &BAD_LINES).contains("a trap is always appended to"));
}

#[test]
fn a_place_hides_secrets() {
    assert_eq!(place(&Target::Unbound), "nowhere");
    assert_eq!(place(&Target::Memory(MemoryRows::default())), "memory");
    assert_eq!(place(&at("s3:x?secret=hidden")), "s3:x?secret=…");
}

#[test]
fn errors_of_a_tap_name_the_port_once() {
    let place = Place::new();
    let text = open(&place.address("file", "missing/x.csv"), None, &COUNTS).unwrap().check().unwrap_err().to_string();
    assert_eq!(text.matches("port `counts`").count(), 1, "{text}");
}

#[test]
fn a_target_is_its_place_and_not_how_it_is_written() {
    let identity = |address: &str| identity(&Target::Address(address.to_owned()), "counts");
    let here = std::env::current_dir().unwrap();
    let file = format!("file:{}", here.join("out.csv").display());
    for address in ["file:out.csv", "file:./out.csv?header=false", "file:src/../out.csv?from=3&mode=append"] {
        assert_eq!(identity(address), file, "{address}");
    }
    assert_eq!(identity(&file), file);
    let table = format!("sqlite:{}?table=counts", here.join("x.db").display());
    for address in ["sqlite:x.db", "sqlite:x.db?mode=merge&table=Counts"] {
        assert_eq!(identity(address), table, "{address}");
    }
    assert_ne!(identity("sqlite:x.db?table=others"), table);
}

#[cfg(feature = "postgres")]
#[test]
fn a_table_of_a_server_is_the_same_whoever_connects_and_however() {
    let identity = |address: &str| identity(&Target::Address(address.to_owned()), "counts");
    let table = "postgres://db:5432/sales?table=public.counts";
    for address in [
        "postgres://db/sales",
        "postgres://load:swordfish@DB:5432/sales?mode=merge&connect_timeout=3s",
        "postgres://db/s%61les?table=public.counts&from=3",
    ] {
        assert_eq!(identity(address), table, "{address}");
    }
    assert_ne!(identity("postgres://db/sales?table=Counts"), table);
    assert_eq!(identity("postgres://load:swordfish@db"), "postgres://load:…@db");
}
