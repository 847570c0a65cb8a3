//! The ports of a flow, opened: every input and output bound to its tap, in the order of the plan.

use super::{Options, checkpoint::OpenCheckpoint, execute::InputJob};
use crate::{
    Error, Failure, Flow, Plan,
    flow::PortRef,
    iteration::{
        Output, SealedShard,
        decide::{self, Bound},
    },
    plan::{PortKind, PortPlan},
    sink::{
        self, Demands, Mode, Sink, SinkTap, Staged, Stager, Target, Ticket, Trap,
        staging::{self, Elsewhere, StagedManifest, StagingArea},
    },
    source::{self, Reading, SourceTap},
};

/// The opened ports.
#[derive(Debug)]
pub(super) struct Ports {
    pub(super) plan: &'static Plan,
    taps: Vec<Tap>,
    /// Where each port is bound to, for people: without secrets.
    pub(super) places: Vec<String>,
    /// The same of the outputs for the store: one place has one text.
    pub(super) targets: Vec<String>,
    /// What each cannot store; nothing for inputs, and where none is bound.
    pub(super) demands: Vec<Demands>,
}

/// What a port is bound to.
#[derive(Debug)]
enum Tap {
    Input(Box<dyn SourceTap>),
    Output(Box<dyn SinkTap>),
    /// A trap without an address: it needs one only when something is trapped. In a check also a port that cannot be opened.
    Nowhere,
}

impl Tap {
    fn demands(&self) -> Demands {
        match self {
            Self::Output(tap) => tap.demands(),
            Self::Input(_) | Self::Nowhere => Demands::default(),
        }
    }
}

impl Ports {
    /// Opens every port of `flow`; nothing is read, made or changed.
    pub(super) fn open<F: Flow>(flow: &F) -> Result<Self, Error> {
        let (ports, mut failed) = Self::open_each(flow);
        if failed.is_empty() { Ok(ports) } else { Err(failed.swap_remove(0).1) }
    }

    /// As [`open`](Self::open), but of the outputs only those that are wanted; the others are bound nowhere.
    pub(super) fn open_into<F: Flow>(flow: &F, is_wanted: impl Fn(&str) -> bool) -> Result<Self, Error> {
        let is_left_out =
            |port: &PortPlan| matches!(port.kind, PortKind::Sink | PortKind::Trap) && !is_wanted(port.name);
        let (mut ports, failed) = Self::open_each(flow);
        for (index, _) in ports.ports().filter(|(_, port)| is_left_out(port)) {
            ports.taps[index] = Tap::Nowhere;
            ports.places[index] = sink::place(&Target::Unbound);
        }
        let of_left_out = |name: &str| F::PLAN.port(name).is_some_and(|(_, port)| is_left_out(port));
        match failed.into_iter().find(|(name, _)| !of_left_out(name)) {
            Some((_, error)) => Err(error),
            None => Ok(ports),
        }
    }

    /// Has outputs that are left out refuse what the targets cannot store that were sealed for them, so that the same rows
    /// come out.
    pub(super) fn demand_as_sealed(&mut self, sealed: &[Output]) {
        for output in sealed {
            let Some((index, port)) = self.plan.port(&output.staged.port) else { continue };
            let is_known = self.targets[index] == output.place && !self.demands[index].is_empty();
            if matches!(self.taps[index], Tap::Nowhere) && !is_known {
                self.demands[index] = sink::demands_of(&output.place, port);
            }
        }
    }

