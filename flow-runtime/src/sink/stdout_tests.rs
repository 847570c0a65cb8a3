use std::sync::{Arc, Mutex};

use super::*;
use crate::{
    plan::PortPlan,
    sink::fixtures::{COUNTS, Place, nullable, sink, ticket},
};

/// A writer whose text a test reads.
#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A pipe that nobody reads any more.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn print(port: &'static PortPlan, staged: &Staged) -> String {
    let printed = Printed::default();
    StdoutTap::to_writer(Box::new(printed.clone()), port).publish(staged, None).unwrap();
    String::from_utf8(printed.0.lock().unwrap().clone()).unwrap()
}

#[test]
fn numbers_stand_right_and_null_is_told_from_empty_text() {
    let place = Place::new();
    let staged = place.stage(&COUNTS, &[(Some("1.2.3.4"), Some(12_345_i64)), (None, Some(7)), (Some(""), None)]);
    let expected = "\
counts
┌─────────┬───────┐
│ ip      ┆ count │
╞═════════╪═══════╡
│ 1.2.3.4 ┆ 12345 │
│ ∅       ┆     7 │
│         ┆     ∅ │
└─────────┴───────┘
";
    assert_eq!(print(&COUNTS, &staged), expected);
}

#[test]
fn what_is_too_much_is_counted() {
    let rows: Vec<(&str, i64)> = (0..1_003).map(|count| ("x", count)).collect();
    let place = Place::new();
    let text = print(&COUNTS, &place.stage(&COUNTS, &rows));
    assert!(text.contains("999 │") && !text.contains("1000 │"));
    assert!(text.ends_with("… and 3 more\n"), "{text}");
}

#[test]
fn control_characters_are_shown_and_not_obeyed() {
    static LINES: PortPlan = sink("lines", &[nullable("line", Type::Text)], &[]);
    let place = Place::new();
    let text = print(&LINES, &place.stage(&LINES, &[("\u{1b}[31mred\né",)]));
    assert!(text.contains("│ \\u{1b}[31mred\\né │"), "{text}");
}

#[test]
fn a_closed_pipe_is_no_error() {
    let place = Place::new();
    let staged = place.stage(&COUNTS, &[("a", 1_i64)]);
    let mut tap = StdoutTap::to_writer(Box::new(Closed), &COUNTS);
    assert_eq!(tap.publish(&staged, Some(&ticket(&COUNTS, 0))).unwrap(), Published::Now);
}
