//! The flow against its logical name: what has changed since the last iteration, and what the plan remarks on itself.

use super::Findings;
use crate::{
    Failure, Plan,
    driver::{checkpoint::OpenCheckpoint, ports::Ports},
    plan::{PortKind, option_name},
};

/// What of the program is not as it was when the last iteration was read.
pub(super) fn changes(found: &mut Findings, ports: &Ports, checkpoint: &OpenCheckpoint) {
    let (Some(last), Some(shards)) =
        (found.keep(None, checkpoint.store.last_program()), found.keep(None, checkpoint.store.shards()))
    else {
        return;
    };
    let Some(last) = last else { return };
    if last.plan_hash != ports.plan.hash {
        found.note(
            None,
            Failure::new(format!("the flow is not the one that read iteration {}", last.iteration))
                .cause(format!("its text was {:016x}, now it is {:016x}", last.plan_hash, ports.plan.hash))
                .help("what is sealed stays as it is; the next iteration is read by the flow as it is now"),
        );
    }
    let mut known: Vec<&str> = shards.iter().map(|shard| shard.port.as_str()).collect();
    known.dedup();
    let sources: Vec<&'static str> =
        ports.ports().filter(|(_, port)| port.kind == PortKind::Source).map(|(_, port)| port.name).collect();
    let removed: Vec<&str> = known.iter().filter(|port| !sources.contains(port)).copied().collect();
    for port in &removed {
        found.note(
            None,
            Failure::new(format!("the flow has no source `{port}` any more"))
                .cause("the checkpoint store has its positions")
                .help("if it has another name now, give it the former one: else it is read from its beginning"),
        );
    }
    let is_empty = shards.is_empty();
    for port in sources.into_iter().filter(|port| !is_empty && !known.contains(port)) {
        found.note(
            Some(port),
            Failure::new("the source is new to the checkpoint store")
                .help(format!("the next run reads what --{} names from its beginning", option_name(port))),
        );
    }
}

/// What the macro remarked on: it works, and may not be what was meant.
pub(super) fn remarks(found: &mut Findings, plan: &Plan) {
    for operator in plan.operators.iter().filter(|operator| !operator.note.is_empty()) {
        let line = if operator.line > 0 { format!("line {}, ", operator.line) } else { String::new() };
        found.note(None, Failure::new(operator.note).at(format!("{line}{}", operator.text)));
    }
}
