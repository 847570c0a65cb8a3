//! `clean`: removes what nobody wants any more.

use clap::{ArgMatches, Command, builder::ValueParser, value_parser};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Call, Program};
use crate::{
    Error, Failure, Flow,
    cli::{
        bind,
        options::{checkpoint, flag, given_checkpoint, given_ports, option, ports},
        telling::Telling,
        units,
    },
    driver::{Clean, Cleaned, clean},
    flow::PortRef,
    sink,
};

pub(super) fn grammar(program: &Program<'_>) -> Command {
    let grace = "How long what is in a target stays that nothing names there, or no longer: somebody may be reading it";
    let keep = option("keep", "COUNT", "Forget done iterations, too, but for so many of the last; positions stay");
    Command::new("clean")
        .about("Remove what nobody wants any more: leftovers of runs that died, what is from before a reset")
        .next_line_help(false)
        .arg(keep.value_parser(value_parser!(u64).range(1..)))
        .arg(option("grace", "TIME", grace).default_value("24h").value_parser(ValueParser::new(units::parse_duration)))
        .arg(flag("dry-run", "Only list what would be removed"))
        .args(ports(program).map(|port| port.help_heading("Ports")))
        .arg(checkpoint(program.plan))
        .arg(flag("json", "Print what was removed as one line of JSON on stdout, and no text"))
        .after_help(
            "\
An attempt is revoked in the store before what it staged is removed. What a sealed iteration needs to be loaded stays,
and so does what a run that is under way may be working at; every run cleans up after those that died anyway. Iterations
that are forgotten cannot be replayed; the flow goes on as before.

In targets that rows are staged in (s3:, redshift:), all keys are gone through for what attempts have left there and no manifest
names, or nobody loads any more: give the addresses of the ports that the flow runs with. What a port was bound to before, and
where rows are staged still, is told: give that address, too, to have them removed.",
        )
}

pub(super) fn act<F: Flow>(call: Call<'_, F>) -> Result<u8, Error> {
    let (flow, matches, telling) = Telling::new(call);
    let what = given(matches);
    let given = given_ports(F::PLAN, matches);
    let bound = bind::bind_given(flow, &given).and_then(|()| open_given(flow, &given));
    let result = bound.and_then(|()| clean(flow, &given_checkpoint(F::PLAN, matches), what));
    let cleaned = result.as_ref().ok();
    let failed = cleaned.and_then(failed);
    let (text, json) = (cleaned.map(|it| as_text(it, what.dry_run)), cleaned.map(|it| as_json(it, what.dry_run)));
    telling.tell_part(text, json, result.as_ref().err().or(failed.as_ref()))
}

/// Makes sure that the addresses of outputs that are given can be opened. Those of the program may wait for what only a run is
/// told, as a mode.
fn open_given<F: Flow>(flow: &F, given: &[Option<String>]) -> Result<(), Error> {
    for ((handle, port), _) in
        flow.ports().into_iter().zip(F::PLAN.ports).zip(given).filter(|(_, given)| given.is_some())
    {
        match handle {
            PortRef::Sink(to) => drop(sink::open(&to.target, to.mode, port)?),
            PortRef::Trap(to) => drop(sink::open(&to.target, None, port)?),
            PortRef::Source(_) | PortRef::Table(_) => {}
        }
    }
    Ok(())
}

/// The error when a part could not be cleaned.
fn failed(cleaned: &Cleaned) -> Option<Error> {
    let (what, why) = cleaned.failed.first()?;
    let failure = Failure::new("not all could be cleaned").at(what.clone()).cause(why);
    Some(Error::Target(failure.help("all else was; run it again when that is mended")))
}

fn given(matches: &ArgMatches) -> Clean {
    Clean {
        kept_iterations: matches.get_one("keep").copied(),
        grace: matches.get_one("grace").copied().unwrap_or(Clean::GRACE),
        dry_run: matches.get_flag("dry-run"),
    }
}

