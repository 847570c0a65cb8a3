//! The outputs: whether their targets can take rows, and whether ledgers, manifests and store agree.

use super::Findings;
use crate::{
    Error, Failure,
    driver::{
        checkpoint::OpenCheckpoint,
        ports::{self, Ports},
        publish,
    },
    iteration::{Sealed, decide, store::Store as _},
};

/// Whether each target exists or can be made, may be written, has the right shape.
pub(super) fn targets(found: &mut Findings, ports: &Ports, has_store: bool) {
    for (index, port) in ports.ports() {
        if let Some(tap) = ports.output(index) {
            found.keep(Some(port.name), ports::check_output(tap, port, has_store));
        }
    }
}

/// Whether the ledger of each target takes what comes next: what is sealed and not loaded, or else the next iteration.
pub(super) fn ledgers(found: &mut Findings, ports: &Ports, checkpoint: &OpenCheckpoint) {
    let store = &checkpoint.store;
    let Some(latest) = found.keep(None, store.latest()) else { return };
    let Some(unfinished) = found.keep(None, store.unfinished()) else { return };
    let next = latest.map_or(0, |latest| latest + 1);
    found.next = Some(next).filter(|_| checkpoint.is_kept);
    if unfinished.is_empty() {
        for (index, port) in ports.ports() {
            let Some(tap) = ports.output(index) else { continue };
            let ticket = found.keep(Some(port.name), checkpoint.ticket(port.name, next, ""));
            if let Some(Some(ticket)) = ticket {
                found.keep(Some(port.name), tap.check_ledger(&ticket));
            }
        }
    }
    // What is behind an iteration waits for it, so of a target's ledger only the first is looked at.
    let mut looked = Vec::new();
    for sealed in &unfinished {
        unloaded(found, ports, checkpoint, sealed, &mut looked);
    }
}

/// Whether a sealed iteration could be published now.
fn unloaded(
    found: &mut Findings,
    ports: &Ports,
    checkpoint: &OpenCheckpoint,
    sealed: &Sealed,
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
        found.keep(Some(port.name), checkpoint.staging.staged(&sealed.attempt, &output.staged, port));
        let ticket = found.keep(Some(port.name), checkpoint.ticket(port.name, iteration, &output.staged.hash));
        if let Some(Some(ticket)) = ticket.filter(|_| !looked.contains(&port.name)) {
            looked.push(port.name);
            found.keep(Some(port.name), tap.check_ledger(&ticket));
        }
    }
    let failure = Failure::new(format!("iteration {iteration} is sealed and not yet in all its targets"));
    found.note(None, failure.help("the next run publishes it, before it reads anything"));
}
