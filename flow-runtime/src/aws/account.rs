//! Whose account, in which region: what an address says beyond the usual environment of AWS.

use super::{clients, wait};
use crate::{Address, Error};

/// The options that every address on AWS takes.
pub(crate) const ACCOUNT_OPTIONS: [&str; 4] = ["endpoint", "profile", "region", "role"];

/// Where a client calls, and as whom. What is not said is as the environment and the files of AWS say (`AWS_REGION`,
/// `AWS_PROFILE`, `AWS_ENDPOINT_URL`, …): environment, profile, SSO, web identity, role of the machine, in this order. A
/// profile that is said here goes before the keys of the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Account {
    pub(crate) region: Option<String>,
    /// Of the service that is called, not of those who give credentials.
    pub(crate) endpoint: Option<String>,
    /// The ARN of a role to take on.
    pub(crate) role: Option<String>,
    pub(crate) profile: Option<String>,
}

impl Account {
    /// Reads the options of an address.
    pub(crate) fn of(address: &Address) -> Self {
        let option = |name| address.option(name).map(str::to_owned);
        Self {
            region: option("region"),
            endpoint: option("endpoint"),
            role: option("role"),
            profile: option("profile"),
        }
    }

    /// The region, as far as it is known without a call; a machine of AWS is not asked for its own.
    pub(crate) fn known_region(&self) -> Option<String> {
        let known = wait(async { Ok::<_, Error>(clients::region(self).await) });
        known.ok().flatten().filter(|region| !region.is_empty())
    }
}
