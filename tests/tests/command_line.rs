//! The command line as a person or a script meets it: help, mistakes, what goes to stdout and what to stderr.

use std::{
    ffi::OsStr,
    io::Read as _,
    os::unix::ffi::OsStrExt as _,
    process::{Command, Stdio},
};

use flow_tests::program::{Ended, Place, Running, counted, hit};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_count_hits");

/// A folder with a log of `a`, `b`, `a`, a bad line, and a list of `a`, `b`.
fn place() -> Place {
    let place = Place::new(PROGRAM);
    place.write("access.log", hit("a") + &hit("b") + &hit("a") + "bad\n");
    place.write("hosts.txt", "a\nb\n");
    place
}

/// What a mistake on the command line is told: not in our words alone, for clap adds the usage.
fn mistake(place: &Place, arguments: &str) -> String {
    let Ended { code, stdout, stderr } = place.run(arguments);
    assert_eq!((code, stdout.as_str()), (Some(2), ""), "{arguments}: {stderr}");
    assert!(stderr.starts_with("error: ") && !stderr.contains("panicked"), "{stderr}");
    stderr
}

#[test]
fn help_names_ports_with_their_defaults_bounds_and_exit_codes_on_lines_that_fit() {
    let place = place();
    for arguments in ["--help", "-h", "run --help"] {
        let help = place.succeed(arguments).stdout;
        for part in [
            "--log <ADDRESS>",
            "[default: file:access.log]",
            "[default: sqlite:counts.db?table=counts, merge]",
            "trap, for hits",
            "--max-records <COUNT>",
            "--checkpoint <ADDRESS>",
            "Exit codes:",
            "130  interrupted",
        ] {
            assert!(help.contains(part), "{arguments}: {part:?} is not in {help}");
        }
        let longest = help.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(100), "{longest:?}: {help}");
    }
    for command in ["plan", "iterations"] {
        assert!(place.succeed(&format!("{command} --help")).stdout.contains("Usage: count_hits"));
    }
    assert_eq!(place.names(), ["access.log", "hosts.txt"], "help does nothing");
}

#[test]
fn mistakes_are_told_with_what_was_written_and_nothing_is_done() {
    let place = place();
    for (arguments, says) in [
        ("--lgo file:x", "'--lgo'"),
        ("--bad_lines file:x", "'--bad-lines'"),
        ("plann", "'plan'"),
        ("plan extra", "'extra'"),
        ("--log", "--log <ADDRESS>"),
        ("--log file:a --log file:b", "cannot be used multiple times"),
        ("--json=1", "'--json'"),
        ("--max-records 0", "must be at least 1"),
        ("--max-records -1", "'-1' for '--max-records <COUNT>': not a count"),
        ("--max-records 1e6", "not a count; write it as 1000000"),
        ("--max-records 99999999999999999999", "not a count"),
        ("--max-bytes 0", "at least 1 byte"),
        ("--max-bytes 10XB", "`XB` is no unit of size; there are B, kB, MB"),
        ("--max-bytes 99999999999TB", "not a size"),
        ("--iteration-timeout 5", "write it as 30s, 5m or 1h30m"),
        ("--iteration-timeout 0s", "must be longer than nothing"),
        ("--no-data-timeout soon", "write it as 30s, 5m or 1h30m"),
        ("--workers 0", "from 1 to"),
        ("--workers many", "from 1 to"),
        ("--workers 99999999", "from 1 to"),
        ("--checkpoint here", "write it as sqlite:PATH, dynamodb://TABLE or none"),
        ("--checkpoint sqlite:", "the path is missing"),
        ("--checkpoint file:x", "cannot be kept in `file`"),
        ("--checkpoint sqlite:x?mode=merge", "unknown option `mode`"),
    ] {
        let text = mistake(&place, arguments);
        assert!(text.contains(says), "{arguments}: {says:?} is not in {text}");
    }
    assert_eq!(place.names(), ["access.log", "hosts.txt"]);
}

