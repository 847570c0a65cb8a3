//! What the address of a sink says: the table, where it is, and what cannot be done there.

use crate::{
    Address, Error,
    aws::Account,
    plan::PortKind,
    sink::{Mode, SinkShape},
};

/// What the address of a sink says: the table.
pub(super) fn table_of(address: &Address) -> Option<&str> {
    let name = address.path().strip_prefix("//")?;
    // "Naming rules", docs.aws.amazon.com/amazondynamodb, 2026-11-22.
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    ((3..=255).contains(&name.len()) && name.bytes().all(is_name)).then_some(name)
}

/// Which table an address leads to, as far as that is known without a call: a region and a service have tables of their own.
/// Whose account it is, only a call would tell; a table of the same name in another one is told by the ledger. None, if it leads to
/// no table.
pub(in crate::sink) fn identity(address: &Address) -> Option<String> {
    let account = Account::of(address);
    let endpoint = account.endpoint.as_deref().map(|endpoint| endpoint.trim_end_matches('/').to_owned());
    let whose = [("endpoint", endpoint), ("region", account.known_region())];
    let whose: Vec<String> = whose.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?))).collect();
    let separator = if whose.is_empty() { "" } else { "?" };
    Some(format!("dynamodb://{}{separator}{}", table_of(address)?, whose.join("&")))
}

/// Appending and replacing cannot be done, and why.
pub(super) fn refuse_mode(shape: SinkShape, wrong: &dyn Fn(&str, &str) -> Error) -> Result<(), Error> {
    match shape.mode {
        _ if shape.port.kind == PortKind::Trap => Err(wrong(
            "a table of DynamoDB cannot be a trap: records that fail have no key",
            "give the trap a file:, postgres:, s3: or sqlite: address",
        )),
        Mode::Append => Err(wrong(
            "rows cannot be appended to a table of DynamoDB: it has one item for each key",
            "add mode=merge; where each row has a key of its own, keys=once too",
        )),
        Mode::Replace => Err(wrong(
            "a table of DynamoDB cannot be replaced: there is no step in which its readers see the old items and then the new",
            "add mode=merge; or take a sqlite: or postgres: address",
        )),
        Mode::Merge => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_that_of_its_region_and_its_service_however_it_is_named() {
        let identity = |text: &str| identity(&text.parse().unwrap());
        let table = "dynamodb://hits?region=eu-central-1";
        assert_eq!(identity(&format!("{table}&mode=merge&keys=once&from=3")).unwrap(), table);
        assert_ne!(identity("dynamodb://hits?region=us-east-1").unwrap(), table);
        let local = identity("dynamodb://hits?region=eu-central-1&endpoint=http://127.0.0.1:8000/").unwrap();
        assert_eq!(local, "dynamodb://hits?endpoint=http://127.0.0.1:8000&region=eu-central-1");
        assert_eq!(identity(&local).unwrap(), local);
        assert_eq!(identity("dynamodb:hits"), None);
    }
}
