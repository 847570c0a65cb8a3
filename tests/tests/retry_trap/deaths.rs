//! A retry that dies at each of its effects, before it or after it, and is asked for again.

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use flow_tests::program::{Place, Running, counted};

use super::{command, place, retried, trapped};

/// The effects of a retry that are no mere looks, in their order; of those that repeat, the first and the last.
fn effects(trap: &str) -> Vec<String> {
    let place = place(trap);
    let listed = place.path("effects");
    let mut retry = command(&place, &format!("retry-trap bad_lines {trap}"));
    retry.env("FLOW_EFFECTS", &listed);
    assert_eq!(Running::start(retry).end().code, Some(0));
    let all: Vec<String> = fs::read_to_string(listed).unwrap().lines().map(str::to_owned).collect();
    let parts =
        |effect: &str| effect.split_once('#').map(|(name, ordinal)| (name.to_owned(), ordinal.parse().unwrap()));
    let last = |name: &str| {
        all.iter().filter_map(|effect| parts(effect)).filter(|(other, _)| other == name).map(|(_, n)| n).max()
    };
    let is_taken = |effect: &&String| {
        let (name, ordinal): (String, u64) = parts(effect).unwrap();
        !name.ends_with(".look") && (ordinal == 1 || Some(ordinal) == last(&name))
    };
    all.iter().filter(is_taken).cloned().collect()
}

/// Each record is there once: two fixed, one trapped again.
fn is_whole(place: &Place, trap: &str) -> bool {
    let trapped = match trap {
        "" => trapped(place).len(),
        _ => {
            place.database("bad.db").unwrap().query_row("SELECT count(*) FROM bad_lines", [], |row| row.get(0)).unwrap()
        }
    };
    place.counts("counts.db") == counted(&[("a", 2), ("b", 2)]) && trapped == 4
}

/// Kills a retry at an effect, and asks for it again. Says whether it came to that: there is no moment after an effect
/// that fails, as the look at a file that is not there.
fn survives(effect: &str, moment: &str, trap: &str) -> bool {
    let place = place(trap);
    let mut retry = command(&place, &format!("retry-trap bad_lines {trap}"));
    retry.env("FLOW_FAULT", format!("{effect}:{moment}:kill"));
    let killed = Running::start(retry).end();
    if killed.code == Some(0) {
        assert!(is_whole(&place, trap), "{effect} {moment}");
        return false;
    }
    assert_eq!(killed.code, None, "{effect} {moment}: {killed:?}");
    // What died after its seal is published by a retry, or a run, that then has nothing new to do.
    let sealed = "SELECT count(*) FROM iterations WHERE iteration = 1";
    let is_sealed = |place: &Place| {
        let store = place.database(super::STORE).unwrap();
        store.query_row(sealed, [], |row| row.get::<_, i64>(0)).unwrap() == 1
    };
    match is_sealed(&place) {
        true => drop(place.succeed(trap)),
        false => assert_eq!(retried(&place, trap), [3, 2, 1], "{effect} {moment}"),
    }
    assert!(is_whole(&place, trap), "{effect} {moment}: {:?} {:?}", place.counts("counts.db"), trapped(&place));
    assert_eq!(retried(&place, &format!("--dry-run {trap}")), [1, 0, 1], "{effect} {moment}");
    true
}

fn survives_all(trap: &'static str) {
    let faults: Vec<(String, &str)> =
        effects(trap).into_iter().flat_map(|effect| [(effect.clone(), "before"), (effect, "after")]).collect();
    let (next, kills) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                while let Some((effect, moment)) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                    kills.fetch_add(survives(effect, moment, trap).into(), Ordering::Relaxed);
                }
            });
        }
    });
    let kills = kills.into_inner();
    assert!(kills > 60, "{kills} of {faults:?}");
    println!("{kills} kills of a retry, 0 lost, 0 doubled");
}

#[test]
fn a_retry_from_a_file_survives_its_death_at_every_effect() {
    survives_all("");
}

#[test]
fn a_retry_from_a_table_survives_its_death_at_every_effect() {
    survives_all("--bad-lines sqlite:bad.db");
}
