//! `reset`: has a flow begin anew, after saying what that means.

use std::io::{self, BufRead as _};

use clap::{ArgMatches, Command};
use serde_json::{Value, json};

use super::{Call, Program};
use crate::{
    Error, Failure, Flow,
    cli::{
        bind,
        options::{checkpoint, flag, given_checkpoint, given_ports, ports},
        telling::Telling,
        units,
    },
    driver::{LoadedTarget, Reset, look_at_reset, reset},
    iteration::Unfinished,
};

pub(super) fn grammar(program: &Program<'_>) -> Command {
    let force = "Throw away iterations that are sealed and not in all of their targets";
    Command::new("reset")
        .about("Begin anew: the next run is iteration 0 and reads everything; the targets must be emptied before it")
        .next_line_help(false)
        .args(ports(program).map(|port| port.help_heading("Ports")))
        .arg(checkpoint(program.plan))
        .arg(flag("yes", "Do not ask"))
        .arg(flag("force", force))
        .arg(flag("json", "Print what was done as one line of JSON on stdout, and no text; needs --yes"))
        .after_help(
            "\
A reset gives the flow a new epoch. The ledgers inside the targets know the former one: every run is held until they have
forgotten the flow, so nothing is loaded twice. Which targets these are is said before the question; `forget --all
--empty` empties them. Nothing is deleted by the reset: what was kept of the former iterations is listed by `iterations
--all` until `clean` removes it. A run that is under way is not disturbed: it must end first.

Positions are not kept: to have a new target go on from here, add ?from=N to its address instead.

Exit codes: 0 done; 2 not confirmed, or nothing to reset; 3 an iteration would be thrown away; 4 a run is under way.",
        )
}

pub(super) fn act<F: Flow>(call: Call<'_, F>) -> Result<u8, Error> {
    let (flow, matches, mut telling) = Telling::new(call);
    let result = reset_given(flow, matches, &mut telling);
    telling.tell(&result, |_| "done: the next run is iteration 0\n".to_owned(), as_json)
}

fn reset_given<F: Flow>(flow: &mut F, matches: &ArgMatches, telling: &mut Telling<'_>) -> Result<Reset, Error> {
    bind::bind_given(flow, &given_ports(F::PLAN, matches))?;
    let checkpoint = given_checkpoint(F::PLAN, matches);
    let name = F::PLAN.logical_name();
    let meaning = look_at_reset(flow, &checkpoint)?;
    telling.say(&as_text(&name, &meaning));
    if !matches.get_flag("yes") {
        telling.say(&format!("type the flow's name to go on ({name}): "));
        confirm(&name, matches.get_flag("json"))?;
    }
    reset(flow, &checkpoint, matches.get_flag("force"))
}

/// Reads the name from stdin; a script that has none to type says --yes.
fn confirm(name: &str, is_json: bool) -> Result<(), Error> {
    let mut typed = String::new();
    let read = if is_json { Ok(0) } else { io::stdin().lock().read_line(&mut typed) };
    if read.is_ok() && typed.trim() == name {
        return Ok(());
    }
    let what = if typed.is_empty() { "nobody has confirmed the reset" } else { "that is not the flow's name" };
    Err(Error::Config(Failure::new(what).help("nothing was changed; type its name when asked, or give --yes")))
}

fn as_text(name: &str, meaning: &Reset) -> String {
    let mut text = format!(
        "{} of {name} will count no more: the next run is iteration 0, and reads everything that its sources have\n",
        units::counted(meaning.iterations, "iteration")
    );
    text.extend(meaning.unfinished.iter().map(unfinished));
    let (bound, former): (Vec<_>, Vec<_>) = meaning.targets.iter().partition(|target| target.is_bound);
    for (targets, what) in [
        (bound, "every run is held until `forget --all --empty` has emptied these targets:"),
        (former, "these targets are not bound any more, and keep their rows:"),
    ] {
        if !targets.is_empty() {
            text += &format!("{what}\n");
            text.extend(targets.iter().map(|target| format!("  {}: {}\n", target.port, target.place)));
        }
    }
    text
}

fn unfinished(unfinished: &Unfinished) -> String {
    let Unfinished { iteration, lacking, .. } = unfinished;
    let lacking: Vec<String> =
        lacking.iter().map(|(port, rows)| format!("{port} {}", units::counted(*rows, "row"))).collect();
    format!(
        "iteration {iteration} is sealed and not loaded everywhere: it would be thrown away ({})\n",
        lacking.join(", ")
    )
}

fn as_json(done: &Reset) -> Value {
    let target =
        |target: &LoadedTarget| json!({ "port": target.port, "target": target.place, "bound": target.is_bound });
    json!({
        "former_epoch": done.epoch,
        "iterations": done.iterations,
        "thrown_away": done.unfinished.iter().map(|unfinished| unfinished.iteration).collect::<Vec<_>>(),
        "targets": done.targets.iter().map(target).collect::<Vec<_>>(),
    })
}
