//! Replaying: a sealed iteration is read again and held against what was sealed; its rows may go to another target, or take
//! the place of those that the target has which they were sealed for.
//!
//! The store is not touched, and a target that has the iteration is changed in one step under the lock of its ledger. The
//! entry there goes on having the hash of what was sealed, which the store goes by. So a run may be under way meanwhile, and
//! one that slept finds the iteration loaded.

use std::time::Duration;

use super::{
    Checkpoint, Options, PortOutcome, attempt,
    checkpoint::OpenCheckpoint,
    origin::Refused,
    overlaps,
    place::Place,
    ports::{Ports, staged},
    reread::{refuse_retried, reread},
};
use crate::{
    Error, Failure, Flow,
    effect::{self, clock, effect},
    flow::{Counts, PortRef},
    iteration::{
        Output, OutputChange, SealedDetail, TableChange, Tried,
        decide::{compare_outputs, compare_tables},
    },
    plan::{PortKind, option_name},
    sink::{self, Target, Ticket, staging::StagedManifest},
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
    /// Those of them whose target had rows of the iteration, which are gone.
    pub replaced: Vec<Replaced>,
    /// Every port, in the order of the plan.
    pub ports: Vec<PortOutcome>,
    /// One entry for each operator of the plan.
    pub counts: Vec<Counts>,
    /// How long it took.
    pub elapsed: Duration,
}

/// Rows of an iteration in the target that it was sealed for, whose place others take.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Replaced {
    /// The iteration.
    pub iteration: u64,
    /// The port.
    pub port: String,
    /// The target, without secrets.
    pub place: String,
    /// How many the target has, or had.
    pub rows: u64,
}

/// Reads a sealed iteration again, from the first to the last of its positions, and runs the flow as it is now. The
/// rows of the outputs `into`, by the names of their ports, are published to where the flow binds them.
///
/// # Errors
/// [`Error::Input`] when the records are not those that were sealed. [`Error::Config`] when a target is one that the
/// flow's iterations are sealed for: it has these rows, or will have them.
pub fn replay<F: Flow>(flow: &F, options: &Options, iteration: u64, into: &[&str]) -> Result<Replayed, Error> {
    let known = Known::find::<F>(options, iteration)?;
    match known.tickets(flow, into)?.first() {
        Some(ticket) => Err(loaded_here(&known.place_of(&ticket.port), &ticket.port)),
        None => known.replay(flow, options, into, InPlace { tickets: &[], accept_changed: false }),
    }
}

/// As [`replay`]; but where an output is bound to the very target that the iteration was loaded into, its rows take the place
/// of those that are there, in one step. The target must keep which rows are of which iteration. Traps stay as they are:
/// what they have may have been retried since. `accept_changed` replaces rows although other records would be trapped now.
///
/// # Errors
/// As [`replay`]; [`Error::Config`] too for a target whose rows cannot be replaced, and when others are trapped and nobody has
/// accepted that; [`Error::Held`] for a target that does not have what was loaded.
pub fn replay_in_place<F: Flow>(
    flow: &F,
    options: &Options,
    iteration: u64,
    into: &[&str],
    accept_changed: bool,
) -> Result<Replayed, Error> {
    let known = Known::find::<F>(options, iteration)?;
    let tickets = known.tickets(flow, into)?;
    known.replay(flow, options, into, InPlace { tickets: &tickets, accept_changed })
}

/// What [`replay_in_place`] would replace; nothing is changed, or read of the sources.
///
/// # Errors
/// As [`replay_in_place`].
pub fn look_at_replay<F: Flow>(
    flow: &F,
    options: &Options,
    iteration: u64,
    into: &[&str],
) -> Result<Vec<Replaced>, Error> {
    let known = Known::find::<F>(options, iteration)?;
    let tickets = known.tickets(flow, into)?;
    refuse_retried(iteration, &known.sealed.seal.ranges)?;
    let ports = Ports::open_into(flow, |port| into.contains(&port))?;
    replaceable(&ports, &tickets)
}

/// What takes the place of what.
#[derive(Clone, Copy)]
struct InPlace<'a> {
    /// The entries in ledgers of what goes.
    tickets: &'a [Ticket],
    /// It goes although other records are trapped now.
    accept_changed: bool,
}

/// What the store knows of an iteration that is to be replayed.
struct Known {
    iteration: u64,
    flow: String,
    epoch: String,
    tries: Vec<Tried>,
    sealed: SealedDetail,
    /// The targets that any iteration is sealed for.
    targets: Vec<String>,
}

