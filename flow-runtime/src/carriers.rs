//! The crates that carry calls to services: what they log is what they carry, credentials and records too.

/// By name; a name that ends with `_` is that of a family.
const CARRIERS: [&str; 16] = [
    "aws_config",
    "aws_credential_types",
    "aws_runtime",
    "aws_sdk_",
    "aws_sigv4",
    "aws_smithy_",
    "aws_types",
    "h2",
    "hyper",
    "hyper_rustls",
    "hyper_util",
    "rustls",
    "tokio",
    "tokio_postgres",
    "tokio_rustls",
    "tokio_util",
];

/// Whether an event with this target is one of theirs.
pub(crate) fn is_of_carrier(target: &str) -> bool {
    let name = target.split("::").next().unwrap_or_default();
    CARRIERS.iter().any(|carrier| match carrier.ends_with('_') {
        true => name.starts_with(carrier),
        false => name == *carrier,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_known_by_its_whole_name() {
        for target in
            ["aws_smithy_runtime::client::orchestrator", "aws_sdk_sts", "hyper::proto", "h2", "tokio_postgres"]
        {
            assert!(is_of_carrier(target), "{target}");
        }
        for target in ["aws_importer", "h2o", "hyperloop::track", "tokio_app", "flow_runtime::aws", ""] {
            assert!(!is_of_carrier(target), "{target}");
        }
    }
}
