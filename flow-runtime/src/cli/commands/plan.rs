//! `plan`: explains the flow, as text or as a picture; and what it must be allowed to do.

use clap::Command;

use super::{Call, Program};
use crate::{
    Error, Flow,
    cli::{dot::dot, ending::print, explain::explain, options::flag},
};

pub(super) fn grammar(program: &Program<'_>) -> Command {
    let command = Command::new("plan")
        .about("Explain the flow: its fields, what is read and what is pruned, traps, steps")
        .arg(flag("dot", "Print a picture instead, for Graphviz: … plan --dot | dot -Tsvg > flow.svg"));
    #[cfg(feature = "aws")]
    let command = super::iam::add_to(command, program);
    #[cfg(not(feature = "aws"))]
    let _ = program;
    command
}

pub(super) fn act<F: Flow>(call: Call<'_, F>) -> Result<u8, Error> {
    #[cfg(feature = "aws")]
    if let Some(purpose) = super::iam::given(call.matches) {
        return super::iam::act(call, purpose);
    }
    let text = if call.matches.get_flag("dot") { dot(F::PLAN) } else { explain(F::PLAN) };
    #[cfg(feature = "aws")]
    let text = text + &super::iam::cost(F::PLAN, call.matches)?;
    print(call.stdout, &text).map(|()| 0)
}
