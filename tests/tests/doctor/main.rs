//! `doctor`: each cause of HELD is brought about by real processes, named, and resolved by exactly the commands that are
//! printed; then the flow goes on with the right rows.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod all_again;
mod forget;
mod health;
mod restaged;
mod sealed;
mod served;
mod sources;
mod targets;

use std::process::Command;

use flow_tests::program::{Ended, Place, Running, hit};

const PROGRAM: &str = env!("CARGO_BIN_EXE_count_hits");
const STORE: &str = "access_log_counts.flow.db";

/// A folder with four lines, the last of them bad, and a list of `a` and `b`; the first iteration is done.
fn place() -> Place {
    let place = Place::new(PROGRAM);
    place.write("access.log", hit("a") + &hit("b") + &hit("a") + "bad\n");
    place.write("hosts.txt", "a\nb\n");
    place.succeed("");
    place
}

/// One cause as `doctor` prints it.
#[derive(Debug, Default)]
struct Prescription {
    cause: String,
    /// What each remedy is for, and its commands.
    remedies: Vec<(String, Vec<String>)>,
}

/// Reads what `doctor` prints.
fn prescriptions(text: &str) -> Vec<Prescription> {
    let mut read: Vec<Prescription> = Vec::new();
    for line in text.lines().skip(1) {
        if let Some(command) = line.strip_prefix("    $ ") {
            let remedies = read.last_mut().map(|cause| &mut cause.remedies);
            if let Some((_, commands)) = remedies.and_then(|remedies| remedies.last_mut()) {
                commands.push(command.to_owned());
            }
        } else if let Some(when) = line.strip_prefix("  If ") {
            read.last_mut().unwrap().remedies.push((when.to_owned(), Vec::new()));
        } else if let Some((cause, _)) = line.split_once(": ").filter(|(cause, _)| !cause.contains(' ')) {
            read.push(Prescription { cause: cause.to_owned(), remedies: Vec::new() });
        }
    }
    read.retain(|cause| !cause.remedies.is_empty());
    read
}

/// What `doctor` prescribes, which must be these causes; it says each also for scripts.
fn diagnosed(place: &Place, program: &str, arguments: &str, causes: &[&str]) -> Vec<Prescription> {
    let doctor = |options: &str| {
        let mut command = Command::new(program);
        command.args(format!("doctor {arguments} {options}").split_whitespace()).current_dir(place.folder());
        Running::start(command).end()
    };
    let ended = doctor("");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(3), ""), "{ended:?}");
    let read = prescriptions(&ended.stdout);
    let named: Vec<&str> = read.iter().map(|one| one.cause.as_str()).collect();
    assert_eq!(named, causes, "{}", ended.stdout);
    let json = doctor("--json").json();
    let named: Vec<&str> =
        json["held"].as_array().unwrap().iter().map(|held| held["held"]["cause"].as_str().unwrap()).collect();
    assert_eq!(named, causes, "{json}");
    read
}

/// Runs a printed command as who pastes it into a shell.
fn paste(place: &Place, command: &str) -> Ended {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(place.folder());
    Running::start(shell).end()
}

/// Does what `doctor` prescribes: the `nth` remedy of each cause, which must be these. The last command has the flow go
/// on.
fn cure_by(place: &Place, program: &str, arguments: &str, causes: &[&str], nth: usize) {
    let mut last = None;
    for prescription in diagnosed(place, program, arguments, causes) {
        let (when, commands) = &prescription.remedies[nth];
        for command in commands {
            let ended = paste(place, command);
            assert!(matches!(ended.code, Some(0 | 3)), "{when} $ {command}: {ended:?}");
            last = Some(ended);
        }
    }
    let last = last.unwrap();
    assert_eq!(last.code, Some(0), "{last:?}");
    let ended = paste(place, &format!("{program} doctor {arguments}"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

/// As [`cure_by`], of the same program without options.
fn cure(place: &Place, causes: &[&str], nth: usize) {
    cure_by(place, PROGRAM, "", causes, nth);
}
