//! Faults of a real process: what its environment asks for, read once. Compiled in by the feature `faults` alone, which
//! nobody asks for but the tests of whole flows.
//!
//! - `FLOW_EFFECTS=path`: a line for each effect as it begins, `name#ordinal`; each name counts from 1.
//! - `FLOW_FAULT=name#ordinal:moment:what`, several with `,`: at the moment `before` or `after` the effect it fails
//!   (`error`; after it, that is a lost answer), the process dies (`kill`) or stands still until somebody continues it
//!   (`stop`). `any#n` is the nth effect of all.
//! - `FLOW_LOCK=off`: runs of one flow do not keep each other out, as if the lock had been lost.
//! - `FLOW_PATIENCE_MS=n`: how long to wait for what another process holds, and for an answer of AWS.
//! - `FLOW_MUTANT=name`: see `mutants.rs`.

#[cfg(feature = "faults")]
mod armed;
#[cfg(not(feature = "faults"))]
mod unarmed;

#[cfg(feature = "faults")]
pub(super) use armed::MUTANT;
#[cfg(feature = "faults")]
pub(crate) use armed::{Fault, is_flow_lock_off, next, patience};
#[cfg(not(feature = "faults"))]
pub(crate) use unarmed::{Fault, is_flow_lock_off, next, patience};
