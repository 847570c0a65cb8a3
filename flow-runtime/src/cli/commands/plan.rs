//! `plan`: explains the flow, as text or as a picture; what it must be allowed to do; and what it tells servers.

use clap::Command;

use super::{Call, Program};
use crate::{
    Error, Flow,
    cli::{dot::dot, ending::print, explain::explain, options::flag},
};

/// The options that say what is printed of the ports' addresses instead.
#[cfg(any(feature = "aws", feature = "postgres"))]
pub(super) const OF_ADDRESSES: &str = "of-addresses";

pub(super) fn grammar(program: &Program<'_>) -> Command {
    let command = Command::new("plan")
        .about("Explain the flow: its fields, what is read and what is pruned, traps, steps")
        .arg(flag("dot", "Print a picture instead, for Graphviz: … plan --dot | dot -Tsvg > flow.svg"));
    #[cfg(feature = "postgres")]
    let command = super::sql::add_to(command);
    #[cfg(feature = "aws")]
    let command = super::iam::add_to(command, program);
    #[cfg(any(feature = "aws", feature = "postgres"))]
    let command = {
        let kinds = [("iam", cfg!(feature = "aws")), ("sql", cfg!(feature = "postgres"))];
        let kinds = kinds.into_iter().filter(|(_, is_there)| *is_there).map(|(kind, _)| kind);
        let ports = crate::cli::options::ports(program);
        let heading = "What the policy or the statements are for";
        command
            .next_line_help(false)
            .group(clap::ArgGroup::new(OF_ADDRESSES).args(kinds))
            .args(ports.map(|port| port.help_heading(heading).conflicts_with("dot").requires(OF_ADDRESSES)))
    };
    #[cfg(not(any(feature = "aws", feature = "postgres")))]
    let _ = program;
    command
}

pub(super) fn act<F: Flow>(call: Call<'_, F>) -> Result<u8, Error> {
    #[cfg(feature = "postgres")]
    if super::sql::is_given(call.matches) {
        return super::sql::act(call);
    }
    #[cfg(feature = "aws")]
    if let Some(purpose) = super::iam::given(call.matches) {
        return super::iam::act(call, purpose);
    }
    let text = if call.matches.get_flag("dot") { dot(F::PLAN) } else { explain(F::PLAN) };
    #[cfg(feature = "aws")]
    let text = text + &super::iam::cost(F::PLAN, call.matches)?;
    print(call.stdout, &text).map(|()| 0)
}
