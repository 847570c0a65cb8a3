//! What the macro prints for some flows, held against files that compile against the runtime.

use std::{fs, path::PathBuf};

/// Prints the flow of a file the way a person would lay it out.
fn expand(file: &str) -> String {
    let file = syn::parse_file(file).unwrap();
    let flow = file.items.into_iter().find_map(|item| match item {
        syn::Item::Macro(flow) => Some(flow.mac.tokens),
        _ => None,
    });
    let expansion = syn::parse2(crate::compile(flow.unwrap())).unwrap();
    prettyplease::unparse(&expansion)
}

/// Holds an expansion against `tests/expansion/<name>.rs`; `FLOW_BLESS=1` writes the file anew.
fn check(name: &str) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests");
    let flow = fs::read_to_string(root.join("flows").join(name)).unwrap();
    let expansion = expand(&flow);
    let path = root.join("expansion").join(name);
    if std::env::var_os("FLOW_BLESS").is_some() {
        fs::write(&path, &expansion).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    let differing = expansion.lines().zip(expected.lines()).position(|(now, then)| now != then);
    let line = differing.unwrap_or_else(|| expansion.lines().count().min(expected.lines().count()));
    assert!(
        expansion == expected,
        "the expansion of {name} changed at line {}: bless it with FLOW_BLESS=1, and look at the difference",
        line + 1
    );
}

#[test]
fn the_access_log_flow_expands_to_its_snapshot() {
    check("access_log_counts.rs");
}

#[test]
fn a_flow_with_branches_and_rust_code_expands_to_its_snapshot() {
    check("page_troubles.rs");
}

#[test]
fn a_flow_that_reads_json_expands_to_its_snapshot() {
    check("purchases.rs");
}
