//! Staging a sealed iteration anew, when what was staged for it was lost before every target had it.
//!
//! The sealed ranges are read again; they must hold what was sealed. What comes out is staged under an attempt of its own,
//! and one conditional write puts its manifest in the place of the old one. So a restage that dies leaves the iteration as
//! it was, and what it staged is swept away by whoever comes next. What a target has already keeps its manifest, for the
//! ledger inside goes by its hash.

use super::{
    Options, attempt,
    attempt::Read,
    checkpoint::OpenCheckpoint,
    overlaps,
    place::Place,
    ports::{Ports, staged},
    reread::reread,
};
use crate::{
    Error, Failure, Flow,
    iteration::{
        Attempt, Output, OutputChange, SealedDetail, TableChange,
        decide::{NoRestage, compare_outputs, compare_tables, restageable},
        store::SealEnd,
        upkeep::{Swap, swap},
    },
    sink::staging::StagedManifest,
};

/// What staging an iteration anew came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restaged {
    /// Its number.
    pub iteration: u64,
    /// Nothing was lost that is still needed: the next run publishes what is staged.
    pub nothing_lost: bool,
    /// What the tables held then, and hold now.
    pub tables: Vec<TableChange>,
    /// What was staged for the outputs that are not loaded, then and now.
    pub outputs: Vec<OutputChange>,
    /// The outputs whose targets have the iteration; they stay as they are.
    pub loaded: Vec<String>,
}

/// Stages a sealed iteration anew; the next run publishes it. `accept_changed` takes rows that are not those that were
/// sealed, because the program or a table has changed.
///
/// # Errors
/// [`Error::Input`] when the records are not those that were sealed; [`Error::Held`] when the rows are not, and nobody has
/// accepted that; [`Error::Config`] for an iteration that is not sealed, or is loaded; [`Error::Busy`] while a run of the
/// flow is under way.
pub fn restage<F: Flow>(flow: &F, options: &Options, iteration: u64, accept_changed: bool) -> Result<Restaged, Error> {
    let name = F::PLAN.logical_name();
    let place = options.checkpoint.place("nothing is sealed")?;
    place.must_exist(&name)?;
    let ports = Ports::open(flow)?;
    overlaps::refuse(F::PLAN.ports.iter().map(|port| port.name).zip(flow.ports()), &options.checkpoint)?;
    let checkpoint = OpenCheckpoint::open(&options.checkpoint, name.clone())?;
    note_what_is_there(&checkpoint, &ports, iteration)?;
    let detail = checkpoint.store.iteration(iteration)?;
    let sealed = restageable(detail.as_ref()).map_err(|why| refuse(&place, &name, iteration, why))?;
    let (loaded, unloaded): (Vec<&Output>, Vec<&Output>) = sealed.seal.outputs.iter().partition(|output| output.loaded);
    let loaded: Vec<String> = loaded.into_iter().map(|output| output.staged.port.clone()).collect();
    if is_whole(&checkpoint, &ports, (iteration, &sealed.attempt), &unloaded)? {
        let nothing = (Vec::new(), Vec::new());
        return Ok(Restaged { iteration, nothing_lost: true, tables: nothing.0, outputs: nothing.1, loaded });
    }
    if !accept_changed {
        refuse_gone_outputs(&ports, iteration, &unloaded)?;
    }

    checkpoint.sweep(&ports)?;
    let attempt = attempt::open(&checkpoint, iteration, F::PLAN.hash)?;
    let again = || {
        let ranges = &sealed.seal.ranges;
        let read = reread::<F>(&checkpoint, &ports, options, (iteration, &attempt.id), ranges)?;
        attempt::check(&checkpoint, &ports, options, &read)?;
        swap_in(&checkpoint, &ports, sealed, &attempt, read, accept_changed)
    };
    let (tables, outputs) = again().map_err(|error| attempt::give_up(&checkpoint, &ports, &attempt, error))?;
    checkpoint.sweep(&ports)?;
    Ok(Restaged { iteration, nothing_lost: false, tables, outputs, loaded })
}