    /// Opens the ports of `flow` that can be opened, and says why the others cannot.
    pub(super) fn open_each<F: Flow>(flow: &F) -> (Self, Vec<(&'static str, Error)>) {
        let mut ports =
            Self { plan: F::PLAN, taps: Vec::new(), places: Vec::new(), targets: Vec::new(), demands: Vec::new() };
        let mut failed = Vec::new();
        for (port, plan) in flow.ports().into_iter().zip(F::PLAN.ports) {
            ports.targets.push(match port {
                PortRef::Sink(Sink { target, .. }) | PortRef::Trap(Trap { target, .. }) => {
                    sink::identity(target, plan.name)
                }
                PortRef::Source(_) | PortRef::Table(_) => String::new(),
            });
            let (tap, place) = open_port(port, plan);
            ports.places.push(place);
            let mut tap = tap.unwrap_or_else(|error| {
                failed.push((plan.name, error));
                Tap::Nowhere
            });
            if let Tap::Output(tap) = &mut tap {
                tap.of_flow(&F::PLAN.logical_name());
            }
            ports.demands.push(tap.demands());
            ports.taps.push(tap);
        }
        (ports, failed)
    }

    /// Makes sure, without changing anything, that what will be staged could be published, and that what is read can be
    /// read on. A run without a store reads everything again, so its sinks must replace what is there, or find nothing
    /// there; its traps are looked at when something was trapped.
    pub(super) fn check(&self, has_store: bool) -> Result<(), Error> {
        for (tap, port) in self.taps.iter().zip(self.plan.ports) {
            match tap {
                Tap::Input(tap) if has_store => tap.check_with_store().map_err(|error| error.of_port(port.name))?,
                Tap::Output(tap) => check_output(tap.as_ref(), port, has_store)?,
                Tap::Input(_) | Tap::Nowhere => {}
            }
        }
        Ok(())
    }

    /// As [`check`](Self::check) without a store; of outputs whose rows take the place of others, with one.
    pub(super) fn check_apart(&self, replaces: impl Fn(&str) -> bool) -> Result<(), Error> {
        for (tap, port) in self.taps.iter().zip(self.plan.ports) {
            if let Tap::Output(tap) = tap {
                check_output(tap.as_ref(), port, replaces(port.name))?;
            }
        }
        Ok(())
    }

    /// Makes sure, without changing anything, that the ledgers of all targets would take their tickets.
    pub(super) fn check_ledgers(&self, ticket: impl Fn(&str) -> Result<Option<Ticket>, Error>) -> Result<(), Error> {
        for (index, port) in self.ports() {
            if let (Some(tap), Some(ticket)) = (self.output(index), ticket(port.name)?) {
                tap.check_ledger(&ticket)?;
            }
        }
        Ok(())
    }

    /// How the outputs are bound.
    pub(super) fn bound(&self) -> Vec<Bound> {
        let outputs = self.ports().filter(|(_, port)| matches!(port.kind, PortKind::Sink | PortKind::Trap));
        outputs
            .map(|(index, port)| Bound {
                port: port.name.to_owned(),
                place: self.output(index).map(|_| self.targets[index].clone()),
                mode: self.output(index).map_or(Mode::Append, SinkTap::mode),
                fields: staging::describe_fields(port),
            })
            .collect()
    }

    /// The shards of every input, to be read on from where `sealed` ended, or after a gap as the options say.
    pub(super) fn jobs(
        &self,
        checkpoint: &OpenCheckpoint,
        sealed: &[SealedShard],
        options: &Options,
    ) -> Result<Vec<InputJob<'_>>, Error> {
        self.jobs_of(&[PortKind::Source, PortKind::Table], checkpoint, sealed, options)
    }

