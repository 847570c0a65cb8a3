//! Who is at work, in a world whose clock goes on when somebody sleeps.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
};

use super::*;
use crate::{
    effect::{Broken, Effect, Moment, World, in_world},
    iteration::dynamodb::memory::MemoryTable,
};

const FLOW: &str = "hits";
const LEASE: Duration = Duration::from_secs(30);

/// While one sleeps here, another owner may go on.
#[derive(Debug, Default)]
struct Room {
    elapsed: Mutex<Duration>,
    ids: AtomicU64,
    other: Mutex<Option<Renewer>>,
    refuses_writes: AtomicBool,
}

impl World for Room {
    fn now_us(&self) -> i64 {
        1_000_000
    }

    fn elapsed(&self) -> Duration {
        *self.elapsed.lock().unwrap()
    }

    fn sleep(&self, time: Duration) {
        *self.elapsed.lock().unwrap() += time;
        if let Some(other) = &mut *self.other.lock().unwrap() {
            other.renew();
        }
    }

    fn id(&self) -> String {
        format!("id {}", self.ids.fetch_add(1, SeqCst))
    }

    fn owner(&self) -> String {
        format!("pid {}", self.ids.load(SeqCst))
    }

    fn permit(&self, effect: &Effect<'_>, moment: Moment) -> Result<(), Broken> {
        let is_refused = self.refuses_writes.load(SeqCst) && effect.to_string() == "table.put";
        if is_refused { Err(effect.broken(moment)) } else { Ok(()) }
    }
}

fn owner(items: &Arc<dyn Items>) -> Renewer {
    let (mine, version) = take(&**items, FLOW, LEASE).unwrap();
    Renewer { items: Arc::clone(items), flow: FLOW.to_owned(), mine, version }
}

fn in_room(act: impl FnOnce(&Room, Arc<dyn Items>)) {
    let room = Arc::new(Room::default());
    let table: Arc<dyn Items> = Arc::new(MemoryTable::default());
    in_world(Arc::clone(&room) as Arc<dyn World>, || act(&room, table));
}

#[test]
fn one_who_finds_another_at_work_is_told_who_and_how_long_to_wait() {
    in_room(|room, table| {
        let first = owner(&table);
        let name = first.mine.name();
        *room.other.lock().unwrap() = Some(first);
        let error = take(&*table, FLOW, LEASE).unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, Error::Busy(_)), "{said}");
        assert!(said.contains(&name) && said.contains("nothing was heard of it for 30 s"), "{said}");
        assert!(room.elapsed() < LEASE / 2, "it is known as soon as the other is heard of");
    });
}

#[test]
fn one_who_died_is_taken_over_when_its_lease_has_gone_by_on_the_observers_clock() {
    in_room(|room, table| {
        let mut first = owner(&table);
        // Its own clock is wrong by years.
        first.mine.renewed_us = i64::MAX;
        assert!(write(&*table, FLOW, &first.mine, first.version).unwrap());
        let mut second = owner(&table);
        assert!(room.elapsed() >= LEASE);
        assert!(!first.renew(), "it wakes up, and is told");
        first.release();
        assert!(second.renew(), "which changes nothing for who has taken over");
    });
}

#[test]
fn one_whose_table_takes_nothing_for_a_while_is_still_at_work() {
    in_room(|room, table| {
        let mut first = owner(&table);
        room.refuses_writes.store(true, SeqCst);
        assert!((0..10).all(|_| first.renew()), "nobody else can take over either");
        room.refuses_writes.store(false, SeqCst);
        assert!(first.renew());
        *room.other.lock().unwrap() = Some(first);
        assert!(matches!(take(&*table, FLOW, LEASE), Err(Error::Busy(_))));
    });
}

#[test]
fn one_who_has_gone_is_not_watched() {
    in_room(|room, table| {
        owner(&table).release();
        owner(&table);
        assert_eq!(room.elapsed(), Duration::ZERO);
    });
}

#[test]
fn a_renewal_whose_reply_was_lost_is_no_loss() {
    in_room(|_, table| {
        let mut first = owner(&table);
        assert!(write(&*table, FLOW, &first.mine, first.version).unwrap());
        assert!(first.renew() && first.renew());
    });
}

#[test]
fn one_who_has_gone_is_not_watched_even_if_the_reply_to_its_last_renewal_was_lost() {
    in_room(|room, table| {
        let mut first = owner(&table);
        assert!(write(&*table, FLOW, &first.mine, first.version).unwrap());
        first.release();
        owner(&table);
        assert_eq!(room.elapsed(), Duration::ZERO);
    });
}

#[test]
fn to_look_who_is_at_work_waits_for_nobody() {
    in_room(|room, table| {
        assert!(look_at_owner(&*table, FLOW).unwrap().is_none());
        let mut first = owner(&table);
        let seen = look_at_owner(&*table, FLOW).unwrap().unwrap();
        assert_eq!((seen.who.as_str(), seen.elsewhere), (first.mine.who.as_str(), None));
        first.mine.renewed_us = -70_000_000;
        write(&*table, FLOW, &first.mine, first.version).unwrap();
        assert!(look_at_owner(&*table, FLOW).unwrap().is_none(), "two leases without a word");
        assert_eq!(room.elapsed(), Duration::ZERO);
    });
}

#[test]
fn a_lease_ends_with_its_holder_and_the_next_one_waits_for_nobody() {
    let table: Arc<dyn Items> = Arc::new(MemoryTable::default());
    let first = Lease::take(&*table, Arc::clone(&table), FLOW, LEASE).unwrap();
    assert!(!first.is_lost());
    drop(first);
    let (gone, _) = read(&*table, FLOW).unwrap().unwrap();
    assert_eq!(gone.id, "");
}
