//! A count of what a thread gets done, for whoever must find out whether it hangs.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

thread_local! {
    static MOVES: RefCell<Option<Arc<AtomicU64>>> = const { RefCell::new(None) };
}

/// Acts, and has `moves` raised by each effect that this thread gets done meanwhile, or one that it has started with
/// [`inherited`](super::inherited); those of other threads do not count.
pub(crate) fn counted<T>(moves: &Arc<AtomicU64>, act: impl FnOnce() -> T) -> T {
    /// Puts the former count back, also when the act panics.
    struct Back(Option<Arc<AtomicU64>>);
    impl Drop for Back {
        fn drop(&mut self) {
            MOVES.set(self.0.take());
        }
    }
    let _back = Back(MOVES.replace(Some(Arc::clone(moves))));
    act()
}

/// The count that this thread raises.
pub(super) fn here() -> Option<Arc<AtomicU64>> {
    MOVES.with_borrow(Clone::clone)
}

/// An effect is done.
pub(super) fn count() {
    MOVES.with_borrow(|moves| {
        if let Some(moves) = moves {
            moves.fetch_add(1, Ordering::Relaxed);
        }
    });
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::effect::{effect, inherited};

    #[test]
    fn what_a_thread_does_for_another_counts_there() {
        let moves = Arc::default();
        let act = || effect("a.b", || Ok::<(), crate::Error>(())).unwrap();
        counted(&moves, || thread::scope(|threads| threads.spawn(inherited(act)).join().unwrap()));
        assert_eq!(moves.load(Ordering::Relaxed), 1);
        thread::scope(|threads| threads.spawn(inherited(act)).join().unwrap());
        assert_eq!(moves.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn effects_count_while_somebody_counts_them() {
        let moves = Arc::default();
        let act = || effect("a.b", || Ok::<(), crate::Error>(())).unwrap();
        act();
        counted(&moves, || {
            act();
            act();
        });
        act();
        assert_eq!(moves.load(Ordering::Relaxed), 2);
    }
}
