//! A service: one iteration after the other, until it is asked to end.
//!
//! What is done about a failure is decided in `course.rs`; whether there is something new is found out in `news.rs`. The
//! iterations are those of `driver/mod.rs`. One lock is held for the whole life; everything else is opened anew after a
//! failure, and the ports for each iteration.

mod course;
mod news;

use std::{sync::atomic::Ordering, time::Duration};

use super::{
    Activity, Checkpoint, Options, Outcome, Trouble,
    checkpoint::{self, OpenCheckpoint},
    events,
    execute::InputJob,
    fit, iterate,
    place::Lock,
    ports::Ports,
};
use crate::{
    Error, Failure, Flow,
    effect::{self, clock},
    iteration::decide::COVERED_KEPT,
    plan::PortKind,
    source::Gaps,
};
use course::{Course, course, wait};
use news::Listed;

/// How soon a wait heeds that the service is to end.
const TICK: Duration = Duration::from_millis(100);

/// How a service goes on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Service {
    /// How long to wait before looking again for new records.
    pub poll_interval: Duration,
    /// Iterations after which it ends.
    pub max_iterations: Option<u64>,
    /// Failures in a row that are tried again; any number if `None`.
    pub retries: Option<u32>,
}

impl Default for Service {
    fn default() -> Self {
        Self { poll_interval: Duration::from_secs(1), max_iterations: None, retries: None }
    }
}

/// Runs iteration after iteration, each as [`run`](super::run) does, and waits while there is nothing new.
///
/// [`Options::drain`] ends it: the open iteration is closed early and loaded. [`Options::stop`] ends it at once: the open
/// iteration is abandoned. [`Options::gaps`] holds for the gaps that the first iteration finds. `done` is told of each
/// iteration that was loaded. What may pass by itself (a source that cannot be read, a target or a store that cannot be
/// reached) is tried again, after waits that grow to a minute.
///
/// # Errors
/// What cannot pass by itself, or has been tried again [`Service::retries`] times; what the store says when it is opened
/// first; what failed last when it is asked to end; what `done` fails with.
pub fn follow<F: Flow>(
    flow: &F,
    options: &Options,
    service: &Service,
    done: &mut dyn FnMut(Outcome) -> Result<(), Error>,
) -> Result<(), Error> {
    let follow = || Following::start(flow, options, service)?.go_on(done);
    let ended = effect::counted(&options.progress.moves(), follow);
    options.progress.note(|status| {
        status.activity = Activity::Ended;
        if let Err(error) = &ended {
            status.trouble = Some(Trouble::from(error));
        }
    });
    options.progress.finished.store(true, Ordering::Relaxed);
    ended
}

/// A service under way.
struct Following<'a, F> {
    flow: &'a F,
    name: String,
    options: Options,
    service: &'a Service,
    lock: Option<Lock>,
    checkpoint: Option<OpenCheckpoint>,
    listed: Listed,
    /// Whether an iteration is to be run without looking whether there is something new: the first, whose predecessors
    /// may have left something, and one that failed.
    is_due: bool,
    /// When the last iteration began.
    looked_at: Duration,
    failures: u32,
}

impl<'a, F: Flow> Following<'a, F> {
    fn start(flow: &'a F, options: &Options, service: &'a Service) -> Result<Self, Error> {
        if options.checkpoint == Checkpoint::None {
            return Err(Error::Config(
                Failure::new("without a checkpoint store everything is read again in every iteration")
                    .help("give --checkpoint sqlite:PATH, or leave out --follow"),
            ));
        }
        if Ports::open(flow)?.sources() == 0 {
            return Err(Error::Config(
                Failure::new("the flow has tables and no source, so there is nothing to follow")
                    .help("leave out --follow"),
            ));
        }
        let name = F::PLAN.logical_name();
        let lock = checkpoint::lock(&options.checkpoint, &name)?;
        let checkpoint = Some(OpenCheckpoint::open_locked(&options.checkpoint, name.clone())?);
        events::started(&name, &effect::owner(), service.poll_interval);
        let listed = Listed::default();
        let (looked_at, options) = (clock::elapsed(), options.clone());
        Ok(Self { flow, name, options, service, lock, checkpoint, listed, is_due: true, looked_at, failures: 0 })
    }

