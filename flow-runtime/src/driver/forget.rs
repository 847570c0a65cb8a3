//! Has targets forget what was published to them: the way out where nobody can say any more what is in them.

use super::{Checkpoint, Options, checkpoint::OpenCheckpoint, ports::Ports};
use crate::{
    Error, Failure, Flow, Plan,
    iteration::store::Store as _,
    plan::{PortKind, PortPlan},
    sink::Ticket,
};

/// Which targets are to forget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which<'a> {
    /// That of the sink or trap with this name.
    Port(&'a str),
    /// Those of all sinks and traps.
    All,
}

/// What is done with a target.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forgotten {
    /// The sink or trap.
    pub port: &'static str,
    /// Its target.
    pub place: String,
    /// Why its ledger and the store disagree; nothing is done with a target where they agree.
    pub held: Option<String>,
}

/// Has the ledgers of targets forget the flow, so that each begins with whatever iteration comes next; with `empty` the
/// rows go, too. Only where ledger and store disagree: of a target that is fine, the rows of an iteration could be there
/// and be loaded once more. Without `do_it` nothing is done, but everything is said.
///
/// # Errors
/// [`Error::Config`] for a port that the flow does not have, or without a store; [`Error::Busy`]; a target's own.
pub fn forget<F: Flow>(
    flow: &F,
    options: &Options,
    which: Which<'_>,
    empty: bool,
    do_it: bool,
) -> Result<Vec<Forgotten>, Error> {
    if options.checkpoint == Checkpoint::None {
        let failure = Failure::new("without a checkpoint store there is nothing to forget");
        return Err(Error::Config(failure.help("give --checkpoint sqlite:PATH")));
    }
    let outputs = chosen(F::PLAN, which)?;
    let mut ports = Ports::open(flow)?;
    let name = F::PLAN.logical_name();
    let checkpoint = OpenCheckpoint::open(&options.checkpoint, name.clone())?;
    let mut forgotten = Vec::new();
    for (index, port) in outputs {
        let ticket = next_ticket(&checkpoint, port.name)?;
        let (place, Some(tap)) = (ports.places[index].clone(), ports.output_mut(index)) else { continue };
        let held = match tap.check_ledger(&ticket) {
            Ok(_) => None,
            Err(Error::Held(failure)) => Some(failure.account()),
            Err(error) => return Err(error),
        };
        if held.is_some() && do_it {
            tap.forget(&name, empty)?;
        }
        forgotten.push(Forgotten { port: port.name, place, held });
    }
    Ok(forgotten)
}

fn chosen(plan: &'static Plan, which: Which<'_>) -> Result<Vec<(usize, &'static PortPlan)>, Error> {
    let outputs =
        plan.ports.iter().enumerate().filter(|(_, port)| matches!(port.kind, PortKind::Sink | PortKind::Trap));
    let outputs: Vec<_> = match which {
        Which::All => outputs.collect(),
        Which::Port(name) => outputs.filter(|(_, port)| port.name == name).collect(),
    };
    match (which, outputs.is_empty()) {
        (Which::Port(name), true) => Err(Error::Config(
            Failure::new(format!("the flow has no sink or trap `{name}`")).help("`plan` shows its ports"),
        )),
        _ => Ok(outputs),
    }
}

/// What the ledger of a port is to take next: what is sealed for it and not loaded, else the next iteration.
fn next_ticket(checkpoint: &OpenCheckpoint, port: &str) -> Result<Ticket, Error> {
    let unfinished = checkpoint.store.unfinished()?;
    let waiting = unfinished.iter().find_map(|sealed| {
        let output = sealed.outputs.iter().find(|output| output.staged.port == port && !output.loaded)?;
        Some((sealed.iteration, output.staged.hash.as_str()))
    });
    let next = checkpoint.store.latest()?.map_or(0, |latest| latest + 1);
    let (iteration, hash) = waiting.unwrap_or((next, ""));
    checkpoint.ticket(port, iteration, hash)?.ok_or_else(|| Error::Config(Failure::new("there is no checkpoint store")))
}