fn as_text(cleaned: &Cleaned, is_dry_run: bool) -> String {
    let verb = if is_dry_run { "would remove" } else { "removed" };
    let mut lines: Vec<String> = Vec::new();
    let staged = cleaned.staged.iter();
    lines.extend(staged.map(|(name, bytes)| format!("{verb} staged rows of {name}: {}", units::bytes(*bytes))));
    let in_targets = cleaned.in_targets.iter();
    lines.extend(in_targets.map(|(attempt, port, bytes)| {
        format!("{verb} what {attempt} has left in the target of {port}: {}", units::bytes(*bytes))
    }));
    if cleaned.dead_attempts > 0 {
        let revoked = if is_dry_run { "would revoke" } else { "revoked" };
        lines.push(format!("{revoked} {} of runs that died", units::counted(cleaned.dead_attempts, "attempt")));
    }
    for (ended_us, iterations) in &cleaned.former_epochs {
        let ended = Timestamp::from_microsecond(*ended_us).map(|time| time.strftime("%F %T").to_string());
        let iterations = units::counted(*iterations, "iteration");
        lines.push(format!("{verb} {iterations} from before the reset of {} UTC", ended.unwrap_or_default()));
    }
    if let [first, .., last] | [first @ last] = cleaned.iterations.as_slice() {
        let count = units::counted(cleaned.iterations.len() as u64, "old iteration");
        lines.push(format!("{verb} {count}, from {first} to {last}"));
    }
    if lines.is_empty() {
        lines.push("nothing to remove".to_owned());
    }
    let left = cleaned.left_alone.iter();
    lines.extend(left.map(|name| format!("left {name} alone: a run is under way")));
    let out_of_reach = cleaned.out_of_reach.iter();
    lines.extend(out_of_reach.map(|(attempt, port, place)| {
        let place = if place.is_empty() { String::new() } else { format!(", {place}") };
        format!("left {attempt} alone: it has staged rows in the target of {port}{place}, which needs its address")
    }));
    let not_opened = cleaned.not_opened.iter();
    lines.extend(not_opened.map(|(port, why)| format!("left the target of {port} alone, it cannot be opened: {why}")));
    lines.extend(cleaned.failed.iter().map(|(what, why)| format!("could not clean {what}: {why}")));
    let staged_bytes: u64 = cleaned.staged.iter().map(|(_, bytes)| bytes).sum();
    let freed = match is_dry_run {
        true => format!("{} of staged rows would be freed", units::bytes(staged_bytes)),
        false => format!("{} freed", units::bytes(staged_bytes + cleaned.store_bytes)),
    };
    lines.push(freed);
    lines.join("\n") + "\n"
}

fn as_json(cleaned: &Cleaned, is_dry_run: bool) -> Value {
    let staged = |(name, bytes): &(String, u64)| json!({ "attempt": name, "bytes": bytes });
    let in_target =
        |(attempt, port, bytes): &(String, String, u64)| json!({ "attempt": attempt, "port": port, "bytes": bytes });
    let out_of_reach =
        |(attempt, port, place): &(String, String, String)| json!({ "attempt": attempt, "port": port, "place": place });
    let not_opened = |(port, why): &(String, String)| json!({ "port": port, "why": why });
    let former =
        |(ended_us, iterations): &(i64, u64)| json!({ "reset": *ended_us as f64 / 1e6, "iterations": iterations });
    json!({
        "dry_run": is_dry_run,
        "staged": cleaned.staged.iter().map(staged).collect::<Vec<_>>(),
        "in_targets": cleaned.in_targets.iter().map(in_target).collect::<Vec<_>>(),
        "left_alone": cleaned.left_alone,
        "failed": cleaned.failed.iter().map(|(what, why)| json!({ "what": what, "why": why })).collect::<Vec<_>>(),
        "out_of_reach": cleaned.out_of_reach.iter().map(out_of_reach).collect::<Vec<_>>(),
        "not_opened": cleaned.not_opened.iter().map(not_opened).collect::<Vec<_>>(),
        "dead_attempts": cleaned.dead_attempts,
        "former_epochs": cleaned.former_epochs.iter().map(former).collect::<Vec<_>>(),
        "iterations": cleaned.iterations,
        "store_bytes": cleaned.store_bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned() -> Cleaned {
        Cleaned {
            staged: vec![("3-a".to_owned(), 1_500), ("3-b.spill".to_owned(), 500)],
            left_alone: vec!["4-c".to_owned()],
            in_targets: vec![("2-e".to_owned(), "counts".to_owned(), 2_500)],
            out_of_reach: vec![("2-f".to_owned(), "bad_lines".to_owned(), "s3://b/bad".to_owned())],
            not_opened: vec![("rows".to_owned(), "no mode".to_owned())],
            failed: vec![("counts".to_owned(), "no answer".to_owned())],
            dead_attempts: 1,
            former_epochs: vec![(1_785_000_000_000_000, 7)],
            iterations: vec![0, 1, 3],
            store_bytes: 8_000,
        }
    }

    #[test]
    fn what_was_removed_is_told_with_the_room_that_it_took() {
        let expected = "\
removed staged rows of 3-a: 1.5 kB
removed staged rows of 3-b.spill: 500 B
removed what 2-e has left in the target of counts: 2.5 kB
revoked 1 attempt of runs that died
removed 7 iterations from before the reset of 2026-07-25 17:20:00 UTC
removed 3 old iterations, from 0 to 3
left 4-c alone: a run is under way
left 2-f alone: it has staged rows in the target of bad_lines, s3://b/bad, which needs its address
left the target of rows alone, it cannot be opened: no mode
could not clean counts: no answer
10.0 kB freed
";
        assert_eq!(as_text(&cleaned(), false), expected);
        let dry = as_text(&cleaned(), true);
        assert!(
            dry.contains("would remove staged rows of 3-a") && dry.ends_with("2.0 kB of staged rows would be freed\n")
        );
    }

    #[test]
    fn nothing_to_remove_is_said() {
        assert_eq!(as_text(&Cleaned::default(), false), "nothing to remove\n0 B freed\n");
    }
}
