//! Servers: each round trip is an effect.

use std::time::Duration;

use tokio::{runtime::Runtime, time::timeout};

use super::{Breaks, Broken, effect};

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Unanswered<E> {
    /// What the client of the server says.
    Failed(E),
    /// It did not come in time.
    Late,
    /// Somebody has broken the effect on purpose.
    Broken(Broken),
}

impl<E> Breaks for Unanswered<E> {
    fn broken(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

/// Sends something and waits for the answer, no longer than `patience`.
pub(crate) fn round_trip<T, E>(
    name: &'static str,
    runtime: &Runtime,
    patience: Duration,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, Unanswered<E>> {
    effect(name, || {
        // A timer is made where the runtime runs.
        match runtime.block_on(async { timeout(patience, answer).await }) {
            Ok(answer) => answer.map_err(Unanswered::Failed),
            Err(_) => Err(Unanswered::Late),
        }
    })
}
