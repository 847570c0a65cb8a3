//! `restage`: stages a sealed iteration anew, when what was staged for it was lost.

use clap::{ArgMatches, Command};
use serde_json::{Value, json};

use super::{
    Call, Program,
    iterations::iteration,
    replay::{given_options, output, outputs, outputs_json, tables_json},
};
use crate::{
    Error, Flow,
    cli::{
        bind,
        options::{checkpoint, flag, given_ports, memory, ports, workers},
        telling::Telling,
        units,
    },
    driver::{Options, Restaged, restage},
};

pub(super) fn grammar(program: &Program<'_>) -> Command {
    let accept = "Take rows that are not those that were sealed, because the program or a table has changed";
    Command::new("restage")
        .about("Stage a sealed iteration anew, when its staged rows were lost or damaged; the next run publishes it")
        .next_line_help(false)
        .arg(iteration("Its number"))
        .arg(flag("accept-changed", accept))
        .args(ports(program).map(|port| port.help_heading("Ports")))
        .args([checkpoint(program.plan), workers(), memory()].map(|option| option.help_heading("Run")))
        .args(outputs().map(|flag| flag.help_heading("Output")))
        .after_help(
            "\
The positions that were sealed are read again; they must hold the very records, by number, bytes and hash. What comes
out takes the place of what was lost, in one step, and only if nobody has gone on with the iteration meanwhile. Targets
that have the iteration keep what they have. Nothing is published: that is the next run's to do.

Exit codes: 0 done, or nothing was lost; 1 the source has changed or lost records; 2 a wrong option or number;
3 the rows are not those that were sealed; 4 a run of the flow is under way.",
        )
}

pub(super) fn act<F: Flow>(call: Call<'_, F>) -> Result<u8, Error> {
    let stop = call.signals.stop();
    let (flow, matches, telling) = Telling::new(call);
    let result = restage_given(flow, matches, &given_options(F::PLAN, matches, stop));
    telling.tell(&result, as_text, as_json)
}

fn restage_given<F: Flow>(flow: &mut F, matches: &ArgMatches, options: &Options) -> Result<Restaged, Error> {
    bind::bind(flow, &given_ports(F::PLAN, matches))?;
    let iteration = matches.get_one::<u64>("iteration").copied().unwrap_or(0);
    restage(&*flow, options, iteration, matches.get_flag("accept-changed"))
}

fn as_text(restaged: &Restaged) -> String {
    let Restaged { iteration, loaded, outputs, .. } = restaged;
    if restaged.nothing_lost {
        return format!("nothing is lost of iteration {iteration}: the next run publishes what is staged\n");
    }
    let mut text = format!("iteration {iteration} is staged anew; the next run publishes it\n");
    for change in outputs {
        let told = output(change);
        text += &format!("  {}: {}, {told}\n", change.port, units::counted(change.rows, "row"));
    }
    for port in loaded {
        text += &format!("  {port}: its target has the iteration, and keeps it as it is\n");
    }
    text
}

fn as_json(restaged: &Restaged) -> Value {
    json!({
        "iteration": restaged.iteration,
        "nothing_lost": restaged.nothing_lost,
        "tables": tables_json(&restaged.tables),
        "outputs": outputs_json(&restaged.outputs),
        "loaded": restaged.loaded,
    })
}
