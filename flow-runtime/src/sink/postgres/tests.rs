use std::{
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use super::*;
use crate::sink::{
    Target,
    fixtures::{COUNTS, Place, tap, ticket},
};

fn address(port: u16) -> Target {
    Target::Address(format!("postgres://load:swordfish@127.0.0.1:{port}/sales?connect_timeout=200ms"))
}

#[test]
fn a_server_that_is_not_there_is_named() {
    // Nobody listens on a port that was just given back.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = tap(&address(port), Mode::Append, &COUNTS).check().unwrap_err().to_string();
    let place = format!("(port `counts`, 127.0.0.1:{port}/sales, table public.counts, attempt 1 of 1)");
    assert!(error.starts_with(&format!("cannot connect to the database {place}: ")), "{error}");
    assert!(error.contains("refused") && !error.contains("swordfish"), "{error}");
}

#[test]
fn a_server_that_does_not_answer_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let started = Instant::now();
    let target = address(silent.local_addr().unwrap().port());
    let error = tap(&target, Mode::Append, &COUNTS).check().unwrap_err().to_string();
    assert!(error.contains("no answer for 200ms"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_load_is_begun_so_often_and_no_more() {
    let closing = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closing.local_addr().unwrap().port();
    let count = thread::spawn(move || {
        let visits = closing.incoming().flatten().map(|visit: TcpStream| visit.peek(&mut [0]).unwrap_or_default());
        visits.take_while(|bytes| *bytes > 0).count()
    });
    let place = Place::new();
    let staged = place.stage(&COUNTS, &[("a", 1_i64)]);
    let Target::Address(text) = address(port) else { unreachable!() };
    let shape = SinkShape { port: &COUNTS, mode: Mode::Append };
    let mut tap = PostgresTap::open(&text.parse().unwrap(), shape).unwrap();
    tap.attempts.pause = Duration::ZERO;
    let error = tap.publish(&staged, Some(&ticket(&COUNTS, 0))).unwrap_err().to_string();
    assert!(error.contains("attempt 6 of 6"), "{error}");
    // One that says nothing ends the count.
    drop(TcpStream::connect(("127.0.0.1", port)));
    assert_eq!(count.join().unwrap(), 6);
}
