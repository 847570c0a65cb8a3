//! Lists of shards by hand, and streams that are resharded and forgotten at random.

use proptest::prelude::*;

use super::*;

fn listed(id: &str, parents: &[&str]) -> ListedShard {
    let parents = parents.iter().map(|parent| (*parent).to_owned()).collect();
    ListedShard { id: id.to_owned(), parents, hash_keys: None, is_closed: false }
}

fn sealed(shards: &[(&str, Place)]) -> HashMap<String, Sealed> {
    let seal = |(id, next): &(&str, Place)| ((*id).to_owned(), Sealed { next: next.clone(), covered_us: Some(7) });
    shards.iter().map(seal).collect()
}

/// Each as `id from`, `id aged`, `id gone`.
fn told(listed: &[ListedShard], sealed: &HashMap<String, Sealed>, start: &Place) -> Vec<String> {
    let tell = |found: Found<'_>| match found {
        Found::Listed { shard, from, .. } => format!("{} {from}", shard.id),
        Found::Aged { id, is_hole } => format!("{id} aged{}", if is_hole { ", a hole" } else { "" }),
        Found::Gone { id } => format!("{id} gone"),
    };
    shards(listed, sealed, start).into_iter().map(tell).collect()
}

#[test]
fn a_stream_that_was_never_read_begins_everywhere_where_it_is_told_to() {
    let listed = [listed("b", &["a"]), listed("a", &[]), listed("c", &["x"])];
    let none = HashMap::new();
    assert_eq!(told(&listed, &none, &Place::Oldest), ["x aged", "a oldest", "b oldest", "c oldest"]);
    let time = Place::Time(0);
    assert_eq!(told(&listed[1..2], &none, &time), ["a time:1970-01-01T00:00:00Z"]);
    assert_eq!(told(&[], &none, &time), [""; 0]);
}

#[test]
fn a_child_begins_with_its_oldest_record_whatever_the_start_was() {
    let listed = [listed("a", &[]), listed("b", &["a"]), listed("c", &["a"]), listed("d", &["b", "c"])];
    let found = told(&listed, &sealed(&[("a", Place::End)]), &Place::Time(0));
    assert_eq!(found, ["a end", "b oldest", "c oldest", "d oldest"]);
}

#[test]
fn a_child_is_covered_up_to_when_its_parents_were() {
    let listed = [listed("c", &["a", "b"]), listed("d", &["a", "x"])];
    let mut sealed = sealed(&[("a", Place::End), ("b", Place::End)]);
    sealed.get_mut("b").unwrap().covered_us = Some(3);
    let covered: Vec<_> = shards(&listed, &sealed, &Place::Oldest)
        .into_iter()
        .filter_map(|found| match found {
            Found::Listed { covered_us, .. } => Some(covered_us),
            _ => None,
        })
        .collect();
    assert_eq!(covered, [Some(3), None]);
}

#[test]
fn a_child_that_waits_for_its_parents_is_covered_further_as_they_are_read() {
    let listed = [listed("a", &[]), listed("b", &["a"]), listed("c", &["a"])];
    let mut sealed = sealed(&[("a", Place::Time(0)), ("b", Place::Oldest), ("c", Place::Time(3))]);
    sealed.get_mut("a").unwrap().covered_us = Some(9);
    let covered = shards(&listed, &sealed, &Place::Oldest).into_iter().map(|found| match found {
        Found::Listed { covered_us, .. } => covered_us,
        Found::Aged { .. } | Found::Gone { .. } => None,
    });
    assert_eq!(covered.collect::<Vec<_>>(), [Some(9), Some(9), Some(7)]);
}

#[test]
fn a_parent_that_is_not_listed_and_was_read_to_its_end_is_no_hole() {
    let found = told(&[listed("b", &["a"])], &sealed(&[("a", Place::End)]), &Place::Oldest);
    assert_eq!(found, ["b oldest"]);
}

#[test]
fn a_shard_that_went_before_it_was_read_to_its_end_is_a_hole() {
    let found = told(&[listed("b", &["a"])], &sealed(&[("a", Place::Oldest)]), &Place::Oldest);
    assert_eq!(found, ["a gone", "b oldest"]);
}

#[test]
fn a_parent_that_came_and_went_while_nobody_read_is_a_hole_and_none_once_it_is_noted() {
    let listed = [listed("c", &["b"])];
    assert_eq!(told(&listed, &sealed(&[("a", Place::End)]), &Place::Oldest), ["b aged, a hole", "c oldest"]);
    let noted = sealed(&[("a", Place::End), ("b", Place::End), ("c", Place::Oldest)]);
    assert_eq!(told(&listed, &noted, &Place::Oldest), ["c oldest"]);
}

#[test]
fn a_list_that_contradicts_itself_is_still_a_list() {
    let listed = [listed("a", &["b"]), listed("b", &["a"]), listed("c", &["c"])];
    assert_eq!(told(&listed, &HashMap::new(), &Place::Oldest).len(), 3);
}

/// A stream whose records are numbered in the order in which they came, each with one of a few keys.
#[derive(Debug, Default)]
struct World {
    shards: Vec<WorldShard>,
    records: u64,
}

