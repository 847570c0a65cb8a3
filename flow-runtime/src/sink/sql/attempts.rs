//! How often a load, or a look at the ledger, is begun, and how long to wait in between.

use std::{panic, thread, time::Duration};

use tokio::runtime::{Builder, Runtime};

use super::{
    location::Location,
    session::Session,
    trouble::{Step, Trouble},
};
use crate::{
    Error, Failure,
    effect::{clock, inherited},
    sink::{Mode, Work},
};

/// How often something is begun when what stops it may pass.
pub(in crate::sink) const ATTEMPTS_MAX: u32 = 6;

/// With the growth, all pauses together are some 17 s, a half more or less: time for a server to start again.
const PAUSE: Duration = Duration::from_millis(50);
const PAUSE_GROWTH: u32 = 4;

/// The attempts at a table.
#[derive(Debug)]
pub(in crate::sink) struct Attempts {
    pub(in crate::sink) location: Location,
    /// For people.
    pub(in crate::sink) place: String,
    /// After the first attempt; after each further one it is longer.
    pub(in crate::sink) pause: Duration,
    /// What makes connections safe, from the first one on.
    #[cfg(feature = "redshift")]
    tls: std::sync::OnceLock<super::tls::Tls>,
}

impl Attempts {
    pub(in crate::sink) fn new(location: Location) -> Self {
        Self {
            place: location.site.to_string(),
            location,
            pause: PAUSE,
            #[cfg(feature = "redshift")]
            tls: std::sync::OnceLock::new(),
        }
    }

    /// What makes connections safe: read once, however many there are.
    #[cfg(feature = "redshift")]
    pub(super) fn tls(&self) -> Result<super::tls::Tls, Error> {
        match self.tls.get() {
            Some(tls) => Ok(tls.clone()),
            None => super::tls::Tls::new(&self.location).map(|tls| self.tls.get_or_init(|| tls).clone()),
        }
    }

    /// Asks once, before anything is done: who gave a wrong address need not wait.
    pub(in crate::sink) fn ask<T: Send>(
        &self,
        question: impl Fn(&Session<'_>) -> Result<T, Trouble> + Sync,
    ) -> Result<T, Error> {
        self.attempt(1, |_| false, question)
    }

    /// Runs statements in one transaction, once: who gives them has been asked.
    pub(in crate::sink) fn execute(&self, work: Work, statements: &[String]) -> Result<(), Error> {
        let step = match work {
            Work::Make => Step::MakeTable,
            Work::Drop => Step::DropTable,
        };
        self.ask(|session| {
            session.run(Step::Begin, "BEGIN")?;
            statements.iter().try_for_each(|statement| session.run(step, statement))?;
            session.run(Step::Commit, "COMMIT")
        })
    }

    /// Tries, each time on a connection of its own.
    pub(in crate::sink) fn attempt<T: Send>(
        &self,
        attempts_max: u32,
        may_try_again: impl Fn(&Trouble) -> bool + Sync,
        act: impl Fn(&Session<'_>) -> Result<T, Trouble> + Sync,
    ) -> Result<T, Error> {
        let mut attempt = 1;
        loop {
            // With its runtime a connection ends whose answer has not come, and with it what its session has locked.
            let once = |runtime: &Runtime| Session::open(runtime, self).and_then(|session| act(&session));
            let trouble = match self.run(|runtime| Ok(once(runtime)))? {
                Ok(done) => return Ok(done),
                Err(trouble) => trouble,
            };
            if attempt == attempts_max || !may_try_again(&trouble) {
                return Err(trouble.into_error(&self.place, (attempt, attempts_max)));
            }
            clock::sleep(pause(self.pause, attempt, fastrand::f64()));
            attempt += 1;
        }
    }

    /// Runs what needs a server on a thread of its own: the program may have a runtime that this thread belongs to.
    fn run<T: Send>(&self, work: impl FnOnce(&Runtime) -> Result<T, Error> + Send) -> Result<T, Error> {
        let run = || {
            let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| {
                Error::Target(Failure::new("cannot open a connection").at(self.place.clone()).cause(error))
            })?;
            let done = work(&runtime);
            // A name that nobody resolves must not keep the program.
            runtime.shutdown_background();
            done
        };
        thread::scope(|scope| scope.spawn(inherited(run)).join())
            .unwrap_or_else(|panicked| panic::resume_unwind(panicked))
    }
}

/// How long to wait after an attempt; `chance`, from 0 to 1, keeps those apart that failed together.
fn pause(first: Duration, attempt: u32, chance: f64) -> Duration {
    first.saturating_mul(PAUSE_GROWTH.saturating_pow(attempt - 1)).mul_f64(0.5 + chance)
}

/// Whether it may be otherwise in a moment.
pub(in crate::sink) fn may_pass(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Passing(_))
}

/// Whether a load that failed is begun again. Without a ledger nothing tells whether a commit was done.
pub(in crate::sink) fn may_try_again(trouble: &Trouble, has_ledger: bool, mode: Mode) -> bool {
    match trouble {
        Trouble::Own(_) | Trouble::Refused(_) => false,
        Trouble::Passing(account) => has_ledger || mode == Mode::Replace || account.step != Step::Commit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passing(step: Step) -> Trouble {
        Trouble::late(step, Duration::from_secs(1))
    }

    #[test]
    fn what_passes_is_tried_again_unless_it_could_double_rows() {
        assert!(may_try_again(&passing(Step::Copy), false, Mode::Append));
        assert!(may_try_again(&passing(Step::Commit), true, Mode::Append));
        assert!(may_try_again(&passing(Step::Commit), false, Mode::Replace));
        assert!(!may_try_again(&passing(Step::Commit), false, Mode::Append));
        assert!(!may_try_again(&passing(Step::Commit), false, Mode::Merge));
        let own = Error::Target(Failure::new("no")).into();
        assert!(!may_try_again(&own, true, Mode::Replace));
    }

    #[test]
    fn an_attempt_that_was_not_answered_is_told_without_secrets() {
        let error = passing(Step::Commit).into_error("db:5432/sales, table public.counts", (6, 6));
        let text = error.to_string();
        let expected = "cannot commit (db:5432/sales, table public.counts, attempt 6 of 6): no answer for 1s; ";
        assert!(matches!(error, Error::Target(_)) && text.starts_with(expected), "{text}");
    }

    #[test]
    fn pauses_grow_and_differ() {
        let first = Duration::from_millis(100);
        let milliseconds = |attempt, chance| pause(first, attempt, chance).as_millis();
        assert_eq!([1, 2, 3].map(|attempt| milliseconds(attempt, 0.5)), [100, 400, 1600]);
        assert_eq!([0.0, 1.0].map(|chance| milliseconds(1, chance)), [50, 150]);
    }
}