#[test]
fn what_is_no_utf_8_is_a_mistake() {
    let place = place();
    for bytes in [&b"--log=file:\xff.log"[..], b"--checkpoint=sqlite:\xff.db", b"--\xff", b"\xff"] {
        let mut command = place.command("");
        command.arg(OsStr::from_bytes(bytes));
        let ended = Running::start(command).end();
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.starts_with("error: "), "{ended:?}");
    }
    std::fs::write(place.folder().join(OsStr::from_bytes(b"\xff.log")), hit("a")).unwrap();
    let text = place.refused("--log file:*.log", 1);
    assert!(text.contains("port `log`") && text.contains("not UTF-8"), "{text}");
}

#[test]
fn a_store_that_is_none_is_told_with_its_path() {
    let place = place();
    place.sql("theirs.db", "CREATE TABLE theirs (x)");
    std::fs::create_dir(place.path("folder")).unwrap();
    for (path, says) in [
        ("hosts.txt", "port `hosts` "),
        ("folder", "it is a folder; give --checkpoint the path of a file"),
        ("theirs.db", "it is a database, but not a checkpoint store"),
        ("/proc/s.db", "/proc/s.db"),
    ] {
        let ended = place.run(&format!("--checkpoint sqlite:{path}"));
        let code = if path == "hosts.txt" { 2 } else { 1 };
        let text = ended.refusal(code).replace("\nhelp:", ";");
        assert!(text.contains(says) && text.contains(path), "{text}");
    }
    let text = place.refused("iterations --checkpoint sqlite:hosts.txt", 1);
    assert!(text.contains("hosts.txt") && text.contains("give --checkpoint another file"), "{text}");
    assert_eq!(place.text("hosts.txt"), "a\nb\n");
}

#[test]
fn json_is_one_line_whose_counts_add_up() {
    let place = place();
    let ended = place.succeed("--json");
    assert_eq!((ended.stdout.lines().count(), ended.stderr.as_str()), (1, ""));
    let outcome = ended.json();
    assert_eq!((&outcome["flow"], &outcome["outcome"]), (&"access_log_counts".into(), &"done".into()));
    assert_eq!((&outcome["exit_code"], &outcome["iteration"]), (&0.into(), &0.into()));
    let rows: Vec<u64> =
        outcome["ports"].as_array().unwrap().iter().map(|port| port["rows"].as_u64().unwrap()).collect();
    assert_eq!(rows, [4, 2, 2, 1]);
    let bytes = u64::try_from(place.text("access.log").len()).unwrap();
    assert_eq!(outcome["ports"][0]["bytes"], bytes);
    for operator in outcome["operators"].as_array().unwrap() {
        let [rows_in, rows_out, filtered, trapped] =
            ["rows_in", "rows_out", "filtered", "trapped"].map(|count| operator[count].as_u64().unwrap());
        let name = operator["operator"].as_str().unwrap();
        if !name.starts_with("HashJoin") && !name.starts_with("GroupBy") {
            assert_eq!(rows_in, rows_out + filtered + trapped, "{operator}");
        }
    }
    let nothing = place.succeed("--json").json();
    assert_eq!((&nothing["outcome"], &nothing["iteration"]), (&"nothing_new".into(), &Value::Null));

    let failed = place.run("--json --log file:missing");
    let told = failed.json();
    assert_eq!((&told["outcome"], &told["exit_code"]), (&"failed".into(), &1.into()));
    assert_eq!((&told["error"]["kind"], &told["error"]["place"]), (&"input".into(), &"port `log`, missing".into()));
    assert!(failed.stderr.starts_with("error: cannot read the file"), "{failed:?}");
}

#[test]
fn quiet_says_nothing_but_errors() {
    let place = place();
    for arguments in ["--quiet", "-q", "run --quiet"] {
        let ended = place.succeed(arguments);
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""), "{arguments}");
    }
    assert!(place.refused("-q --log file:missing", 1).contains("missing"));
}

#[test]
fn a_plan_is_printed_without_looking_at_any_file() {
    let place = Place::new(PROGRAM);
    let plan = place.succeed("plan");
    for part in ["source log", "pruned  time: &str, request: &str", "Steps of an iteration", "Held in memory"] {
        assert!(plan.stdout.contains(part), "{part:?} is not in {}", plan.stdout);
    }
    assert_eq!((plan.stderr.as_str(), place.names()), ("", Vec::new()));
}