#[derive(Debug)]
struct WorldShard {
    listed: ListedShard,
    /// The keys that belong to it.
    keys: std::ops::Range<u64>,
    records: Vec<(u64, u64)>,
}

const KEYS: u64 = 16;

impl World {
    fn new() -> Self {
        let mut world = Self::default();
        world.add(0..KEYS, &[]);
        world
    }

    fn add(&mut self, keys: std::ops::Range<u64>, parents: &[usize]) {
        let parents: Vec<String> = parents.iter().map(|parent| format!("s{parent:03}")).collect();
        let id = format!("s{:03}", self.shards.len());
        let listed = ListedShard { id, parents, hash_keys: None, is_closed: false };
        self.shards.push(WorldShard { listed, keys, records: Vec::new() });
    }

    fn put(&mut self, key: u64) {
        self.records += 1;
        let record = (key, self.records);
        let open = self.shards.iter_mut().find(|shard| !shard.listed.is_closed && shard.keys.contains(&key));
        open.unwrap().records.push(record);
    }

    fn split(&mut self, nth: usize) {
        let open: Vec<usize> = (0..self.shards.len()).filter(|shard| !self.shards[*shard].listed.is_closed).collect();
        let shard = open[nth % open.len()];
        let keys = self.shards[shard].keys.clone();
        if keys.end - keys.start > 1 {
            self.shards[shard].listed.is_closed = true;
            let middle = keys.start.midpoint(keys.end);
            self.add(keys.start..middle, &[shard]);
            self.add(middle..keys.end, &[shard]);
        }
    }

    fn merge(&mut self, nth: usize) {
        let open: Vec<usize> = (0..self.shards.len()).filter(|shard| !self.shards[*shard].listed.is_closed).collect();
        let one = open[nth % open.len()];
        let other = open.into_iter().find(|other| self.shards[*other].keys.start == self.shards[one].keys.end);
        if let Some(other) = other {
            let keys = self.shards[one].keys.start..self.shards[other].keys.end;
            [one, other].into_iter().for_each(|shard| self.shards[shard].listed.is_closed = true);
            self.add(keys, &[one, other]);
        }
    }

    /// Reads an iteration of so many records, as a reader does; shards that were read to their end go from the list.
    fn read(&self, sealed: &mut HashMap<String, Sealed>, mut most: usize, read: &mut Vec<(u64, u64)>) {
        let is_forgotten = |id: &str| sealed.get(id).is_some_and(|sealed| sealed.next == Place::End);
        let listed: Vec<_> =
            self.shards.iter().map(|shard| shard.listed.clone()).filter(|shard| !is_forgotten(&shard.id)).collect();
        let mut ended: HashMap<String, bool> = HashMap::new();
        let mut next = sealed.clone();
        for found in shards(&listed, sealed, &Place::Oldest) {
            let Found::Listed { shard, from, .. } = found else { panic!("nothing is lost: {found:?}") };
            let mut at = match &from {
                Place::Oldest => 0,
                Place::After(count) => count.as_str().parse().unwrap(),
                _ => panic!("{from}"),
            };
            let records = &self.shards.iter().find(|known| known.listed.id == shard.id).unwrap().records;
            let may_begin = shard.parents.iter().all(|parent| ended.get(parent).copied().unwrap_or(true));
            while may_begin && most > 0 && at < records.len() {
                read.push(records[at]);
                (at, most) = (at + 1, most - 1);
            }
            let has_ended = may_begin && most > 0 && shard.is_closed;
            ended.insert(shard.id.clone(), has_ended);
            let place = match at {
                _ if has_ended => Place::End,
                0 => Place::Oldest,
                _ => Place::After(super::super::place::Sequence::parse(&at.to_string()).unwrap()),
            };
            next.insert(shard.id.clone(), Sealed { next: place, covered_us: None });
        }
        *sealed = next;
    }
}

proptest! {
    /// Whatever becomes of the shards, each record is read once, and those of a key in their order.
    #[test]
    fn however_a_stream_is_resharded_no_record_is_left_out_or_read_twice(
        acts in prop::collection::vec((0_u8..10, any::<u64>()), 0..200),
    ) {
        let (mut world, mut sealed, mut read) = (World::new(), HashMap::new(), Vec::new());
        for (act, number) in acts {
            match act {
                0 => world.split(number as usize % 64),
                1 => world.merge(number as usize % 64),
                2 | 3 => world.read(&mut sealed, number as usize % 9, &mut read),
                _ => world.put(number % KEYS),
            }
        }
        // At most one generation is finished in an iteration that has nothing to read.
        for _ in 0..=world.shards.len() {
            world.read(&mut sealed, usize::MAX, &mut read);
        }
        prop_assert_eq!(read.len() as u64, world.records);
        for key in 0..KEYS {
            let of_key: Vec<u64> = read.iter().filter(|record| record.0 == key).map(|record| record.1).collect();
            prop_assert!(of_key.is_sorted_by(|one, other| one < other), "{:?}", of_key);
        }
    }
}
