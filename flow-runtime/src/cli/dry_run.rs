//! `run --dry-run`: what a run would read and publish, told without publishing it.

use clap::{Arg, ArgMatches};
use serde_json::{Value, json};

use super::{
    bind,
    commands::{Call, Run},
    explain::kind_text,
    options::flag,
    results::{table, trapped},
    summary::{operators, ports},
    telling::Telling,
    units,
};
use crate::{
    Error, Flow, Plan,
    driver::{Bounds, Options, Preview, PreviewOutput, preview},
    plan::PortKind,
    sink::Mode,
};

/// Records that are read, unless bounds are given.
const RECORDS_MAX: u64 = 1_000;

/// Rows of each sink that are shown.
const ROWS_SHOWN_MAX: usize = 20;

pub(super) fn option() -> Arg {
    flag(
        "dry-run",
        "Show what would be published, and publish nothing: no target, no store, no file is changed. Reads 1,000 records \
         unless bounds are given",
    )
    .conflicts_with("follow")
}

/// Whether it was asked for.
pub(super) fn is_given(matches: &ArgMatches) -> bool {
    matches.get_flag("dry-run")
}

pub(super) fn act<F: Flow>(call: Call<'_, F>, run: &Run) -> Result<u8, Error> {
    let stop = call.signals.stop();
    let (flow, _, telling) = Telling::new(call);
    let options = Options {
        workers: run.workers,
        bounds: bounds(run.bounds),
        memory_bytes: run.memory_bytes,
        checkpoint: run.checkpoint.clone(),
        gaps: run.gaps,
        take_tail: run.take_tail,
        stop,
        ..Options::default()
    };
    let result = bind::bind(flow, &run.addresses).and_then(|()| preview(&*flow, &options, ROWS_SHOWN_MAX));
    telling.tell(&result, |preview| as_text(F::PLAN, preview), |preview| as_json(F::PLAN, preview))
}

fn bounds(given: Bounds) -> Bounds {
    match given == Bounds::default() {
        true => Bounds { max_records: Some(RECORDS_MAX), ..given },
        false => given,
    }
}

fn as_text(plan: &Plan, preview: &Preview) -> String {
    let time = units::elapsed(preview.elapsed);
    let mut text: String = preview
        .unfinished
        .iter()
        .map(|number| format!("iteration {number} of an earlier run is sealed, and would be published first\n"))
        .collect();
    if preview.nothing_new {
        return text + &format!("dry run: no source has another record, nothing would be published ({time})\n");
    }
    let more = if preview.is_bounded { ", up to a bound: there may be more" } else { "" };
    let name = preview.iteration.map_or_else(String::new, |number| format!(" of what would be iteration {number}"));
    text += &format!("dry run{name} in {time}{more}; nothing was published\n");
    text += &ports(plan, &preview.ports, |kind| matches!(kind, PortKind::Source | PortKind::Table));
    text += &format!("\n{}", operators(plan, &preview.counts));
    for ((port, done), output) in plan.ports.iter().zip(&preview.ports).zip(&preview.outputs) {
        let Some(PreviewOutput { mode, rows, .. }) = output else { continue };
        match port.kind {
            PortKind::Trap if done.trapped.is_empty() => {}
            PortKind::Trap => text += &trapped(port, done),
            _ => {
                let rows_text = units::counted(rows.row_count, "row");
                let title = format!("{}: {rows_text} {} {}", port.name, verb(*mode), done.place);
                text += &table(&title, port, rows);
            }
        }
    }
    text
}

fn verb(mode: Mode) -> &'static str {
    match mode {
        Mode::Append => "would be appended to",
        Mode::Replace => "would replace what is in",
        Mode::Merge => "would be merged into",
    }
}

fn as_json(plan: &Plan, preview: &Preview) -> Value {
    let ports = plan.ports.iter().zip(&preview.ports).zip(&preview.outputs).map(|((port, done), output)| {
        let mode = output.as_ref().map(|output| output.mode.as_str());
        let first_rows = output.as_ref().map(|output| &output.rows.rows);
        json!({
            "name": port.name, "kind": kind_text(port.kind), "rows": done.rows, "bytes": done.bytes,
            "place": done.place, "mode": mode, "first_rows": first_rows,
        })
    });
    json!({
        "outcome": "dry_run",
        "iteration": preview.iteration,
        "unfinished": preview.unfinished,
        "nothing_new": preview.nothing_new,
        "is_bounded": preview.is_bounded,
        "elapsed_seconds": preview.elapsed.as_secs_f64(),
        "ports": ports.collect::<Vec<_>>(),
    })
}
