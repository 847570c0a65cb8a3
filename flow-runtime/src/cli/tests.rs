//! Tests of the whole command line, with a driver that only answers.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use super::*;
use crate::{
    Failure, Source,
    cli::{ending::exit_code, example::AccessLogCounts, summary::tests::an_outcome},
    flow::PortRef,
    source::Input,
};

/// What a command line led to.
struct Told {
    code: u8,
    stdout: String,
    stderr: String,
    /// What the driver was asked, if it was.
    options: Option<Options>,
    log: Option<String>,
}

fn tell(flow: AccessLogCounts, line: &str, answer: Result<Outcome, Error>) -> Told {
    let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let (asked, answer) = (RefCell::new((None, None)), Cell::new(Some(answer)));
    let run = |flow: &AccessLogCounts, options: &Options| {
        let log = match flow.ports()[0] {
            PortRef::Source(Source { input: Input::Address(text) }) => Some(text.clone()),
            _ => None,
        };
        *asked.borrow_mut() = (Some(options.clone()), log);
        answer.take().unwrap()
    };
    let code = execute(flow, &words, &Signals::default(), &run, &mut stdout, &mut stderr);
    let (options, log) = asked.into_inner();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Told { code, stdout: text(stdout), stderr: text(stderr), options, log }
}

fn answered(error: Error) -> (u8, String) {
    let told = tell(AccessLogCounts::bound(), "job", Err(error));
    (told.code, told.stderr)
}

#[test]
fn a_run_passes_its_options_on_and_sums_up_on_stderr() {
    let told = tell(AccessLogCounts::bound(), "job --log file:x --workers 3 --iteration-timeout 5m", Ok(an_outcome()));
    let options = told.options.unwrap();
    assert_eq!((told.code, told.stdout.as_str(), told.log.as_deref()), (0, "", Some("file:x")));
    assert_eq!((options.workers.get(), options.bounds.iteration_timeout), (3, Some(Duration::from_secs(300))));
    assert!(told.stderr.contains("iteration 3 done in 1.24 s"), "{}", told.stderr);
}

#[test]
fn json_is_all_that_is_printed_when_asked_for() {
    let told = tell(AccessLogCounts::bound(), "job --json", Ok(an_outcome()));
    assert_eq!((told.code, told.stderr.as_str(), told.stdout.lines().count()), (0, "", 1));
    let told = tell(AccessLogCounts::bound(), "job --json", Err(Error::Busy(Failure::new("another run"))));
    assert_eq!((told.code, told.stderr.as_str()), (4, "error: another run\n"));
    assert!(told.stdout.contains(r#""exit_code":4"#), "{}", told.stdout);
}

#[test]
fn quiet_prints_nothing_but_errors() {
    let told = tell(AccessLogCounts::bound(), "job -q", Ok(an_outcome()));
    assert_eq!((told.code, told.stdout.as_str(), told.stderr.as_str()), (0, "", ""));
    let told = tell(AccessLogCounts::bound(), "job -q", Err(Error::Interrupted));
    assert!(told.stderr.starts_with("error: interrupted"), "{}", told.stderr);
}

#[test]
fn the_exit_code_says_what_a_person_can_do() {
    let failure = || Failure::new("it failed").at("port `log`").help("do this");
    for (error, code) in [
        (Error::Config(failure()), 2),
        (Error::Input(failure()), 1),
        (Error::Record(failure()), 1),
        (Error::Target(failure()), 1),
        (Error::Store(failure()), 1),
        (Error::Imbalance(failure()), 1),
        (Error::Busy(failure()), 4),
    ] {
        assert_eq!(answered(error), (code, "error: it failed (port `log`)\nhelp: do this\n".to_owned()));
    }
    assert_eq!(answered(Error::Held(failure())).0, 3);
    assert_eq!(answered(Error::Interrupted).0, 130);
    assert_eq!(exit_code(&Error::Interrupted, Some(15)), 143);
}

#[test]
fn what_cannot_be_bound_never_reaches_the_driver() {
    for (line, part) in [
        ("job", "error: ports `log`, `hosts`, `counts` have no address\nhelp: give --log ADDRESS --hosts"),
        ("job --log nowhere", "error: the address names no tap (port `log`, `nowhere`)\nhelp: "),
        ("job --max-bytes nothing", "error: invalid value 'nothing' for '--max-bytes <SIZE>'"),
        ("job --unknown", "error: unexpected argument '--unknown' found"),
    ] {
        let told = tell(AccessLogCounts::unbound(), line, Ok(an_outcome()));
        assert_eq!((told.code, told.options.is_none()), (2, true), "{line}");
        assert!(told.stderr.starts_with(part), "{line}: {}", told.stderr);
    }
}

#[test]
fn plans_and_help_go_to_stdout_whatever_is_bound() {
    for (line, part) in
        [("job plan", "Steps of an iteration"), ("job plan --dot", "digraph"), ("job --help", "--bad-lines <ADDRESS>")]
    {
        let told = tell(AccessLogCounts::unbound(), line, Ok(an_outcome()));
        assert_eq!((told.code, told.stderr.as_str(), told.options.is_none()), (0, "", true), "{line}");
        assert!(told.stdout.contains(part), "{line}: {}", told.stdout);
    }
}

#[test]
fn there_are_no_iterations_without_a_store() {
    let told = tell(AccessLogCounts::bound(), "job iterations --checkpoint none", Ok(an_outcome()));
    assert_eq!(told.code, 2);
    assert!(told.stderr.ends_with("help: give --checkpoint sqlite:PATH\n"), "{}", told.stderr);
}