impl Known {
    fn find<F: Flow>(options: &Options, iteration: u64) -> Result<Self, Error> {
        let flow = F::PLAN.logical_name();
        let place = options.checkpoint.place("there are no iterations to replay")?;
        let known = place.detail(&flow, iteration)?;
        let sealed = known.and_then(|detail| Some((detail.tries, detail.sealed?)));
        let (tries, sealed) = sealed.ok_or_else(|| not_sealed(&place, &flow, iteration))?;
        let epoch = place.look(&flow)?.map(|store| store.epoch().to_owned()).unwrap_or_default();
        Ok(Self { iteration, epoch, tries, sealed, targets: place.targets(&flow)?, flow })
    }

    /// The entries in the ledgers of those targets that rows take the place of others in: one for each output that is
    /// bound, however its address is written, to where the iteration was loaded. What only shows rows has none to double.
    ///
    /// # Errors
    /// [`Error::Config`] for a target that other iterations are sealed for, or that does not have this one yet.
    fn tickets<F: Flow>(&self, flow: &F, into: &[&str]) -> Result<Vec<Ticket>, Error> {
        let mut tickets = Vec::new();
        for (port, plan) in flow.ports().into_iter().zip(F::PLAN.ports).filter(|(_, plan)| into.contains(&plan.name)) {
            let (PortRef::Sink(sink::Sink { target, .. }) | PortRef::Trap(sink::Trap { target })) = port else {
                continue;
            };
            let identity = sink::identity(target, plan.name);
            let keeps_rows = matches!(target, Target::Address(_)) && identity != "stdout:";
            if !keeps_rows || !self.targets.contains(&identity) {
                continue;
            }
            match self.output(plan.name) {
                Some(output) if output.place == identity && plan.kind == PortKind::Sink => {
                    tickets.push(self.ticket(output)?);
                }
                _ => return Err(loaded_here(&identity, plan.name)),
            }
        }
        Ok(tickets)
    }

    fn ticket(&self, output: &Output) -> Result<Ticket, Error> {
        let Output { staged, place, loaded, .. } = output;
        if !loaded {
            return Err(Error::Config(
                Failure::new(format!("the target does not have iteration {} yet", self.iteration))
                    .at(place.clone())
                    .help("the next run loads it; then it can be replaced")
                    .of_port(&staged.port),
            ));
        }
        Ok(Ticket {
            flow: self.flow.clone(),
            port: staged.port.clone(),
            epoch: self.epoch.clone(),
            iteration: self.iteration,
            hash: staged.hash.clone(),
            after: None,
            from: None,
        })
    }

    fn replay<F: Flow>(
        &self,
        flow: &F,
        options: &Options,
        into: &[&str],
        in_place: InPlace<'_>,
    ) -> Result<Replayed, Error> {
        let sealed_by = self.tries.iter().find(|tried| tried.attempt.id == self.sealed.attempt);
        let program_changed = sealed_by.is_some_and(|tried| tried.attempt.plan_hash != F::PLAN.hash);
        let replayed = replay_in(flow, options, (self.iteration, into), &self.sealed, in_place)?;
        Ok(Replayed { program_changed, ..replayed })
    }

    fn output(&self, port: &str) -> Option<&Output> {
        self.sealed.seal.outputs.iter().find(|output| output.staged.port == port)
    }

    fn place_of(&self, port: &str) -> String {
        self.output(port).map(|output| output.place.clone()).unwrap_or_default()
    }
}

/// What the targets have of the iteration that others are to take the place of.
fn replaceable(ports: &Ports, tickets: &[Ticket]) -> Result<Vec<Replaced>, Error> {
    let mut replaced = Vec::new();
    for ticket in tickets {
        let Some((index, _)) = ports.plan.port(&ticket.port) else { continue };
        let Some(tap) = ports.output(index) else { continue };
        replaced.push(replaced_in(ports, index, ticket, tap.replaceable(ticket)?));
    }
    Ok(replaced)
}

fn replaced_in(ports: &Ports, index: usize, ticket: &Ticket, rows: u64) -> Replaced {
    Replaced { iteration: ticket.iteration, port: ticket.port.clone(), place: ports.places[index].clone(), rows }
}