    /// The same of the inputs of these kinds.
    pub(super) fn jobs_of(
        &self,
        kinds: &[PortKind],
        checkpoint: &OpenCheckpoint,
        sealed: &[SealedShard],
        options: &Options,
    ) -> Result<Vec<InputJob<'_>>, Error> {
        let created_us = checkpoint.store.created_us();
        let mut jobs = Vec::new();
        for (index, port) in self.ports().filter(|(_, port)| kinds.contains(&port.kind)) {
            let Some(Tap::Input(tap)) = self.taps.get(index) else { continue };
            let is_source = port.kind == PortKind::Source;
            // Tables are read whole each time: they go on from nowhere, and have no next time for an unfinished line.
            let known = if is_source { decide::known_shards(sealed, port.name) } else { Vec::new() };
            let once = !is_source || !checkpoint.is_kept;
            let reading = Reading { take_tail: options.take_tail || once, once, is_look: false, is_aside: false };
            let shards = tap.survey(&known, options.gaps, created_us).and_then(|shards| shards.into_iter().collect());
            let shards = shards.map_err(|error| error.of_port(port.name))?;
            jobs.push(InputJob { port: index, tap: tap.as_ref(), shards, reading, is_source });
        }
        Ok(jobs)
    }

    /// Binds an input to another tap.
    #[cfg(all(test, feature = "aws"))]
    pub(super) fn bind(&mut self, index: usize, tap: impl SourceTap + 'static) {
        self.taps[index] = Tap::Input(Box::new(tap));
    }

    /// Binds an output to another tap.
    #[cfg(test)]
    pub(super) fn bind_output(&mut self, port: &str, tap: impl SinkTap + 'static) {
        if let Some((index, _)) = self.plan.port(port) {
            self.taps[index] = Tap::Output(Box::new(tap));
        }
    }

    /// The tap of the input with this index.
    pub(super) fn input(&self, index: usize) -> Option<&dyn SourceTap> {
        match self.taps.get(index) {
            Some(Tap::Input(tap)) => Some(tap.as_ref()),
            _ => None,
        }
    }

    /// The tap of the output with this index; a trap may have none.
    pub(super) fn output(&self, index: usize) -> Option<&dyn SinkTap> {
        match self.taps.get(index) {
            Some(Tap::Output(tap)) => Some(tap.as_ref()),
            _ => None,
        }
    }

    /// The tap of the output with this index, to publish to.
    pub(super) fn output_mut(&mut self, index: usize) -> Option<&mut dyn SinkTap> {
        match self.taps.get_mut(index) {
            Some(Tap::Output(tap)) => Some(tap.as_mut()),
            _ => None,
        }
    }

    /// What stages the rows of an attempt at an iteration, for each port; nothing where that is the run's own staging area.
    pub(super) fn stagers(&self, iteration: u64, attempt: &str) -> Vec<Option<Box<dyn Stager>>> {
        self.ports().map(|(index, _)| self.output(index).and_then(|tap| tap.stager(iteration, attempt))).collect()
    }

    /// Has the targets that stage rows themselves remove what they have staged for an attempt; `noted` is what is known of that.
    /// Says what could not be removed, and why.
    pub(super) fn remove_staged(&self, attempt: &str, noted: Vec<Elsewhere>) -> Vec<(Elsewhere, Error)> {
        let mut left = Vec::new();
        for (index, port) in self.ports() {
            let Some(tap) = self.output(index) else { continue };
            if let Err(error) = tap.remove_staged(attempt) {
                left.push((Elsewhere { port: port.name.to_owned(), place: self.staging_place(index) }, error));
            }
        }
        for elsewhere in noted.into_iter().filter(|elsewhere| !self.reach(elsewhere)) {
            let error = out_of_reach(&elsewhere);
            left.push((elsewhere, error));
        }
        left
    }

    /// Whether the port is bound to where this was staged.
    pub(super) fn reach(&self, elsewhere: &Elsewhere) -> bool {
        let now = self.plan.port(&elsewhere.port).and_then(|(index, _)| self.staging_place(index));
        now.is_some_and(|now| elsewhere.place.as_ref().is_none_or(|place| *place == now))
    }

    /// Where the target of the port with this index stages rows itself, if it does.
    fn staging_place(&self, index: usize) -> Option<String> {
        let stager = self.output(index)?.stager(0, "")?;
        Some(stager.place())
    }

    /// How many ports are sources.
    pub(super) fn sources(&self) -> usize {
        self.ports().filter(|(_, port)| port.kind == PortKind::Source).count()
    }

    /// The ports of the plan, with their indexes.
    pub(super) fn ports(&self) -> impl Iterator<Item = (usize, &'static PortPlan)> + use<> {
        self.plan.ports.iter().enumerate()
    }
}

/// What an attempt has staged for `tap`, found to be what was sealed.
///
/// # Errors
/// [`Error::Held`] when it is not; [`Error::Store`] when it cannot be read.
pub(super) fn staged(
    tap: &dyn SinkTap,
    staging: &StagingArea,
    (iteration, attempt): (u64, &str),
    (manifest, port): (&StagedManifest, &'static PortPlan),
) -> Result<Staged, Error> {
    let staged = staging.staged(attempt, manifest, port)?.of_iteration(iteration);
    staged.address().map_or(Ok(()), |address| tap.check_staged(address))?;
    Ok(staged)
}

fn out_of_reach(elsewhere: &Elsewhere) -> Error {
    let failure = Failure::new("rows are staged where the port is not bound to now");
    let failure = failure.help("give `clean` the address that the port had then");
    let failure = match &elsewhere.place {
        Some(place) => failure.at(place.clone()),
        None => failure,
    };
    Error::Target(failure.of_port(&elsewhere.port))
}

/// Makes sure, without changing anything, that what will be staged for one output could be published.
pub(super) fn check_output(tap: &dyn SinkTap, port: &PortPlan, has_store: bool) -> Result<(), Error> {
    tap.check()?;
    tap.check_staging()?;
    if has_store || port.kind == PortKind::Trap { Ok(()) } else { tap.check_without_store() }
}

fn open_port(port: PortRef<'_>, plan: &'static PortPlan) -> (Result<Tap, Error>, String) {
    match port {
        PortRef::Source(from) => (source::open(&from.input, plan.name).map(Tap::Input), source::place(&from.input)),
        PortRef::Table(from) => (source::open(&from.input, plan.name).map(Tap::Input), source::place(&from.input)),
        PortRef::Sink(to) => (sink::open(&to.target, to.mode, plan).map(Tap::Output), sink::place(&to.target)),
        PortRef::Trap(to) if matches!(to.target, Target::Unbound) => (Ok(Tap::Nowhere), sink::place(&to.target)),
        PortRef::Trap(to) => (sink::open(&to.target, None, plan).map(Tap::Output), sink::place(&to.target)),
    }
}
