//! `redshift:` sinks against what stands in for Redshift, in processes of their own, whose environment has credentials.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod conforms;
mod dialect;
mod doctor;
mod flows;
mod losses;
mod merging;
mod positions;
mod replaying;
mod secured;
mod setup;
mod taps;
mod told;
mod waits;