fn replay_in<F: Flow>(
    flow: &F,
    options: &Options,
    (iteration, into): (u64, &[&str]),
    sealed: &SealedDetail,
    in_place: InPlace<'_>,
) -> Result<Replayed, Error> {
    let (began, tickets) = (clock::elapsed(), in_place.tickets);
    let is_wanted = |port: &str| into.contains(&port);
    let mut ports = Ports::open_into(flow, is_wanted)?;
    ports.demand_as_sealed(&sealed.seal.outputs);
    let bound = F::PLAN.ports.iter().map(|port| port.name).zip(flow.ports());
    let touched = bound.filter(|(name, port)| is_input(port) || is_wanted(name));
    overlaps::refuse(touched, &options.checkpoint)?;
    ports.check_apart(|port| tickets.iter().any(|ticket| ticket.port == port))?;
    replaceable(&ports, tickets)?;

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
        if !tickets.is_empty() && !in_place.accept_changed {
            refuse_other_traps(ports, iteration, &outputs)?;
        }
        let published = publish(&checkpoint, ports, (iteration, &attempt), &manifests, tickets);
        let (published, replaced) = published
            .map_err(|error| Refused { ports, iteration, stop: &options.stop }.told(|| ranges.clone(), error))?;
        let elapsed = clock::elapsed().saturating_sub(began);
        let program_changed = false;
        let ports = ports_done;
        Ok(Replayed { iteration, program_changed, tables, outputs, published, replaced, ports, counts, elapsed })
    };
    let replayed = again(&mut ports);
    // However it ended: nobody else knows of this attempt.
    let removed = checkpoint.remove_staged(&ports, &attempt);
    let replayed = replayed?;
    removed.map(|()| replayed)
}

/// Publishes what was staged: in the place of what a target has, or elsewhere without a ledger. Returns the ports.
fn publish(
    checkpoint: &OpenCheckpoint,
    ports: &mut Ports,
    attempt: (u64, &str),
    manifests: &[StagedManifest],
    tickets: &[Ticket],
) -> Result<(Vec<String>, Vec<Replaced>), Error> {
    let (mut published, mut replaced) = (Vec::new(), Vec::new());
    for manifest in manifests {
        let Some((index, port)) = ports.plan.port(&manifest.port) else { continue };
        let Some(tap) = ports.output_mut(index) else { continue };
        let rows = staged(&*tap, &checkpoint.staging, attempt, (manifest, port))?;
        match tickets.iter().find(|ticket| ticket.port == manifest.port) {
            Some(ticket) => {
                let had = effect("target.replace", || tap.replace(&rows, ticket))?;
                replaced.push(replaced_in(ports, index, ticket, had));
            }
            None => drop(tap.publish(&rows, None)?),
        }
        published.push(manifest.port.clone());
    }
    Ok((published, replaced))
}

/// A record is in a table or in a trap: what one gains the other would have to lose.
fn refuse_other_traps(ports: &Ports, iteration: u64, outputs: &[OutputChange]) -> Result<(), Error> {
    let is_trap = |name: &str| ports.plan.port(name).is_some_and(|(_, port)| port.kind == PortKind::Trap);
    let Some(trap) = outputs.iter().find(|output| is_trap(&output.port) && !output.is_same) else { return Ok(()) };
    let (then, now) = (trap.rows_sealed.unwrap_or(0), trap.rows);
    Err(Error::Config(
        Failure::new(format!("replayed, iteration {iteration} traps other records than when it was loaded"))
            .at(format!("port `{}`", trap.port))
            .cause(format!("{then} were trapped, now it is {now}; a replay changes no trap"))
            .help(
                "nothing of it was changed; records that are rows now are loaded twice if they are retried, too, and those \
                 that are trapped now would be nowhere: have the former ones loaded by `retry-trap` instead, or, if that is \
                 known, replace the rows with --accept-changed",
            ),
    ))
}

fn is_input(port: &PortRef<'_>) -> bool {
    matches!(port, PortRef::Source(_) | PortRef::Table(_))
}

fn loaded_here(target: &str, port: &str) -> Error {
    let option = option_name(port);
    Error::Config(
        Failure::new("the flow loads this target, and a replay would bring rows to it that it has, or will have")
            .at(target)
            .help(format!("give --{option} another target, or stdout:"))
            .of_port(port),
    )
}

fn not_sealed(place: &Place, flow: &str, iteration: u64) -> Error {
    Error::Config(
        Failure::new(format!("{flow} has no sealed iteration {iteration}"))
            .at(format!("store {place}"))
            .help("`iterations` lists those that there are"),
    )
}