    fn go_on(&mut self, done: &mut dyn FnMut(Outcome) -> Result<(), Error>) -> Result<(), Error> {
        let mut iterations = 0;
        while !self.is_draining() && self.service.max_iterations.is_none_or(|most| iterations < most) {
            match self.pass() {
                Ok(Some(outcome)) if outcome.published() > 0 => {
                    self.succeeded();
                    iterations += outcome.published();
                    self.options.progress.done(F::PLAN, &outcome);
                    done(outcome)?;
                }
                Ok(_) => {
                    self.succeeded();
                    self.options.progress.note(|status| status.activity = Activity::Idle);
                    self.wait(self.service.poll_interval);
                }
                Err(error) => self.failed(error)?,
            }
        }
        Ok(())
    }

    /// One iteration, if there is something to do.
    fn pass(&mut self) -> Result<Option<Outcome>, Error> {
        if self.lock.as_ref().is_none_or(Lock::is_lost) {
            // Whoever has taken over is waited for like anything else that may pass.
            self.lock = None;
            self.lock = checkpoint::lock(&self.options.checkpoint, &self.name)?;
        }
        let checkpoint = match &mut self.checkpoint {
            Some(checkpoint) => checkpoint,
            none => none.insert(OpenCheckpoint::open_locked(&self.options.checkpoint, self.name.clone())?),
        };
        let mut ports = Ports::open(self.flow)?;
        // Where a source tells times, that nothing came is worth to be kept now and then.
        let is_old = clock::elapsed().saturating_sub(self.looked_at) >= COVERED_KEPT;
        let sealed = if self.is_due { Vec::new() } else { checkpoint.store.shards()? };
        let is_to_be_kept = is_old && sealed.iter().any(|shard| shard.covered_us.is_some());
        if !self.is_due && !is_to_be_kept {
            let listed = ports.jobs_of(&[PortKind::Source], checkpoint, &sealed, &self.options);
            let has_news = |sources: Vec<InputJob<'_>>| {
                // What was renamed or rotated has its positions sealed, lest it be searched for at every look.
                Ok(self.listed.compare(F::PLAN, &sources)
                    || news::is_there(F::PLAN, &sources, &|| is_draining(&self.options))?)
            };
            // What fails here fails in the iteration too, which notes it in the store.
            if let Ok(false) = listed.and_then(has_news) {
                return Ok(None);
            }
        }
        (self.is_due, self.looked_at) = (true, clock::elapsed());
        let began = clock::now_us();
        self.options.progress.note(|status| _ = status.behind_since_us.get_or_insert(began));
        fit(self.flow, &ports, &self.options)?;
        let latest = checkpoint.store.latest()?;
        let outcome = iterate::<F>(checkpoint, &mut ports, &self.options);
        if outcome.is_ok() || checkpoint.store.latest().is_ok_and(|now| now != latest) {
            // Who has accepted the gaps that were there has not accepted those to come.
            self.options.gaps = Gaps::Refuse;
        }
        outcome.map(Some)
    }

    fn succeeded(&mut self) {
        (self.is_due, self.failures) = (false, 0);
        self.options.progress.note(|status| {
            status.failures = 0;
            status.trouble = None;
            // What comes now came later.
            status.behind_since_us = None;
        });
    }

    /// Waits before the next try, or ends with the error.
    fn failed(&mut self, error: Error) -> Result<(), Error> {
        self.failures += 1;
        let of = self.service.retries;
        if self.is_draining() || course(&error, self.failures, of) == Course::End {
            return Err(error);
        }
        let wait = wait(self.failures, chance());
        events::retries(&self.name, &error, self.failures, of.map(|retries| retries.saturating_add(1)), wait);
        self.options.progress.note(|status| {
            status.activity = Activity::Retrying;
            status.failures = self.failures;
            status.trouble = Some(Trouble::from(&error));
        });
        // Whatever is wrong with it, a new one may be well.
        (self.checkpoint, self.is_due) = (None, true);
        self.wait(wait);
        if self.is_draining() { Err(error) } else { Ok(()) }
    }

    fn is_draining(&self) -> bool {
        is_draining(&self.options)
    }

    fn wait(&self, time: Duration) {
        let until = clock::elapsed().saturating_add(time);
        while !self.is_draining() {
            let left = until.saturating_sub(clock::elapsed());
            if left.is_zero() {
                return;
            }
            clock::sleep(left.min(TICK));
            self.options.progress.beat();
        }
    }
}

fn is_draining(options: &Options) -> bool {
    options.drain.load(Ordering::Relaxed) || options.stop.load(Ordering::Relaxed)
}

/// A random number.
fn chance() -> u64 {
    effect::id().bytes().fold(0, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)))
}
