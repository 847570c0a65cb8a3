//! Has targets forget what was published to them: the way out where nobody can say any more what is in them.

use super::{Checkpoint, Options, checkpoint::OpenCheckpoint, ports::Ports};
use crate::{
    Error, Failure, Flow, Plan,
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

/// What targets are to forget, and on which conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forgetting<'a> {
    /// Which of them.
    pub which: Which<'a>,
    /// Whether their rows go, too.
    pub empty: bool,
    /// Whether it is known that there is no store any more. Else one that is not there is looked for in the wrong place,
    /// and every target would disagree with a new one.
    pub store_is_lost: bool,
    /// Whether it is done; else it is only said, and nothing is made or changed.
    pub do_it: bool,
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

/// Has the ledgers of targets forget the flow, so that each begins with whatever iteration comes next. Only where ledger
/// and store disagree: of a target that is fine, the rows of an iteration could be there and be loaded once more. All are
/// asked before the first forgets.
///
/// # Errors
/// [`Error::Config`] for a port that the flow does not have, without a store, or for one that does not know the flow and
/// is not said to be lost; [`Error::Busy`]; a target's own, which names those that have forgotten before it.
pub fn forget<F: Flow>(flow: &F, options: &Options, forgetting: Forgetting<'_>) -> Result<Vec<Forgotten>, Error> {
    let Forgetting { which, empty, store_is_lost, do_it } = forgetting;
    let name = F::PLAN.logical_name();
    if !is_known(&options.checkpoint, &name)? && !store_is_lost {
        return Err(unknown(&options.checkpoint, &name));
    }
    let outputs = chosen(F::PLAN, which)?;
    let mut ports = Ports::open(flow)?;
    let checkpoint = match do_it {
        true => OpenCheckpoint::open(&options.checkpoint, name.clone())?,
        false => OpenCheckpoint::look(&options.checkpoint, name.clone())?,
    };
    let mut targets = Vec::new();
    for (index, port) in outputs {
        let ticket = next_ticket(&checkpoint, port.name)?;
        let Some(tap) = ports.output(index) else { continue };
        let held = match tap.check_ledger(&ticket) {
            Ok(_) => None,
            Err(Error::Held(failure)) => Some(failure.account()),
            Err(error) => return Err(error.of_port(port.name)),
        };
        targets.push((index, Forgotten { port: port.name, place: ports.places[index].clone(), held }));
    }
    let mut done = Vec::new();
    for (index, target) in targets.iter().filter(|(_, target)| do_it && target.held.is_some()) {
        if let Some(tap) = ports.output_mut(*index) {
            tap.forget(&name, empty).map_err(|error| half_done(error, target.port, &done))?;
            done.push(target.port);
        }
    }
    Ok(targets.into_iter().map(|(_, target)| target).collect())
}

/// Whether there is a store, and it knows the flow.
pub(super) fn is_known(checkpoint: &Checkpoint, flow: &str) -> Result<bool, Error> {
    Ok(checkpoint.place("there is nothing to forget")?.look(flow)?.is_some())
}

fn unknown(checkpoint: &Checkpoint, flow: &str) -> Error {
    let failure = Failure::new(format!("the checkpoint store does not know the flow {flow}"));
    let failure = match checkpoint.kept() {
        Ok(Some(place)) => failure.at(place.to_string()),
        _ => failure,
    };
    Error::Config(failure.help(
        "go where the flow runs, or give --checkpoint: every target disagrees with a store that is not its own; if the \
         store is lost, add --store-is-lost",
    ))
}

/// The error of a target, which must not hide what was done before.
fn half_done(error: Error, port: &str, done: &[&str]) -> Error {
    let error = error.of_port(port);
    match done {
        [] => error,
        _ => error.but_first(&format!("forgotten already: {}; the same command does the rest", done.join(", "))),
    }
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
