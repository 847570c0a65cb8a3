//! A shard's records as they are pushed to a consumer, by enhanced fan-out: subscribed to, and again when the service ends that
//! after five minutes, when it is cut, or says nothing more.
//!
//! Whatever happens to a subscription, the next one begins behind what was handed on. An event is asked for when the one before
//! is handed on, so what waits for whoever is slow waits at the service, but for what is under way.

use std::{mem, sync::Arc, time::Duration};

use super::{
    hole,
    place::{Place, Sequence},
    service::{Pushed as _, Service},
    shard::{Answer, Ends, ShardReader, Tries, is_about_now},
};
use crate::{
    Error, Failure,
    aws::{
        Kind, Patience, Trouble,
        clients::{
            consumers::ConsumerState,
            kinesis::{Beginning, Page},
        },
        limits, retrying,
    },
    effect::{clock, network::pause},
};

/// For a subscription that another one stands in the way of: it can be taken over after [`limits::SUBSCRIBE_AGAIN`], so only
/// who is always in the way is not waited out. Between thirty tries some 70 seconds go by on average, and 137 at most.
const IN_USE: Patience = Patience { attempts: 30, first: Duration::from_secs(1), most: limits::SUBSCRIBE_AGAIN };

/// An event that was waited for so long was not there before: nothing that came before that is missing.
const WAITED: Duration = Duration::from_millis(50);

/// Looks at a consumer that is being registered.
const LOOKS_MAX: usize = 120;

/// A subscription, and how it goes on after it.
#[derive(Debug)]
pub(super) struct Subscribed<P> {
    pushed: Option<P>,
    /// Whether it has had an event.
    has_event: bool,
    /// The number after which the service goes on: further than what was read where there are no records.
    after: Option<Sequence>,
    /// Whether the next try takes what comes from now on, the time to begin at being still to come. Only that one: whatever
    /// comes before the one after it has to be there then.
    from_latest: bool,
    /// What came before then has been pushed, but for what an event says to be behind.
    since_us: i64,
}

impl<P> Default for Subscribed<P> {
    fn default() -> Self {
        Self { pushed: None, has_event: false, after: None, from_latest: false, since_us: 0 }
    }
}

impl<P> Subscribed<P> {
    /// Takes in that all up to a number was handed on.
    pub(super) fn go_on_after(&mut self, number: &str) {
        self.after = Sequence::parse(number).or(self.after.take());
        self.from_latest = false;
    }

    /// Where the next subscription begins.
    fn beginning<'a>(&'a self, place: &'a Place) -> Beginning<'a> {
        let is_further = |after: &&Sequence| match place {
            Place::At(number, _) | Place::After(number) => *after > number,
            Place::Oldest | Place::Time(_) => true,
            Place::End => false,
        };
        match self.after.as_ref().filter(is_further) {
            Some(after) => Beginning::After(after.as_str()),
            None if self.from_latest => Beginning::Latest,
            None => place.beginning(),
        }
    }
}

impl<S: Service> ShardReader<S> {
    /// Waits for the next event, subscribing as often as it takes.
    pub(super) async fn pushed(&mut self, subscribed: &mut Subscribed<S::Pushed>) -> Result<Answer, Ends> {
        let (mut tries, mut in_use) = (Tries::new(), 0);
        loop {
            let trouble = match self.event(subscribed).await {
                Ok(Some(page)) => {
                    // Never fails: it is never closed.
                    let turn = Arc::clone(&self.reads).acquire_owned().await.map_err(|_| Ends::Left)?;
                    return Ok(Answer { page, turn, asked_us: subscribed.since_us });
                }
                Ok(None) if subscribed.has_event => {
                    subscribed.pushed = None;
                    tracing::debug!(shard = self.of.name, place = %self.wanted.from, "the subscription is renewed");
                    continue;
                }
                Ok(None) => Trouble::new("kinesis.next_event", Kind::Passing, "the subscription ended at once"),
                Err(trouble) => trouble,
            };
            let is_refused = subscribed.pushed.take().is_none() && is_refusal(&trouble);
            let was_latest = mem::take(&mut subscribed.from_latest);
            match trouble.kind {
                Kind::InUse => {
                    in_use += 1;
                    if in_use >= IN_USE.attempts {
                        return Err(self.contested(&trouble.at_attempt(in_use, IN_USE.attempts)).into());
                    }
                    // What had events was taken over.
                    if subscribed.has_event {
                        self.complain(&trouble, "another reader uses the same consumer");
                    }
                    pause(IN_USE.wait_after(in_use, fastrand::f64())).await;
                }
                _ if is_refused => self.refused(subscribed, &trouble, was_latest)?,
                _ => self.wait_after(trouble, &mut tries, "subscriptions of this consumer are throttled").await?,
            }
        }
    }

