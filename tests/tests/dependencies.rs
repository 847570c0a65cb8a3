//! What a program that asks for no more than files and SQLite is made of.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::process::Command;

/// The crates that are compiled for flow-runtime with these features.
fn crates(features: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--package", "flow-runtime", "--features", features])
        .args(["--edges", "normal,build", "--prefix", "none", "--format", "{lib}"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

fn has(crates: &[String], name: &str) -> bool {
    crates.iter().any(|found| found == name || found.starts_with(&format!("{name}_")))
}

#[test]
fn nothing_of_a_network_is_compiled_unless_asked_for() {
    let crates = crates("");
    assert!(has(&crates, "rusqlite"), "{crates:?}");
    for name in ["aws", "bytes", "futures", "hyper", "mio", "openssl", "postgres", "ring", "rustls", "tokio"] {
        assert!(!has(&crates, name), "{name}: {crates:?}");
    }
}

#[test]
fn postgres_brings_its_client_and_no_other() {
    let crates = crates("postgres");
    assert!(has(&crates, "tokio_postgres"), "{crates:?}");
    for name in ["aws", "hyper", "openssl", "rustls"] {
        assert!(!has(&crates, name), "{name}: {crates:?}");
    }
}
