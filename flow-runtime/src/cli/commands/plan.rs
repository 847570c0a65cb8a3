//! `plan`: explains the flow, as text or as a picture.

use clap::Command;

use super::{Call, Program};
use crate::{
    Error, Flow,
    cli::{dot::dot, ending::print, explain::explain, options::flag},
};

pub(super) fn grammar(_: &Program<'_>) -> Command {
    Command::new("plan")
        .about("Explain the flow: its fields, what is read and what is pruned, traps, steps")
        .arg(flag("dot", "Print a picture instead, for Graphviz: … plan --dot | dot -Tsvg > flow.svg"))
}

pub(super) fn act<F: Flow>(call: Call<'_, F>) -> Result<u8, Error> {
    let text = if call.matches.get_flag("dot") { dot(F::PLAN) } else { explain(F::PLAN) };
    print(call.stdout, &text).map(|()| 0)
}
