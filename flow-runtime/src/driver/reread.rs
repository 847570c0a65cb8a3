//! Reads a sealed iteration again, as `replay` and `restage` do: of each shard exactly what was sealed of it.

use super::{
    Bounds, Options,
    attempt::{self, Read, Reading},
    checkpoint::OpenCheckpoint,
    execute::InputJob,
    ports::Ports,
};
use crate::{
    Error, Failure, Flow,
    iteration::{
        Range,
        decide::{changed_range, is_trap, runs_without_records},
    },
    plan::{PortKind, PortPlan, option_name},
    source::{self, KnownShard, LastRead, ShardFrom, SourceTap},
};

/// Shards that a message names.
pub(super) const NAMED_MAX: usize = 3;

/// Reads the ranges that `iteration` has sealed, runs the flow as it is now, stages what comes out under `attempt`.
///
/// # Errors
/// [`Error::Input`] when a source does not have the sealed records any more, all of them and as they were.
pub(super) fn reread<F: Flow>(
    checkpoint: &OpenCheckpoint,
    ports: &Ports,
    options: &Options,
    (iteration, attempt): (u64, &str),
    sealed: &[Range],
) -> Result<Read, Error> {
    // Without a store of its own it is a replay: a run may be under way.
    let how = source::Reading { take_tail: true, once: true, is_look: false, is_aside: !checkpoint.is_kept };
    let reading = Reading {
        attempt,
        inputs: jobs(ports, iteration, sealed, how)?,
        // A replay wants all that comes out, if only to compare it.
        has_target: ports.ports().map(|(index, _)| !checkpoint.is_kept || ports.output(index).is_some()).collect(),
        demands: ports.demands.as_slice().into(),
        stagers: ports.stagers(iteration, attempt),
        bounds: &Bounds::default(),
        run_when_empty: runs_without_records(iteration, ports.sources()),
    };
    let read = attempt::process::<F>(checkpoint, options, reading)?;
    match changed_range(sealed, &attempt::ranges(ports, &read.executed)) {
        None => Ok(read),
        Some((sealed, now)) => Err(changed(iteration, sealed, now)),
    }
}

/// The sealed ranges of every source, in the order of their first reading; tables are read whole, as they are now.
fn jobs<'p>(
    ports: &'p Ports,
    iteration: u64,
    sealed: &[Range],
    reading: source::Reading,
) -> Result<Vec<InputJob<'p>>, Error> {
    let is_source = |name: &str| ports.plan.port(name).is_some_and(|(_, port)| port.kind == PortKind::Source);
    if let Some(range) = sealed.iter().find(|range| range.records > 0 && !is_source(&range.port)) {
        return Err(Error::Config(
            Failure::new(format!("the flow has no source `{}` any more", range.port))
                .cause(format!("iteration {iteration} has read {} from it", records(range.records)))
                .help("use the program that sealed the iteration"),
        ));
    }
    refuse_retried(iteration, sealed)?;
    let mut jobs = Vec::new();
    for (index, port) in ports.ports() {
        let Some(tap) = ports.input(index) else { continue };
        let is_source = port.kind == PortKind::Source;
        let of_port = || sealed.iter().filter(|range| range.port == port.name && range.records > 0).collect::<Vec<_>>();
        let shards = match is_source {
            true => find(tap, port, iteration, &of_port())?,
            false => tap.shards(&[]).map_err(|error| error.of_port(port.name))?,
        };
        jobs.push(InputJob { port: index, tap, shards, reading, is_source });
    }
    Ok(jobs)
}

/// Finds the shards of `ranges`, wherever they are now: a file may have another name.
pub(super) fn find(
    tap: &dyn SourceTap,
    port: &PortPlan,
    iteration: u64,
    ranges: &[&Range],
) -> Result<Vec<ShardFrom>, Error> {
    let known: Vec<KnownShard> = ranges.iter().map(|range| known(range)).collect();
    let survey = if ranges.is_empty() { Vec::new() } else { tap.again(&known).map_err(|e| e.of_port(port.name))? };
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for range in ranges {
        match survey.iter().flatten().find(|listed| listed.shard.id == range.shard) {
            Some(listed) => found.push(ShardFrom {
                shard: listed.shard.clone(),
                from: range.first.clone(),
                until: Some(range.next.clone()),
                covered_us: None,
                gap: None,
            }),
            None => missing.push(*range),
        }
    }
    let trouble = survey.into_iter().find_map(Result::err);
    if missing.is_empty() { Ok(found) } else { Err(gone(port, iteration, &missing, trouble.as_ref())) }
}

fn known(range: &Range) -> KnownShard {
    let Range { shard, name, mark, first, next, hash, covered_us, .. } = range.clone();
    KnownShard { id: shard, name, mark, next: next.clone(), last: Some(LastRead { first, next, hash }), covered_us }
}

/// The error for ranges of which there is nothing any more: the hole has a size.
fn gone(port: &PortPlan, iteration: u64, missing: &[&Range], trouble: Option<&Error>) -> Error {
    let places: Vec<String> = missing.iter().take(NAMED_MAX).map(|range| place(range)).collect();
    let more =
        if missing.len() > NAMED_MAX { format!(" and {} more", missing.len() - NAMED_MAX) } else { String::new() };
    let (count, bytes) = missing.iter().fold((0, 0), |sum, range| (sum.0 + range.records, sum.1 + range.bytes));
    let found = trouble.and_then(Error::failure).map(|found| format!("; there is: {}", found.account()));
    Error::Input(
        Failure::new(format!("what iteration {iteration} has read is not there any more"))
            .at(format!("port `{}`, {}{more}", port.name, places.join(", ")))
            .cause(format!("{} are missing, {bytes} bytes{}", records(count), found.unwrap_or_default()))
            .help(format!(
                "bring it back, under whatever name --{} covers; what a stream no longer retains cannot be had again",
                option_name(port.name)
            )),
    )
}

fn changed(iteration: u64, sealed: &Range, now: Option<&Range>) -> Error {
    let tell = |range: &Range| format!("{}, {} bytes, hash {}", records(range.records), range.bytes, range.hash);
    let now = now.map_or_else(|| "nothing".to_owned(), tell);
    Error::Input(
        Failure::new("the source has changed")
            .at(format!("port `{}`, {}", sealed.port, place(sealed)))
            .cause(format!("iteration {iteration} has sealed {}, now there are {now}", tell(sealed)))
            .help(
                "put the source back as it was; without that, or when a stream no longer retains all of it, what was sealed \
                 cannot be read again",
            ),
    )
}

pub(super) fn place(range: &Range) -> String {
    format!("{}, positions {} to {}", range.name, range.first, range.next)
}

fn records(count: u64) -> String {
    format!("{count} record{}", if count == 1 { "" } else { "s" })
}

/// Records of a trap cannot be read a second time: it may have been retried further.
///
/// # Errors
/// [`Error::Config`] when the iteration has some.
pub(super) fn refuse_retried(iteration: u64, sealed: &[Range]) -> Result<(), Error> {
    let Some(range) = sealed.iter().find(|range| is_trap(&range.shard)) else { return Ok(()) };
    Err(Error::Config(
        Failure::new(format!("iteration {iteration} has retried trapped records, and cannot be read again"))
            .at(format!("port `{}`, {}", range.port, range.name))
            .help(
                "what it made of them is in its targets, or is published by the next run; what was staged and lost \
                 before that comes back only when everything is read again: see the command `reset`",
            ),
    ))
}
