//! What the taps and the store on AWS share: whose account and region, one runtime, what goes wrong, and trying again.
//!
//! `clients/` alone knows the SDK of AWS; the rest of flow sees its plain functions and [`Trouble`]. Taps are in `source/`,
//! the store in `iteration/dynamodb/`: they are synchronous, and [`wait`] for what a client gives.

#![expect(dead_code, reason = "taps are being built on it")]

mod account;
pub(crate) mod clients;
pub(crate) mod kpl;
mod ledgers;
pub(crate) mod limits;
pub(crate) mod permissions;
pub(crate) mod resources;
mod retry;
mod runtime;
mod trouble;

pub(crate) use account::{ACCOUNT_OPTIONS, Account};
pub(crate) use retry::{Attempts, Patience, retrying};
pub(crate) use runtime::{spawn, wait};
pub(crate) use trouble::{Kind, Trouble};
