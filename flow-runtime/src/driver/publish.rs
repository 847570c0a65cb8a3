//! After the seal: every target gets the iteration, from its manifest alone.

use std::sync::{Arc, atomic::AtomicBool};

use super::{
    checkpoint::OpenCheckpoint,
    events,
    origin::Refused,
    ports::{Ports, staged},
};
use crate::{
    Error, Failure,
    effect::{Mutant, clock, effect, mutant},
    iteration::{
        Output, Range, Sealed,
        decide::{Misfit, Start, start},
    },
    plan::{PortKind, PortPlan},
    sink::SinkTap,
};

/// Publishes what earlier runs have sealed and not finished, without reading any of it again. Returns their numbers, and
/// the number of the iteration that comes next.
///
/// # Errors
/// [`Error::Held`] when one cannot be published as the flow is bound now, or when a target disagrees with the store; and as
/// [`publish`].
pub(super) fn leftovers(
    checkpoint: &OpenCheckpoint,
    ports: &mut Ports,
    stop: &Arc<AtomicBool>,
) -> Result<(Vec<u64>, u64), Error> {
    let mut resumed = Vec::new();
    loop {
        // In this order: what is sealed in between is then opened once more, and refused; not taken for finished.
        let latest = checkpoint.store.latest()?;
        let unfinished = checkpoint.store.unfinished()?;
        match start(latest, &unfinished, &ports.bound()) {
            Start::Publish(sealed) => {
                events::resumes(&checkpoint.flow, sealed);
                publish(checkpoint, ports, sealed, stop)?;
            }
            Start::Held { iteration, port, why } => return Err(hold(checkpoint, iteration, port, why)),
            Start::Open(iteration) => return Ok((resumed, iteration)),
        }
        resumed.extend(unfinished.first().map(|sealed| sealed.iteration));
    }
}

/// Loads a sealed iteration into every target that lacks it: LOADED; removes what was staged for it: DONE.
///
/// # Errors
/// What a target refused; [`Error::Interrupted`] once `stop` is set. The iteration stays sealed, and the next run goes on here.
pub(super) fn publish(
    checkpoint: &OpenCheckpoint,
    ports: &mut Ports,
    sealed: &Sealed,
    stop: &Arc<AtomicBool>,
) -> Result<(), Error> {
    let store = &checkpoint.store;
    let (iteration, began) = (sealed.iteration, clock::elapsed());
    load(checkpoint, ports, sealed, stop)?;
    store.mark_loaded(iteration, clock::now_us())?;
    store.mark_done(iteration, clock::now_us())?;
    events::done(&checkpoint.flow, iteration, clock::elapsed().saturating_sub(began));
    // What is left if this fails is swept away by the next run.
    checkpoint.remove_staged(ports, &sealed.attempt)
}

/// Loads each output on its own: one that fails keeps no other from being loaded, and is what the iteration waits for.
fn load(checkpoint: &OpenCheckpoint, ports: &mut Ports, sealed: &Sealed, stop: &Arc<AtomicBool>) -> Result<(), Error> {
    let (store, iteration) = (&checkpoint.store, sealed.iteration);
    let mut failed = None;
    for (index, port) in ports.ports() {
        let output = sealed.outputs.iter().find(|output| output.staged.port == port.name && !output.loaded);
        let (Some(output), Some(tap)) = (output, ports.output_mut(index)) else { continue };
        let began = clock::elapsed();
        let is_hasty =
            mutant(Mutant::LoadedBeforePublished) || (port.kind == PortKind::Trap && mutant(Mutant::TrapApart));
        if is_hasty {
            store.mark_output_loaded(iteration, port.name, &output.staged.hash)?;
        }
        match load_output(checkpoint, sealed, port, output, tap, stop) {
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            // Another run may have gone on with this iteration, and further, since we looked: then nothing is wrong.
            Err(Error::Held(_)) if store.is_output_loaded(iteration, port.name)? => {}
            Err(error) => {
                let error = Refused { ports, iteration, stop }.told(|| ranges(checkpoint, iteration), error);
                if let Error::Held(failure) = &error {
                    // For whoever lists iterations; that it is held is found out again by every run.
                    let _ = store.mark_held(iteration, &failure.to_string());
                }
                events::not_loaded(&checkpoint.flow, iteration, output, &error);
                failed = Some(graver(failed, error));
            }
            Ok(()) => {
                store.mark_output_loaded(iteration, port.name, &output.staged.hash)?;
                events::loaded(&checkpoint.flow, iteration, output, clock::elapsed().saturating_sub(began));
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Brings the rows of one output into its target, if they are not there.
fn load_output(
    checkpoint: &OpenCheckpoint,
    sealed: &Sealed,
    port: &'static PortPlan,
    output: &Output,
    tap: &mut dyn SinkTap,
    stop: &Arc<AtomicBool>,
) -> Result<(), Error> {
    let ticket = checkpoint.ticket(port.name, sealed.iteration, &output.staged.hash)?;
    let has_it = |tap: &dyn SinkTap| ticket.as_ref().is_some_and(|ticket| matches!(tap.check_ledger(ticket), Ok(true)));
    match staged(tap, &checkpoint.staging, (sealed.iteration, &sealed.attempt), (&output.staged, port)) {
        Ok(staged) => {
            // Without a store nobody would go on with what is half loaded.
            let staged = if checkpoint.is_kept { staged.until(stop) } else { staged };
            effect("target.publish", || tap.publish(&staged, ticket.as_ref())).map(drop)
        }
        // A run published them, and died before it could note it: nobody misses them.
        Err(Error::Held(_)) if has_it(tap) => Ok(()),
        Err(error) => Err(error.of_iteration(sealed.iteration)),
    }
}

/// What was read, for people.
fn ranges(checkpoint: &OpenCheckpoint, iteration: u64) -> Vec<Range> {
    let detail = checkpoint.store.iteration(iteration).ok().flatten();
    detail.and_then(|detail| detail.sealed).map_or_else(Vec::new, |sealed| sealed.seal.ranges)
}

/// Of two outputs that fail the one that needs a person is told; else the first. The other is in the log, and in the next run.
fn graver(first: Option<Error>, second: Error) -> Error {
    match first {
        Some(first) if matches!(first, Error::Held(_)) || !matches!(second, Error::Held(_)) => first,
        _ => second,
    }
}

fn hold(checkpoint: &OpenCheckpoint, iteration: u64, port: &str, why: Misfit) -> Error {
    let failure = unfit(iteration, port, why);
    let note = failure.to_string();
    let _ = checkpoint.store.mark_held(iteration, &note);
    Error::Held(failure)
}

/// Says that a sealed iteration cannot be published to `port` as it is bound now.
pub(super) fn unfit(iteration: u64, port: &str, why: Misfit) -> Failure {
    Failure::new(format!("iteration {iteration} was sealed and cannot be published as the flow is now"))
        .cause(why.cause)
        .help(why.help)
        .held(why.case.iteration(iteration))
        .of_port(port)
}
