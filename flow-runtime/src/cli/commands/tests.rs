//! Tests of the grammar: what a command line means, and what help and mistakes look like.

use std::time::Duration;

use super::{run::Run, *};
use crate::{
    cli::{
        bind,
        example::{AccessLogCounts, PLAN},
    },
    driver::{Bounds, Checkpoint},
    plan::option_name,
};

fn command() -> Command {
    let defaults = bind::defaults(&AccessLogCounts::bound());
    grammar::<AccessLogCounts>(&Program { plan: &PLAN, defaults: &defaults, name: "job" })
}

fn parsed(line: &str) -> Result<ArgMatches, String> {
    command().try_get_matches_from(line.split(' ')).map_err(|error| error.to_string())
}

fn run(line: &str) -> Run {
    let matches = parsed(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    run::given(&PLAN, matches.subcommand_matches("run").unwrap_or(&matches))
}

#[test]
fn the_text_behind_the_options_breaks_where_the_terminal_ends() {
    let text = "Help:\n  as it\n  is\nOne line\nand the next.\n\nExit codes: 0 all;\n1 none\n";
    let command = in_paragraphs(Command::new("x").after_help(text));
    let shown = command.get_after_help().unwrap().to_string();
    assert_eq!(shown, "Help:\n  as it\n  is\nOne line and the next.\n\nExit codes: 0 all; 1 none");
    let help =
        grammar::<AccessLogCounts>(&Program { plan: &PLAN, defaults: &[], name: "job" }).render_help().to_string();
    assert!(help.contains("\nExit codes:\n  0  done"), "{help}");
}

#[test]
fn the_command_is_well_formed() {
    command().debug_assert();
}

#[test]
fn run_is_what_happens_without_a_subcommand() {
    assert_eq!(run("job"), run("job run"));
    assert_eq!(run("job --log stdin:"), run("job run --log stdin:"));
}

#[test]
fn iterations_are_kept_beside_the_flow_unless_told_otherwise() {
    assert_eq!(run("job").checkpoint, Checkpoint::Sqlite("access_log_counts.flow.db".into()));
    assert_eq!(run("job --checkpoint none").checkpoint, Checkpoint::None);
    assert_eq!(run("job --checkpoint sqlite:a/b.db").checkpoint, Checkpoint::Sqlite("a/b.db".into()));
}

#[test]
fn every_port_has_an_option() {
    let run = run("job --log file:a --hosts file:b --counts stdout: --bad-lines file:c");
    assert_eq!(run.addresses, ["file:a", "file:b", "stdout:", "file:c"].map(|text| Some(text.to_owned())));
}

#[test]
fn bounds_are_written_with_units() {
    let run =
        run("job --max-records 1_000 --max-bytes 10MB --iteration-timeout 1h30m --no-data-timeout 30s --workers 3");
    let expected = Bounds {
        max_records: Some(1_000),
        max_bytes: Some(10_000_000),
        iteration_timeout: Some(Duration::from_secs(5_400)),
        no_data_timeout: Some(Duration::from_secs(30)),
    };
    assert_eq!((run.bounds, run.workers.get()), (expected, 3));
}

#[test]
fn mistakes_are_named_with_what_would_be_right() {
    for (line, part) in [
        ("job --host file:a", "a similar argument exists: '--hosts'"),
        ("job rum", "a similar subcommand exists: 'run'"),
        ("job --max-bytes ten", "'ten' for '--max-bytes <SIZE>'"),
        ("job --no-data-timeout 30", "write it as 30s, 5m or 1h30m"),
        ("job --workers 0", "must be a number from 1 to 1024"),
        ("job --workers 1025", "must be a number from 1 to 1024"),
        ("job --workers all", "must be a number from 1 to 1024"),
        ("job --checkpoint flow.db", "write it as sqlite:PATH"),
        ("job --checkpoint sqlite:", "the path is missing"),
        ("job --checkpoint s3:x", "iterations cannot be kept in `s3`"),
        ("job --log file:a plan", "'plan' cannot be used with"),
        ("job --log", "a value is required for '--log <ADDRESS>'"),
        ("job --log file:a --log file:b", "cannot be used multiple times"),
    ] {
        let error = parsed(line).unwrap_err();
        assert!(error.contains(part), "{line}: {error}");
    }
}

#[test]
fn help_says_what_the_flow_does_and_describes_every_port() {
    for line in ["/usr/bin/job --help", "/usr/bin/job run -h"] {
        let help = parsed(line).unwrap_err();
        for port in PLAN.ports {
            assert!(help.contains(&format!("--{} <ADDRESS>", option_name(port.name))), "{help}");
        }
        for part in [
            "The web server's log.\n",
            "source, TextLine: data: &str\n",
            "[default: sqlite:counts.db, merge]",
            "Ports:",
            "Iteration bounds:",
            "Output:",
            "Exit codes:",
            "job --log file:sample.txt --counts stdout: --checkpoint none",
        ] {
            assert!(help.contains(part), "{line} lacks {part}: {help}");
        }
    }
    let has_servers =
        parsed("job --help").unwrap_err().contains("postgres://user@host:5432/database?table=schema.table");
    assert_eq!(has_servers, cfg!(feature = "postgres"));
    assert!(parsed("job --help").unwrap_err().starts_with("Hits of every listed host."));
}

#[cfg(not(feature = "aws"))]
#[test]
fn what_other_builds_can_do_is_known_and_not_listed() {
    for line in ["job setup --yes --counts sqlite:x.db", "job teardown", "job publish kinesis://log --from -"] {
        assert!(parsed(line).is_ok(), "{line}");
    }
    let help = command().render_help().to_string();
    assert!(!help.contains("setup") && !help.contains("publish  "), "{help}");
}
