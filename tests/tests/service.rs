//! A flow as a long-lived service: what it loads, how it ends, and how it says that it is well or not.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::{io::Write as _, net::TcpStream};

use flow_tests::{
    program::{Ended, Place, Running, counted, hit, until},
    services::free_port,
};
use rusqlite::Connection;
use serde_json::Value;

const SERVICE: &str = "--follow --poll-interval 20ms --health-file health.json --log-format json";

/// A folder with one listed host and a log.
fn place(log: &str) -> Place {
    let place = Place::new(env!("CARGO_BIN_EXE_count_hits"));
    place.write("hosts.txt", "a\n");
    place.write("access.log", log);
    place
}

fn serve(place: &Place, more: &str) -> Running {
    Running::start(place.command(&format!("{SERVICE} {more}")))
}

fn health(place: &Place) -> Option<Value> {
    serde_json::from_str(&place.text("health.json")).ok()
}

fn until_health(place: &Place, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    until(what, || health(place).filter(&holds))
}

fn until_counted(place: &Place, hits: i64) {
    let rows = counted(&[("a", hits)]);
    until("the rows are loaded", || (place.counts("counts.db") == rows).then_some(()));
}

/// What the log says, each line an object.
fn events(ended: &Ended) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    ended.stderr.lines().map(parse).collect()
}

fn messages(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["message"].as_str().unwrap()).collect()
}

#[test]
fn a_service_loads_what_comes_and_drains_when_it_is_asked_to_end() {
    let place = place(&hit("a"));
    let service = serve(&place, "--json");
    until_counted(&place, 1);
    place.append("access.log", hit("a") + &hit("a"));
    until_counted(&place, 3);
    let busy = place.refused("", 4);
    assert!(busy.contains(&format!("pid {}", service.id())), "{busy}");

    place.append("access.log", hit("a"));
    until_counted(&place, 4);
    service.signal("TERM");
    let ended = service.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let outcomes: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(outcomes.len() >= 3 && outcomes.iter().all(|outcome| outcome["outcome"] == "done"), "{outcomes:?}");
    let health = health(&place).unwrap();
    assert_eq!((&health["state"], &health["good"], &health["error"]), (&"stopped".into(), &false.into(), &Value::Null));
    assert_eq!(health["records"], 4);
}

#[test]
fn each_line_of_the_log_is_an_object_that_says_what_happened() {
    let place = place(&(hit("a") + "no hit\n"));
    let ended = Running::start(place.command(&format!("{SERVICE} --max-iterations 1"))).end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let events = events(&ended);
    let expected = [
        "service started",
        "iteration opened",
        "iteration sealed",
        "output loaded",
        "output loaded",
        "iteration done",
        "service stopped, all that was sealed is loaded",
    ];
    assert_eq!(messages(&events), expected);
    for event in &events {
        assert_eq!((&event["level"], &event["flow"]), (&"INFO".into(), &"access_log_counts".into()), "{event}");
    }
    let sealed = &events[2];
    assert_eq!((&sealed["iteration"], &sealed["records"], &sealed["trapped"]), (&0.into(), &2.into(), &1.into()));
    assert!(sealed["ms"].is_u64() && sealed["attempt"].as_str().unwrap().starts_with("0-"), "{sealed}");
    assert_eq!((&events[3]["port"], &events[3]["rows"]), (&"counts".into(), &1.into()));
}

#[test]
fn a_secret_of_an_address_is_in_no_line_of_the_log() {
    let place = place(&hit("a"));
    let ended = place.run(&format!("{SERVICE} --counts sqlite:counts.db?password=hunter2"));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let events = events(&ended);
    assert_eq!((events.len(), &events[0]["level"], &events[0]["kind"]), (1, &"ERROR".into(), &"config".into()));
    assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
}

#[test]
fn a_service_that_was_killed_goes_on_where_it_was() {
    let place = place("");
    let mut expected = 0;
    for round in 0..3 {
        let service = serve(&place, "--max-records 7");
        for _ in 0..40 {
            place.append("access.log", hit("a"));
            expected += 1;
        }
        if round < 2 {
            // Somewhere between its iterations, or in one.
            until("something is loaded", || (!place.counts("counts.db").is_empty()).then_some(()));
            service.signal("KILL");
            assert_eq!(service.end().code, None);
        } else {
            until("all is loaded", || {
                place.counts("counts.db").contains(&counted(&[("a", expected)])[0]).then_some(())
            });
            service.signal("TERM");
            assert_eq!(service.end().code, Some(0));
        }
    }
    // The first iteration may have joined the host to nothing.
    let total: Vec<_> =
        place.counts("counts.db").into_iter().filter(|(host, _)| host.as_deref() == Some("a")).collect();
    assert_eq!(total, counted(&[("a", expected)]));
}

