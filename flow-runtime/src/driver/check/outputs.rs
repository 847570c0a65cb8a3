//! The outputs: whether their targets can take rows, and whether ledgers, manifests and store agree.

use super::{Findings, LockHolder};
use crate::{
    Error, Failure,
    driver::{
        checkpoint::OpenCheckpoint,
        ports::{self, Ports, staged},
        publish,
    },
    iteration::{Sealed, decide},
    sink::{LedgerLock, SinkTap, Ticket},
};

/// Whether each target exists or can be made, may be written, has the right shape.
pub(super) fn targets(found: &mut Findings, ports: &Ports, has_store: bool) {
    for (index, port) in ports.ports() {
        if let Some(tap) = ports.output(index) {
            found.keep(Some(port.name), ports::check_output(tap, port, has_store));
        }
    }
}

/// How often store and ledgers are looked at until no run has gone on in between.
const LOOKS_MAX: usize = 5;

/// Whether the ledger of each target takes what comes next: what is sealed and not loaded, or else the next iteration.
///
/// The store is asked first, and a run may go on before the targets are: then they are ahead of what the store said, and
/// nothing is wrong. So both are asked until the store says the same afterwards.
pub(super) fn ledgers(
    found: &mut Findings,
    ports: &Ports,
    checkpoint: &OpenCheckpoint,
    holder: &dyn Fn() -> Option<LockHolder>,
) {
    for _ in 0..LOOKS_MAX {
        let Some(before) = found.keep(None, known(checkpoint)) else { return };
        let mut looked = Findings { findings: Vec::new(), next: Some(before.next).filter(|_| checkpoint.is_kept) };
        look(&mut looked, ports, checkpoint, &before, holder);
        if found.keep(None, known(checkpoint)).is_none_or(|after| after == before) {
            found.next = looked.next;
            for finding in looked.findings {
                found.add(finding);
            }
            return;
        }
    }
    let what = "a run goes on so fast that its targets could not be looked at";
    found.note(None, Failure::new(what).help("look again when it waits for data"));
}

/// What the store knows of the iterations that targets have, or wait for.
#[derive(Debug, PartialEq, Eq)]
struct Known {
    next: u64,
    unfinished: Vec<Sealed>,
}

fn known(checkpoint: &OpenCheckpoint) -> Result<Known, Error> {
    let next = checkpoint.store.latest()?.map_or(0, |latest| latest + 1);
    Ok(Known { next, unfinished: checkpoint.store.unfinished()? })
}

fn look(
    found: &mut Findings,
    ports: &Ports,
    checkpoint: &OpenCheckpoint,
    known: &Known,
    holder: &dyn Fn() -> Option<LockHolder>,
) {
    if known.unfinished.is_empty() {
        for (index, port) in ports.ports() {
            let Some(tap) = ports.output(index) else { continue };
            let ticket = found.keep(Some(port.name), checkpoint.ticket(port.name, known.next, ""));
            if let Some(Some(ticket)) = ticket {
                ledger(found, port.name, tap, &ticket, None);
            }
        }
        return;
    }
    // What is behind an iteration waits for it, so of a target's ledger only the first is looked at.
    let mut looked = Vec::new();
    let loads = holder().filter(|holder| holder.reads.is_none() && !holder.is_stopped);
    for sealed in &known.unfinished {
        unloaded(found, ports, checkpoint, (sealed, loads.as_ref()), &mut looked);
    }
}

/// What the ledger says, unless somebody keeps it from being asked. That is nothing to mend where it is a load of the flow
/// itself: a run is at work, and reads nothing.
fn ledger(found: &mut Findings, port: &'static str, tap: &dyn SinkTap, ticket: &Ticket, at_work: Option<&LockHolder>) {
    let Some(lock) = found.keep(Some(port), tap.look_at_lock()) else { return };
    match (lock, at_work) {
        (None, _) => {
            found.keep(Some(port), tap.check_ledger(ticket).map(drop));
        }
        (Some(LedgerLock { failure, is_awaited: false }), Some(holder)) => {
            let who = holder.pid.map_or_else(|| "another process".to_owned(), |pid| format!("pid {pid}"));
            let on = holder.host.as_ref().map(|host| format!(" on {host}")).unwrap_or_default();
            let time = holder.held_for.map(|time| format!(", at work for {} s", time.as_secs())).unwrap_or_default();
            let what = format!("{who}{on}{time}, loads iteration {}, and keeps its ledger locked", ticket.iteration);
            found.note(Some(port), failure.told_as(what, "look again when it has loaded it"));
        }
        (Some(LedgerLock { failure, .. }), _) => found.wrong(Some(port), Error::Busy(failure)),
    }
}

/// Whether a sealed iteration could be published now.
fn unloaded(
    found: &mut Findings,
    ports: &Ports,
    checkpoint: &OpenCheckpoint,
    (sealed, at_work): (&Sealed, Option<&LockHolder>),
    looked: &mut Vec<&'static str>,
) {
    let iteration = sealed.iteration;
    let bound = ports.bound();
    let mut unfit = Vec::new();
    for (name, why) in decide::misfits(sealed, &bound) {
        let port = ports.plan.port(name).map(|(_, port)| port.name);
        found.wrong(port, Error::Held(publish::unfit(iteration, name, why)));
        unfit.push(name);
    }
    for (index, port) in ports.ports().filter(|(_, port)| !unfit.contains(&port.name)) {
        let output = sealed.outputs.iter().find(|output| output.staged.port == port.name && !output.loaded);
        let (Some(output), Some(tap)) = (output, ports.output(index)) else { continue };
        let staged = staged(tap, &checkpoint.staging, (iteration, &sealed.attempt), (&output.staged, port));
        found.keep(Some(port.name), staged.map_err(|error| error.of_iteration(iteration)));
        let ticket = found.keep(Some(port.name), checkpoint.ticket(port.name, iteration, &output.staged.hash));
        if let Some(Some(ticket)) = ticket.filter(|_| !looked.contains(&port.name)) {
            looked.push(port.name);
            ledger(found, port.name, tap, &ticket, at_work);
        }
    }
    let failure = Failure::new(format!("iteration {iteration} is sealed and not yet in all its targets"));
    found.note(None, failure.help("the next run publishes it, before it reads anything"));
}
