//! The inputs: whether they are there, and whether what was read of them before is still what it was.

use super::Findings;
use crate::{
    Failure,
    driver::{checkpoint::OpenCheckpoint, ports::Ports},
    effect::clock,
    iteration::decide::known_shards,
    plan::PortKind,
    source::{Gaps, KnownShard, ShardFrom},
};

/// Whether every input can be read from where the last iteration ended.
pub(super) fn positions(found: &mut Findings, ports: &Ports, checkpoint: &OpenCheckpoint, gaps: Gaps) {
    let Some(sealed) = found.keep(None, checkpoint.store.shards()) else { return };
    for (index, port) in ports.ports() {
        let Some(tap) = ports.input(index) else { continue };
        found.keep(Some(port.name), tap.check_with_store());
        // Tables are read whole each time, and go on from nowhere.
        let known = if port.kind == PortKind::Source { known_shards(&sealed, port.name) } else { Vec::new() };
        let Some(shards) = found.keep(Some(port.name), tap.survey(&known, gaps, checkpoint.store.created_us())) else {
            continue;
        };
        let mut present = Vec::new();
        let mut all_present = true;
        for shard in shards {
            match found.keep(Some(port.name), shard) {
                Some(shard) => present.push(shard),
                None => all_present = false,
            }
        }
        if let Some(gone) = gone(&known, &present).filter(|_| all_present) {
            found.note(Some(port.name), gone);
        }
    }
}

/// Whether every input can be read at all.
pub(super) fn presence(found: &mut Findings, ports: &Ports) {
    for (index, port) in ports.ports() {
        let Some(tap) = ports.input(index) else { continue };
        for shard in found.keep(Some(port.name), tap.survey(&[], Gaps::Refuse, clock::now_us())).unwrap_or_default() {
            found.keep(Some(port.name), shard);
        }
    }
}

/// What to say when shards were read before and are not there any more. Files go after a rotation, so that is no error;
/// that none is left is another source behind the same name, or all of it is gone.
fn gone(known: &[KnownShard], present: &[ShardFrom]) -> Option<Failure> {
    let is_there = |known: &&KnownShard| present.iter().any(|there| there.shard.id == known.id);
    let mut lost: Vec<&KnownShard> = known.iter().filter(|known| !is_there(known)).collect();
    if lost.len() < known.len() {
        // A shard that was read to its end goes when its stream retains no more of it: nothing is missed.
        lost.retain(|known| !known.next.is_end());
    }
    let last = lost.last()?;
    let cause = format!("the last of them is {}, read to position {}", last.name, last.next);
    let (what, help) = match lost.len() == known.len() {
        true => (
            "nothing of what was read before is there",
            "check the address: what it names now is read from its beginning, as if it had never been seen",
        ),
        false => ("some of what was read before is not there", "what was added to it since, if anything, is not read"),
    };
    Some(Failure::new(format!("{what} ({} of {})", lost.len(), known.len())).cause(cause).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Position;

    fn known(name: &str, next: &str) -> KnownShard {
        let [id, name, mark] = [name, name, ""].map(str::to_owned);
        KnownShard { id, name, mark, next: Position::new(next), last: None, covered_us: None }
    }

    fn told(known: &[KnownShard], present: &[&str]) -> Option<String> {
        let present = present.iter().map(|name| {
            let [id, name, mark] = [*name, *name, ""].map(str::to_owned);
            let start = Position::counted(0);
            let shard = crate::source::Shard { id, name, mark, start: start.clone() };
            ShardFrom { shard, from: start, until: None, covered_us: None, gap: None }
        });
        gone(known, &present.collect::<Vec<_>>()).map(|failure| failure.to_string())
    }

    #[test]
    fn a_shard_that_was_read_to_its_end_is_not_missed_as_long_as_another_is_there() {
        assert_eq!(told(&[known("a", "end"), known("b", "17")], &["b"]), None);
        assert_eq!(told(&[known("a", "end of e1"), known("b", "17")], &["b"]), None);
        let text = told(&[known("a", "17"), known("b", "end"), known("c", "4")], &["c"]).unwrap();
        assert!(
            text.contains("some of what was read before is not there (1 of 3)") && text.contains("a, read to"),
            "{text}"
        );
        let text = told(&[known("a", "end"), known("b", "end")], &["c"]).unwrap();
        assert!(text.contains("nothing of what was read before is there (2 of 2)"), "{text}");
    }
}
