//! Whether the sources have something new, found out without opening an iteration: that would write to the store at
//! every look.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    Error, Plan,
    driver::{events, execute::InputJob, panics::caught, readers},
    source::{Next, Reading},
};

/// How long a reader may wait for something new.
const WAIT: Duration = Duration::from_millis(100);

/// Whether one of these sources has a record, or has come to an end without one.
pub(super) fn is_there(plan: &Plan, sources: &[InputJob<'_>], is_ending: &dyn Fn() -> bool) -> Result<bool, Error> {
    for source in sources {
        let found = caught(|| has_moved(source, is_ending)).unwrap_or_else(|message| Err(readers::panicked(&message)));
        if found.map_err(|error| error.of_port(name(plan, source)))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn has_moved(source: &InputJob<'_>, is_ending: &dyn Fn() -> bool) -> Result<bool, Error> {
    let mut reader = source.tap.open(&source.shards, Reading { is_look: true, ..source.reading })?;
    loop {
        match reader.next(Vec::new(), WAIT)? {
            Next::Piece(_) => return Ok(true),
            Next::Moved(moved) if source.shards.get(moved.shard).is_some_and(|shard| shard.from != moved.to) => {
                return Ok(true);
            }
            Next::Moved(_) | Next::Looking | Next::Waiting if !is_ending() => {}
            Next::Moved(_) | Next::Looking | Next::Waiting | Next::Idle | Next::End => return Ok(false),
        }
    }
}

fn name(plan: &Plan, source: &InputJob<'_>) -> &'static str {
    plan.ports.get(source.port).map_or("", |port| port.name)
}

/// The shards that the sources listed last.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Names by port and identity; none before the first look.
    shards: Option<BTreeMap<(&'static str, String), String>>,
}

impl Listed {
    /// Takes in a new listing, tells the log what differs, and says whether it does.
    pub(super) fn compare(&mut self, plan: &Plan, sources: &[InputJob<'_>]) -> bool {
        let of_source = |source: &InputJob<'_>| -> Vec<_> {
            let port = name(plan, source);
            source.shards.iter().map(|from| ((port, from.shard.id.clone()), from.shard.name.clone())).collect()
        };
        let now: BTreeMap<_, _> = sources.iter().flat_map(of_source).collect();
        if let Some(before) = &self.shards {
            let flow = plan.logical_name();
            for ((port, _), name) in now.iter().filter(|(shard, _)| !before.contains_key(shard)) {
                events::shard_added(&flow, port, name);
            }
            for ((port, _), name) in before.iter().filter(|(shard, _)| !now.contains_key(shard)) {
                events::shard_ended(&flow, port, name);
            }
        }
        let differs = self.shards.as_ref().is_some_and(|before| *before != now);
        self.shards = Some(now);
        differs
    }
}
