//! Calls that do not wait for one another.

use std::{panic, thread};

use crate::effect::inherited;

/// Threads at most.
const LANES: usize = 16;

/// Calls that are not worth a thread of their own.
const LANE_CALLS_MIN: usize = 4;

/// Does `act` with each of `items`, with some of them at once, and says what came of each, in their order.
///
/// # Errors
/// The first, in the order of the items, of those that were made.
pub(in crate::sink) fn at_once<I: Sync, T: Send, E: Send>(
    items: &[I],
    act: impl Fn(&I) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let each = items.len().div_ceil(LANES).max(LANE_CALLS_MIN);
    if items.len() <= each {
        return items.iter().map(act).collect();
    }
    thread::scope(|scope| {
        let act = &act;
        let lane = |items| scope.spawn(inherited(move || <[I]>::iter(items).map(act).collect::<Result<Vec<T>, E>>()));
        let lanes: Vec<_> = items.chunks(each).map(lane).collect();
        let done = lanes.into_iter().map(|lane| lane.join().unwrap_or_else(|panicked| panic::resume_unwind(panicked)));
        let mut all = Vec::with_capacity(items.len());
        for some in done.collect::<Vec<_>>() {
            all.extend(some?);
        }
        Ok(all)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn what_comes_of_each_is_told_in_their_order() {
        for count in [0, 1, 5, 64, 65, 1_000] {
            let items: Vec<usize> = (0..count).collect();
            let doubled = at_once(&items, |item| Ok::<_, ()>(2 * item)).unwrap();
            assert_eq!(doubled, items.iter().map(|item| 2 * item).collect::<Vec<_>>());
        }
    }

    #[test]
    fn calls_do_not_wait_for_one_another() {
        let together = Barrier::new(LANES);
        let items: Vec<usize> = (0..LANES * LANE_CALLS_MIN).collect();
        // Each lane waits for all others.
        at_once(&items, |item| Ok::<_, ()>(item % LANE_CALLS_MIN == 0 && together.wait().is_leader())).unwrap();
    }

    #[test]
    fn the_first_that_fails_is_told() {
        let items: Vec<usize> = (0..500).collect();
        assert_eq!(at_once(&items, |item| if *item % 100 == 99 { Err(*item) } else { Ok(()) }), Err(99));
    }
}
