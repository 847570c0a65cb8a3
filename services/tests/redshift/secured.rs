//! Who wishes TLS gets it, with a certificate that can be checked.

use std::{fs, process::Command};

use flow_services::redshift;

/// What `psql` says, which checks the certificate by this authority.
fn psql(port: u16, mode: &str, authority: &str) -> Result<String, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, authority).unwrap();
    let place = format!(
        "host=127.0.0.1 port={port} user=awsuser dbname=dev sslmode={mode} sslrootcert={} gssencmode=disable",
        file.path().display()
    );
    let output = Command::new("psql").args(["-X", "-A", "-t", "-q", "-c", "SELECT 1 + 1", &place]).output().unwrap();
    let (said, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(said.trim().to_owned()) } else { Err(error.into_owned()) }
}

#[test]
fn the_certificate_is_the_one_that_is_told() {
    let Some(redshift) = redshift() else { return };
    let own = redshift.certificate();
    for mode in ["disable", "require", "verify-full"] {
        assert_eq!(psql(redshift.port(), mode, own), Ok("2".to_owned()), "{mode}");
    }
    let other = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap().cert.pem();
    let error = psql(redshift.port(), "verify-full", &other).unwrap_err();
    assert!(error.contains("certificate verify failed"), "{error}");
}
