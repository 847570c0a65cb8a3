//! The contract of a store, tried on a table that a service has: for the tests of whole flows.

#![expect(clippy::unwrap_used, reason = "this is a test")]

use super::{DynamoDbPlace, DynamoDbStore, Shared, listing};
use crate::{
    Error, effect,
    iteration::conformance::{self, Bench},
};

/// Tries every case on the table at this address; says which cases they were.
///
/// # Errors
/// [`Error::Config`] when the address is none.
///
/// # Panics
/// When a case fails.
pub fn try_contract(address: &str) -> Result<Vec<&'static str>, Error> {
    let place = DynamoDbPlace::of(&address.parse()?)?;
    let items: Shared = Shared::from(Box::new(place.table()?) as Box<dyn super::Items>);
    let tried = conformance::cases().map(|(name, case)| {
        let (opened, listed, shown) = (items.clone(), items.clone(), items.clone());
        case(&Bench {
            flow: format!("flow_{}", effect::id()),
            open: Box::new(move |flow, epoch| Box::new(DynamoDbStore::open(opened.clone(), flow, epoch, 1).unwrap())),
            list: Box::new(move |flow, last| listing::list(&listed, flow, last).unwrap()),
            detail: Box::new(move |flow, iteration| listing::detail(&shown, flow, iteration).unwrap()),
        });
        *name
    });
    Ok(tried.collect())
}
