//! Beginning anew: a reset gives the logical name a new epoch, so that its iterations begin with 0 and read everything.
//!
//! Positions are not carried over. A target that is to go on from where it is needs no reset, and one that is to begin in
//! the middle has `?from=`; a new epoch whose first iteration began in the middle would be a first iteration all the same,
//! which runs a join's unmatched rows once more, into targets that have them.

use super::{Checkpoint, checkpoint::OpenCheckpoint, place::Place, ports::Ports};
use crate::{
    Error, Failure, Flow,
    effect::{self, clock},
    iteration::{
        Unfinished,
        decide::thrown_away,
        store::SealEnd,
        upkeep::{self, Upkeep},
    },
    sink::Ticket,
};

/// What a reset means.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reset {
    /// The epoch that ends, or has ended.
    pub epoch: String,
    /// Iterations that count no more.
    pub iterations: u64,
    /// Those of them that some target lacks.
    pub unfinished: Vec<Unfinished>,
    /// The targets whose ledgers know the epoch that ends, or could not be asked: the next run that is bound to one is held
    /// until it is emptied.
    pub targets: Vec<LoadedTarget>,
}

/// A target that rows of the flow were sealed for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadedTarget {
    /// The sink or trap.
    pub port: String,
    /// Where it is, without secrets.
    pub place: String,
    /// Whether the port is bound to it now.
    pub is_bound: bool,
}

/// Says what a reset of the flow would mean; changes nothing.
///
/// # Errors
/// [`Error::Store`] when there is no store, [`Error::Config`] when there is nothing to reset in it.
pub fn look_at_reset<F: Flow>(flow: &F, checkpoint: &Checkpoint) -> Result<Reset, Error> {
    let (name, place) = (F::PLAN.logical_name(), place_of(checkpoint)?);
    place.must_exist(&name)?;
    let store = place.look(&name)?;
    store.map_or_else(|| Err(nothing_to_reset(&place, &name)), |store| meaning(flow, &*store, &place))
}

/// Gives the flow a new epoch. Without `force`, only if no sealed iteration would be thrown away.
///
/// # Errors
/// As [`look_at_reset`]; [`Error::Held`] when an iteration would be thrown away; [`Error::Busy`] while a run of the flow is
/// under way.
pub fn reset<F: Flow>(flow: &F, checkpoint: &Checkpoint, force: bool) -> Result<Reset, Error> {
    let (name, place) = (F::PLAN.logical_name(), place_of(checkpoint)?);
    // Else opening it would make it.
    look_at_reset(flow, checkpoint)?;
    let checkpoint = OpenCheckpoint::open(checkpoint, name)?;
    let meaning = meaning(flow, &*checkpoint.store, &place)?;
    if let Some(unfinished) = meaning.unfinished.first().filter(|_| !force) {
        return Err(would_throw_away(unfinished));
    }
    match upkeep::reset(&*checkpoint.store, &effect::id(), clock::now_us())? {
        SealEnd::Won => Ok(meaning),
        SealEnd::Lost => Err(Error::Busy(
            Failure::new("another reset was faster").help("look at what there is now with `iterations --all`"),
        )),
    }
}

fn place_of(checkpoint: &Checkpoint) -> Result<Place, Error> {
    checkpoint.place("there is nothing to reset")
}

fn meaning<F: Flow>(flow: &F, store: &dyn Upkeep, place: &Place) -> Result<Reset, Error> {
    let Some(latest) = store.latest()? else { return Err(nothing_to_reset(place, &F::PLAN.logical_name())) };
    let unfinished = thrown_away(&store.unfinished()?);
    // A port that cannot be opened is as good as bound elsewhere.
    let (ports, _) = Ports::open_each(flow);
    let targets = store.targets()?.into_iter().filter_map(|(port, place)| loaded_target(&ports, port, place)).collect();
    Ok(Reset { epoch: store.epoch().to_owned(), iterations: latest + 1, unfinished, targets })
}

/// A target, unless its ledger would take a first iteration of another epoch.
fn loaded_target(ports: &Ports, port: String, place: String) -> Option<LoadedTarget> {
    let index = ports.plan.port(&port).map(|(index, _)| index);
    let tap = index.filter(|index| ports.targets.get(*index) == Some(&place)).and_then(|index| ports.output(index));
    let Some(tap) = tap else { return Some(LoadedTarget { port, place, is_bound: false }) };
    let [epoch, hash] = ["another", ""].map(str::to_owned);
    let ticket = Ticket { flow: ports.plan.logical_name(), port, epoch, iteration: 0, hash, after: None, from: None };
    match tap.check_ledger(&ticket) {
        Ok(_) => None,
        Err(_) => Some(LoadedTarget { port: ticket.port, place, is_bound: true }),
    }
}

fn nothing_to_reset(place: &Place, flow: &str) -> Error {
    Error::Config(
        Failure::new(format!("{flow} has no iterations, so there is nothing to reset")).at(format!("store {place}")),
    )
}

fn would_throw_away(unfinished: &Unfinished) -> Error {
    let Unfinished { iteration, loaded, lacking, .. } = unfinished;
    let lacking: Vec<String> = lacking.iter().map(|(port, rows)| format!("{port} ({rows} rows)")).collect();
    let loaded = if loaded.is_empty() { String::new() } else { format!("; loaded: {}", loaded.join(", ")) };
    Error::Held(
        Failure::new(format!("iteration {iteration} is sealed, and not in all of its targets"))
            .cause(format!("not loaded: {}{loaded}", lacking.join(", ")))
            .help("run the flow once more to finish it; or throw it away, with --force"),
    )
}