#[test]
fn a_picture_is_a_graph_whose_edges_join_its_nodes() {
    let picture = Place::new(PROGRAM).succeed("plan --dot").stdout;
    let mut lines = picture.lines().map(str::trim);
    assert!(lines.next().unwrap().starts_with("digraph \"AccessLogCounts\" {"));
    assert_eq!(lines.next_back(), Some("}"));
    let (mut nodes, mut edges, mut open) = (Vec::new(), Vec::new(), 0);
    for line in lines {
        let (name, attributes) = line.split_once(" [").unwrap_or((line, ""));
        if line.starts_with("subgraph ") {
            open += 1;
        } else if line == "}" {
            open -= 1;
        } else if let Some((from, to)) = name.split_once(" -> ") {
            edges.extend([from.to_owned(), to.to_owned()]);
        } else if !["node", "edge"].contains(&name) {
            nodes.push(name.to_owned());
        }
        if !attributes.is_empty() {
            assert!(attributes.ends_with("];"), "{line}");
            let quotes = attributes.replace("\\\\", "").replace("\\\"", "").matches('"').count();
            assert_eq!(quotes % 2, 0, "{line}");
        }
    }
    assert_eq!(open, 0, "{picture}");
    assert!(nodes.len() > 8 && edges.len() > 16, "{picture}");
    assert!(edges.iter().all(|end| nodes.contains(end)), "{picture}");
}

#[test]
fn iterations_are_listed_for_people_and_for_scripts() {
    let place = place();
    let text = place.refused("iterations", 1);
    assert!(text.contains("there is no checkpoint store") && text.contains("has not run with it yet"), "{text}");
    assert!(place.refused("iterations --checkpoint none", 2).contains("--checkpoint sqlite:PATH"));
    place.succeed("--max-records 3");
    place.succeed("");
    let listed = place.succeed("iterations").stdout;
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].trim_start().starts_with("iteration  state"), "{listed}");
    assert!(lines[1].contains(" done ") && lines[1].contains("closed by --max-records"), "{listed}");
    assert!(lines[2].contains("bad_lines 1, counts 1"), "{listed}");
    let json = place.succeed("iterations --json").stdout;
    let rows: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((rows.len(), &rows[0]["records"], &rows[1]["trapped"]), (2, &3.into(), &1.into()));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let place = place();
    let bad: String = (0..5_000).map(|n| format!("bad {n}\n")).collect();
    place.append("access.log", bad);
    for arguments in [
        "--checkpoint none --counts stdout: --bad-lines stdout:",
        "--counts stdout: --bad-lines stdout: --json",
        "plan",
        "--help",
    ] {
        let mut command = place.command(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // As `head -c 1` does: it reads a little and is gone.
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut [0]).unwrap();
        drop(stdout);
        let ended = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(0), "{arguments}: {told}");
        assert!(!told.contains("error") && !told.contains("panicked"), "{arguments}: {told}");
    }
}

#[test]
fn rows_that_cannot_be_printed_are_an_error() {
    let place = place();
    for arguments in ["--checkpoint none --counts stdout: --bad-lines file:bad.csv", "plan", "--json --checkpoint none"]
    {
        let mut command = place.command(arguments);
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        command.stdin(Stdio::null()).stdout(full).stderr(Stdio::piped());
        let text = Running::spawn(command).end().refusal(1);
        assert!(text.contains("stdout") && text.contains("No space left"), "{text}");
    }
}

#[test]
fn closed_streams_and_an_empty_environment_do_not_matter() {
    let place = place();
    let closed = place.command_after("exec <&- >&- 2>&-", "");
    assert_eq!(Running::start(closed).end().code, Some(0));
    assert_eq!(place.counts("counts.db"), counted(&[("a", 2), ("b", 1)]));
    place.append("access.log", hit("b"));
    let mut bare = Command::new(PROGRAM);
    bare.env_clear().current_dir(place.folder());
    let ended = Running::start(bare).end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(place.counts("counts.db"), counted(&[("-", 1), ("a", 2), ("b", 2)]));

    let mut homeless = place.command("--checkpoint none --counts stdout:");
    homeless.env("TMPDIR", place.path("missing"));
    let text = Running::start(homeless).end().refusal(1);
    assert!(text.contains("cannot make a folder to stage rows in") && text.contains("set TMPDIR"), "{text}");
}