    /// What comes next; nothing when the subscription is at its end.
    async fn event(&mut self, subscribed: &mut Subscribed<S::Pushed>) -> Result<Option<Page>, Trouble> {
        if subscribed.pushed.is_none() {
            let arn = self.consumer.clone().unwrap_or_default();
            let asked_us = clock::now_us();
            subscribed.has_event = false;
            let pushed = self.service.subscribe(&arn, &self.id, subscribed.beginning(&self.wanted.from)).await?;
            (subscribed.pushed, subscribed.since_us) = (Some(pushed), asked_us);
        }
        let Some(pushed) = &mut subscribed.pushed else { return Ok(None) };
        let (asked, asked_us) = (clock::elapsed(), clock::now_us());
        let page = pushed.next().await?;
        if clock::elapsed().saturating_sub(asked) >= WAITED {
            subscribed.since_us = asked_us;
        }
        subscribed.has_event |= page.is_some();
        Ok(page)
    }

    /// Finds another way to begin for a subscription that was refused, or why there is none.
    fn refused(
        &self,
        subscribed: &mut Subscribed<S::Pushed>,
        trouble: &Trouble,
        was_latest: bool,
    ) -> Result<(), Error> {
        if subscribed.after.take().is_some() {
            return Ok(());
        }
        match &self.wanted.from {
            // To the service, this time is still to come.
            Place::Time(us) if trouble.kind == Kind::Invalid && !was_latest && is_about_now(*us) => {
                subscribed.from_latest = true;
                Ok(())
            }
            place @ (Place::At(..) | Place::After(_)) if trouble.kind == Kind::Invalid => {
                Err(hole::refused(&self.of.name, place, self.covered_us, trouble))
            }
            _ => Err(self.failed(trouble)),
        }
    }

    fn contested(&self, trouble: &Trouble) -> Error {
        let failure = Failure::new("the consumer is always in use").at(self.of.name.clone()).cause(trouble);
        Error::Input(failure.help("give each flow a consumer of its own: another reader subscribes by this one"))
    }
}

/// Whether a subscription may be refused for where it was to begin; its stream may be of no use for other reasons.
fn is_refusal(trouble: &Trouble) -> bool {
    match trouble.kind {
        Kind::Invalid => trouble.code.as_deref() == Some("InvalidArgumentException"),
        kind => kind == Kind::Missing,
    }
}

/// The ARN of the consumer by which a stream is to be read; one that is being registered is waited for.
///
/// # Errors
/// When there is none, or it cannot be asked for.
pub(super) async fn consumer<S: Service>(service: &S, stream: &str, name: &str) -> Result<Arc<str>, Error> {
    for _ in 0..LOOKS_MAX {
        let asked = retrying(Patience::USUAL, async || service.consumer(name).await).await;
        let found = asked.map_err(|trouble| Error::Input(trouble.failure("cannot look at the consumer").at(stream)))?;
        match found {
            Some(consumer) if consumer.state == ConsumerState::Active => return Ok(consumer.arn.into()),
            Some(consumer) if consumer.state == ConsumerState::Creating => pause(Duration::from_millis(500)).await,
            _ => {
                let failure = Failure::new(format!("the stream has no consumer `{name}`")).at(stream);
                return Err(Error::Input(failure.help("register it with `setup`, or read without ?consumer=")));
            }
        }
    }
    let failure = Failure::new(format!("the consumer `{name}` is not active yet")).at(stream);
    Err(Error::Input(failure.help("run again in a moment")))
}

#[cfg(test)]
#[path = "pushed_tests.rs"]
mod tests;