#[test]
fn an_iteration_that_is_held_ends_the_service_and_leaves_its_health_bad() {
    let place = place(&(hit("a") + &hit("a")));
    let service = serve(&place, "");
    until_counted(&place, 2);
    place.write("access.log", "shorter\n");
    let ended = service.end();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let last = events(&ended).pop().unwrap();
    assert_eq!((&last["level"], &last["kind"], &last["exit_code"]), (&"ERROR".into(), &"held".into(), &3.into()));
    let health = health(&place).unwrap();
    assert_eq!((&health["state"], &health["good"]), (&"held".into(), &false.into()));
    let probe = place.run("health --health-file health.json");
    assert_eq!(probe.code, Some(1), "{probe:?}");
    assert!(probe.stdout.contains("is held") && probe.stdout.contains("access.log"), "{probe:?}");
}

#[test]
fn a_target_that_hangs_makes_health_bad_until_it_goes_on() {
    let place = place(&hit("a"));
    let service = serve(&place, "--stuck-after 300ms");
    until_counted(&place, 1);
    let good = place.run("health --health-file health.json");
    assert_eq!(good.code, Some(0), "{good:?}");

    let database = Connection::open(place.path("counts.db")).unwrap();
    database.execute_batch("BEGIN EXCLUSIVE").unwrap();
    place.append("access.log", hit("a"));
    let stuck = until_health(&place, "it is stuck", |health| health["state"] == "stuck");
    assert_eq!(stuck["good"], false);
    assert_eq!(place.run("health --health-file health.json").code, Some(1));
    database.execute_batch("ROLLBACK").unwrap();

    until_counted(&place, 2);
    until_health(&place, "it is well", |health| health["good"] == true && health["state"] == "idle");
    service.signal("TERM");
    let ended = service.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("stuck: nothing moves"), "{ended:?}");
}

#[test]
fn what_cannot_be_drained_in_time_is_abandoned_and_loaded_by_the_next_run() {
    let place = place(&hit("a"));
    let service = serve(&place, "--drain-timeout 100ms");
    until_counted(&place, 1);
    let database = Connection::open(place.path("counts.db")).unwrap();
    database.execute_batch("BEGIN EXCLUSIVE").unwrap();
    place.append("access.log", hit("a"));
    until_health(&place, "the target is waited for", |health| health["lag_seconds"] != 0.0);
    service.signal("TERM");
    let ended = service.end();
    assert_eq!(ended.code, Some(143), "{ended:?}");
    database.execute_batch("ROLLBACK").unwrap();
    place.succeed("");
    assert_eq!(place.counts("counts.db"), counted(&[("a", 2)]));
}

#[test]
fn what_may_pass_is_tried_again_and_told() {
    let place = place(&hit("a"));
    std::fs::create_dir(place.path("counts.db")).unwrap();
    let service = serve(&place, "");
    let failing = until_health(&place, "it fails", |health| health["state"] == "failing");
    assert_eq!((&failing["good"], &failing["error"]["kind"]), (&true.into(), &"target".into()));
    std::fs::remove_dir(place.path("counts.db")).unwrap();
    until_counted(&place, 1);
    service.signal("INT");
    let ended = service.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let retry = events(&ended).into_iter().find(|event| event["level"] == "WARN").unwrap();
    assert_eq!((&retry["attempt"], &retry["kind"]), (&1.into(), &"target".into()));
}

#[test]
fn a_probe_may_ask_over_http() {
    let place = place(&hit("a"));
    let port = free_port();
    let service = serve(&place, &format!("--health-listen 127.0.0.1:{port}"));
    until_counted(&place, 1);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let answer = std::io::read_to_string(stream).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert_eq!(serde_json::from_str::<Value>(body).unwrap()["good"], true);
    let other = place.run(&format!("{SERVICE} --health-listen 127.0.0.1:{port} --checkpoint sqlite:other.db"));
    assert_eq!(other.code, Some(2), "{other:?}");
    drop(service);
}

#[test]
fn a_probe_without_a_file_or_of_a_process_that_is_gone_says_no() {
    let place = place(&hit("a"));
    let none = place.run("health --health-file health.json");
    assert_eq!(none.code, Some(1));
    assert!(none.stdout.starts_with("there is no health file health.json"), "{none:?}");
    let service = serve(&place, "");
    let health = until_health(&place, "it is idle", |health| health["state"] == "idle");
    service.signal("KILL");
    assert_eq!(service.end().code, None);
    let mut stale = health;
    stale["valid_until"] = stale["since"].clone();
    place.write("health.json", stale.to_string());
    let gone = place.run("health --health-file health.json");
    assert_eq!(gone.code, Some(1));
    assert!(gone.stdout.contains("is gone or hangs"), "{gone:?}");
}

#[test]
fn what_belongs_to_a_service_alone_is_refused_without_it() {
    let place = place(&hit("a"));
    for (arguments, part) in [
        ("--poll-interval 1s", "--follow"),
        ("--health-file x", "--follow"),
        ("--follow --retries x", "'x' for '--retries <COUNT>'"),
        ("--follow --log-format yaml", "there are text and json"),
        ("health", "--health-file <PATH>"),
    ] {
        let ended = place.run(arguments);
        assert!(ended.code == Some(2) && ended.stderr.contains(part), "{arguments}: {ended:?}");
    }
    let ended = place.run("--follow --checkpoint none");
    assert!(ended.code == Some(2) && ended.stderr.contains("--checkpoint sqlite:PATH"), "{ended:?}");
    assert_eq!(place.names(), ["access.log", "hosts.txt"]);
}
