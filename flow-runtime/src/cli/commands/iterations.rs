//! `iterations`: lists the iterations that the store knows.

use clap::Command;

use super::{Call, Program};
use crate::{
    Error, Failure, Flow,
    cli::{
        ending::print,
        json, listing,
        options::{checkpoint, flag, given_checkpoint},
    },
    driver::Checkpoint,
    iteration,
};

pub(super) fn grammar(program: &Program<'_>) -> Command {
    Command::new("iterations")
        .about("List the iterations that the checkpoint store knows")
        .arg(checkpoint(program.plan))
        .arg(flag("json", "Print them as JSON"))
}

pub(super) fn act<F: Flow>(call: Call<'_, F>) -> Result<u8, Error> {
    let Checkpoint::Sqlite(path) = given_checkpoint(F::PLAN, call.matches) else {
        return Err(Error::Config(
            Failure::new("without a checkpoint store there are no iterations to list")
                .help("give --checkpoint sqlite:PATH"),
        ));
    };
    let flow = F::PLAN.logical_name();
    let rows = iteration::iterations(&path, &flow)?;
    let is_json = call.matches.get_flag("json");
    let text = if is_json { json::iterations(&flow, &rows) } else { listing::table(&flow, &rows) };
    print(call.stdout, &text).map(|()| 0)
}
