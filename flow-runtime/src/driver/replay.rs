//! Replaying: a sealed iteration is read again and held against what was sealed; its rows may go to another target.
//!
//! Neither the store nor the targets that the iteration was sealed for are touched, so a run may be under way meanwhile.

use std::time::Duration;

use super::{
    Checkpoint, Options, PortOutcome, attempt,
    checkpoint::OpenCheckpoint,
    origin, overlaps,
    place::Place,
    ports::{Ports, staged},
    reread::reread,
};
use crate::{
    Error, Failure, Flow,
    effect::{self, clock},
    flow::{Counts, PortRef},
    iteration::{
        OutputChange, SealedDetail, TableChange,
        decide::{compare_outputs, compare_tables},
    },
    plan::option_name,
    sink::{self, Target, staging::StagedManifest},
};

/// What replaying an iteration has found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Replayed {
    /// Its number.
    pub iteration: u64,
    /// Whether another program has sealed it.
    pub program_changed: bool,
    /// What the tables held then, and hold now.
    pub tables: Vec<TableChange>,
    /// What was staged for the outputs then, and now.
    pub outputs: Vec<OutputChange>,
    /// The outputs whose rows were published, by their ports.
    pub published: Vec<String>,
    /// Every port, in the order of the plan.
    pub ports: Vec<PortOutcome>,
    /// One entry for each operator of the plan.
    pub counts: Vec<Counts>,
    /// How long it took.
    pub elapsed: Duration,
}

/// Reads a sealed iteration again, from the first to the last of its positions, and runs the flow as it is now. The
/// rows of the outputs `into`, by the names of their ports, are published to where the flow binds them.
///
/// # Errors
/// [`Error::Input`] when the records are not those that were sealed. [`Error::Config`] when a target is one that the
/// flow's iterations are sealed for: it has these rows, or will have them.
pub fn replay<F: Flow>(flow: &F, options: &Options, iteration: u64, into: &[&str]) -> Result<Replayed, Error> {
    let name = F::PLAN.logical_name();
    let place = options.checkpoint.place("there are no iterations to replay")?;
    let known = place.detail(&name, iteration)?;
    let sealed = known.and_then(|detail| Some((detail.tries, detail.sealed?)));
    let (tries, sealed) = sealed.ok_or_else(|| not_sealed(&place, &name, iteration))?;
    refuse_sealed_targets(flow, into, &place.targets(&name)?)?;
    let sealed_by = tries.iter().find(|tried| tried.attempt.id == sealed.attempt);
    let program_changed = sealed_by.is_some_and(|tried| tried.attempt.plan_hash != F::PLAN.hash);
    let replayed = replay_in(flow, options, iteration, into, &sealed)?;
    Ok(Replayed { program_changed, ..replayed })
}

fn replay_in<F: Flow>(
    flow: &F,
    options: &Options,
    iteration: u64,
    into: &[&str],
    sealed: &SealedDetail,
) -> Result<Replayed, Error> {
    let began = clock::elapsed();
    let is_wanted = |port: &str| into.contains(&port);
    let mut ports = Ports::open_into(flow, is_wanted)?;
    ports.demand_as_sealed(&sealed.seal.outputs);
    let bound = F::PLAN.ports.iter().map(|port| port.name).zip(flow.ports());
    let touched = bound.filter(|(name, port)| is_input(port) || is_wanted(name));
    overlaps::refuse(touched, &options.checkpoint)?;
    ports.check(false)?;

    // What is staged goes with this process.
    let checkpoint = OpenCheckpoint::open(&Checkpoint::None, F::PLAN.logical_name())?;
    let attempt = format!("{iteration}-{}", effect::id());
    let ranges = &sealed.seal.ranges;
    let again = |ports: &mut Ports| {
        let read = reread::<F>(&checkpoint, ports, options, (iteration, &attempt), ranges)?;
        attempt::check(&checkpoint, ports, options, &read)?;
        let (ports_done, counts) = (attempt::outcomes(ports, &read), read.executed.counts.clone());
        let tables = compare_tables(&sealed.seal.tables, &attempt::tables(ports, &read.executed));
        let manifests = read.staged.finish()?;
        let outputs = compare_outputs(&sealed.seal.outputs, &manifests);
        let published = publish(&checkpoint, ports, &attempt, &manifests);
        let published = published.map_err(|error| origin::told(ports, iteration, || ranges.clone(), error))?;
        let elapsed = clock::elapsed().saturating_sub(began);
        let program_changed = false;
        Ok(Replayed { iteration, program_changed, tables, outputs, published, ports: ports_done, counts, elapsed })
    };
    let replayed = again(&mut ports);
    // However it ended: nobody else knows of this attempt.
    let removed = checkpoint.remove_staged(&ports, &attempt);
    let replayed = replayed?;
    removed.map(|()| replayed)
}

/// Publishes what was staged, without a ledger. Returns the ports.
fn publish(
    checkpoint: &OpenCheckpoint,
    ports: &mut Ports,
    attempt: &str,
    manifests: &[StagedManifest],
) -> Result<Vec<String>, Error> {
    let mut published = Vec::new();
    for manifest in manifests {
        let Some((index, port)) = ports.plan.port(&manifest.port) else { continue };
        let Some(tap) = ports.output_mut(index) else { continue };
        let rows = staged(&*tap, &checkpoint.staging, attempt, (manifest, port))?;
        tap.publish(&rows, None)?;
        published.push(manifest.port.clone());
    }
    Ok(published)
}

fn is_input(port: &PortRef<'_>) -> bool {
    matches!(port, PortRef::Source(_) | PortRef::Table(_))
}

/// Refuses targets that iterations of the flow are sealed for, however their addresses are written. What only shows rows
/// has none to double.
fn refuse_sealed_targets<F: Flow>(flow: &F, into: &[&str], sealed: &[String]) -> Result<(), Error> {
    for (port, plan) in flow.ports().into_iter().zip(F::PLAN.ports).filter(|(_, plan)| into.contains(&plan.name)) {
        let (PortRef::Sink(sink::Sink { target, .. }) | PortRef::Trap(sink::Trap { target })) = port else { continue };
        let identity = sink::identity(target, plan.name);
        let keeps_rows = matches!(target, Target::Address(_)) && identity != "stdout:";
        if keeps_rows && sealed.contains(&identity) {
            let option = option_name(plan.name);
            return Err(Error::Config(
                Failure::new(
                    "the flow loads this target, and a replay would bring rows to it that it has, or will have",
                )
                .at(identity)
                .help(format!("give --{option} another target, or stdout:"))
                .of_port(plan.name),
            ));
        }
    }
    Ok(())
}

fn not_sealed(place: &Place, flow: &str, iteration: u64) -> Error {
    Error::Config(
        Failure::new(format!("{flow} has no sealed iteration {iteration}"))
            .at(format!("store {place}"))
            .help("`iterations` lists those that there are"),
    )
}
