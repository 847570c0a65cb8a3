//! Ctrl-C and SIGTERM: the first asks the run to stop, or the service to drain; the second ends the process.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};

/// What has been asked from outside.
#[derive(Debug, Default)]
pub(super) struct Signals {
    stop: Arc<AtomicBool>,
    /// The signal that came last; 0 before the first.
    last: Arc<AtomicUsize>,
}

impl Signals {
    /// Listens from now on. Where that cannot be, the system's own ways stay: the first signal ends the process.
    pub(super) fn watch() -> Self {
        let signals = Self::default();
        for signal in [SIGINT, SIGTERM] {
            let _ = signals.listen(signal);
        }
        signals
    }

    /// The order matters: what is registered first runs first, and must see whether a signal came *before*.
    fn listen(&self, signal: i32) -> std::io::Result<()> {
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&self.stop))?;
        flag::register_usize(signal, Arc::clone(&self.last), signal.unsigned_abs() as usize)?;
        flag::register(signal, Arc::clone(&self.stop))?;
        Ok(())
    }

    /// Set when the run is to stop.
    pub(super) fn stop(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// As if it had come from outside.
    #[cfg(test)]
    pub(super) fn come(&self, signal: i32) {
        self.last.store(signal.unsigned_abs() as usize, Ordering::Relaxed);
        self.stop.store(true, Ordering::Relaxed);
    }

    /// The signal that came last.
    pub(super) fn last(&self) -> Option<i32> {
        number(&self.last)
    }

    /// The same, to be asked later by another thread.
    pub(super) fn last_of(&self) -> impl Fn() -> Option<i32> + Send + 'static {
        let last = Arc::clone(&self.last);
        move || number(&last)
    }
}

fn number(last: &AtomicUsize) -> Option<i32> {
    i32::try_from(last.load(Ordering::Relaxed)).ok().filter(|signal| *signal != 0)
}