/// Notes which targets have the iteration although the store does not know: a run has died in between.
fn note_what_is_there(checkpoint: &OpenCheckpoint, ports: &Ports, iteration: u64) -> Result<(), Error> {
    let unfinished = checkpoint.store.unfinished()?;
    let outputs = unfinished.iter().filter(|sealed| sealed.iteration == iteration).flat_map(|sealed| &sealed.outputs);
    for output in outputs.filter(|output| !output.loaded) {
        let staged = &output.staged;
        let Some((index, _)) = ports.plan.port(&staged.port) else { continue };
        let tap = ports.output(index).filter(|_| ports.targets.get(index) == Some(&output.place));
        let ticket = checkpoint.ticket(&staged.port, iteration, &staged.hash)?;
        let (Some(tap), Some(ticket)) = (tap, ticket) else { continue };
        match tap.check_ledger(&ticket) {
            Ok(true) => checkpoint.store.mark_output_loaded(iteration, &staged.port, &staged.hash)?,
            // A ledger that disagrees is for the next run to tell.
            Ok(false) | Err(Error::Held(_)) => {}
            // One that cannot be asked may have the iteration: other rows must not be sealed for it.
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether all that is still to be loaded is there, as it was sealed and as the flow can read it.
fn is_whole(
    checkpoint: &OpenCheckpoint,
    ports: &Ports,
    (iteration, attempt): (u64, &str),
    unloaded: &[&Output],
) -> Result<bool, Error> {
    for output in unloaded {
        let Some((index, port)) = ports.plan.port(&output.staged.port) else { return Ok(false) };
        let found = match ports.output(index) {
            Some(tap) => staged(tap, &checkpoint.staging, (iteration, attempt), (&output.staged, port)),
            None => checkpoint.staging.staged(attempt, &output.staged, port),
        };
        match found {
            Ok(_) => {}
            Err(Error::Held(_)) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// A program without an output can stage nothing for it.
fn refuse_gone_outputs(ports: &Ports, iteration: u64, unloaded: &[&Output]) -> Result<(), Error> {
    let lost = unloaded.iter().find(|output| ports.plan.port(&output.staged.port).is_none());
    match lost {
        None => Ok(()),
        Some(output) => Err(Error::Held(
            Failure::new(format!("the flow has no output `{}` any more", output.staged.port))
                .cause(format!("iteration {iteration} was sealed with {} rows for it", output.staged.rows))
                .help("use the program that sealed the iteration; or go without these rows, with --accept-changed"),
        )),
    }
}

/// Puts the manifest of `attempt` in the place of the sealed one.
fn swap_in(
    checkpoint: &OpenCheckpoint,
    ports: &Ports,
    sealed: &SealedDetail,
    attempt: &Attempt,
    read: Read,
    accept_changed: bool,
) -> Result<(Vec<TableChange>, Vec<OutputChange>), Error> {
    let Read { executed, staged, .. } = read;
    let tables = attempt::tables(ports, &executed);
    let is_loaded = |port: &str| sealed.seal.outputs.iter().any(|output| output.loaded && output.staged.port == port);
    let manifests: Vec<_> = staged.finish()?.into_iter().filter(|staged| !is_loaded(&staged.port)).collect();
    let unloaded: Vec<Output> = sealed.seal.outputs.iter().filter(|output| !output.loaded).cloned().collect();
    let table_changes = compare_tables(&sealed.seal.tables, &tables);
    let output_changes = compare_outputs(&unloaded, &manifests);
    if let Some(changed) = output_changes.iter().find(|output| !output.is_same).filter(|_| !accept_changed) {
        return Err(not_accepted(attempt.iteration, changed, &table_changes));
    }
    for reordered in output_changes.iter().filter(|output| output.is_reordered && !accept_changed) {
        let of_port = |staged: &&StagedManifest| staged.port == reordered.port;
        let then = unloaded.iter().map(|output| &output.staged).find(of_port);
        if let (Some(then), Some(now)) = (then, manifests.iter().find(of_port)) {
            refuse_half_loaded(checkpoint, ports, attempt.iteration, (then, now))?;
        }
    }
    let as_sealed = |now: Output| match unloaded.iter().find(|then| then.staged.port == now.staged.port) {
        // Where the rows go was sealed, too.
        Some(then) => Output { place: then.place.clone(), mode: then.mode, ..now },
        None => now,
    };
    let of = Swap {
        iteration: attempt.iteration,
        from: &sealed.attempt,
        to: &attempt.id,
        unloaded: unloaded.iter().map(|output| output.staged.port.clone()).collect(),
        outputs: attempt::outputs(ports, manifests).into_iter().map(as_sealed).collect(),
        counts: attempt::counts(ports, &executed),
        tables,
    };
    match swap(&*checkpoint.store, &of)? {
        SealEnd::Won => Ok((table_changes, output_changes)),
        SealEnd::Lost => Err(Error::Busy(
            Failure::new(format!("another run has gone on with iteration {} meanwhile", attempt.iteration))
                .help("nothing was changed; look at it with `iterations`"),
        )),
    }
}

/// A target that is loaded row by row and has a part of the iteration takes the rest in the very order that was sealed.
fn refuse_half_loaded(
    checkpoint: &OpenCheckpoint,
    ports: &Ports,
    iteration: u64,
    (then, now): (&StagedManifest, &StagedManifest),
) -> Result<(), Error> {
    let found = |hash: &str| -> Result<Option<Result<bool, Error>>, Error> {
        let tap = ports.plan.port(&now.port).and_then(|(index, _)| ports.output(index));
        let ticket = checkpoint.ticket(&now.port, iteration, hash)?;
        Ok(tap.zip(ticket).map(|(tap, ticket)| tap.check_ledger(&ticket)))
    };
    match (found(&then.hash)?, found(&now.hash)?) {
        (Some(Ok(false)), Some(Err(Error::Held(_)))) => Err(Error::Held(
            Failure::new(format!(
                "staged anew, the rows of iteration {iteration} are in another order than were sealed"
            ))
            .at(format!("port `{}`", now.port))
            .cause("shards that are read side by side came in another order, and the target has a part of the rows")
            .help("nothing was changed; give the command again until they come as they did"),
        )),
        _ => Ok(()),
    }
}

fn not_accepted(iteration: u64, changed: &OutputChange, tables: &[TableChange]) -> Error {
    let then = changed.rows_sealed.map_or_else(|| "no rows".to_owned(), |rows| format!("{rows} rows"));
    let how = match changed.rows_sealed == Some(changed.rows) {
        true => format!("as many as the {then} that were sealed, but others, or in another order"),
        false => format!("{} rows, sealed were {then}", changed.rows),
    };
    let tables: Vec<&str> = tables.iter().filter(|table| !table.is_same).map(|table| table.port.as_str()).collect();
    let why = match tables.is_empty() {
        true => "the records are the same, so the program has changed".to_owned(),
        false => format!("the records are the same, but not the tables: {}", tables.join(", ")),
    };
    Error::Held(
        Failure::new(format!("staged anew, iteration {iteration} has other rows than were sealed"))
            .at(format!("port `{}`", changed.port))
            .cause(format!("there are {how}; {why}"))
            .help(
                "bring program and tables back as they were; or take what they make of it now, with --accept-changed",
            ),
    )
}

fn refuse(place: &Place, flow: &str, iteration: u64, why: NoRestage) -> Error {
    let (what, help) = match why {
        NoRestage::NotSealed => (
            format!("{flow} has no sealed iteration {iteration}"),
            "`iterations` lists those that there are".to_owned(),
        ),
        NoRestage::Loaded => (
            format!(
                "iteration {iteration} is in its targets already: nothing that was staged for it is needed any more"
            ),
            format!("`replay {iteration}` reads it again, into another target"),
        ),
    };
    Error::Config(Failure::new(what).at(format!("store {place}")).help(help))
}
