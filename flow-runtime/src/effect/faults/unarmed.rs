//! No faults: what costs nothing.

use std::time::Duration;

use super::super::{Broken, Effect, Moment};

/// No fault.
pub(crate) struct Fault;

impl Fault {
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the other one may strike")]
    pub(crate) const fn strike(&self, _: &Effect<'_>, _: Moment) -> Result<(), Broken> {
        Ok(())
    }
}

pub(crate) const fn next(_: &Effect<'_>) -> Fault {
    Fault
}

/// Whether runs of one flow do not keep each other out.
pub(crate) const fn is_flow_lock_off() -> bool {
    false
}

/// How long to wait for what another process holds.
pub(crate) const fn patience(usual: Duration) -> Duration {
    usual
}
