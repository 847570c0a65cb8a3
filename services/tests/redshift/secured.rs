//! Who wishes TLS gets it, with a certificate that can be checked.

use std::{fs, process::Command};

use flow_services::{postgres, redshift};

/// What `psql` says, which checks the certificate by this authority.
fn psql(port: u16, user: &str, mode: &str, authority: &str) -> Result<String, String> {
    psql_at("127.0.0.1", port, user, mode, authority)
}

fn psql_at(host: &str, port: u16, user: &str, mode: &str, authority: &str) -> Result<String, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, authority).unwrap();
    let place = format!(
        "host={host} port={port} user={user} dbname=dev sslmode={mode} sslrootcert={} gssencmode=disable",
        file.path().display()
    );
    let program = postgres::server().unwrap().program("psql");
    let output = Command::new(program).args(["-X", "-A", "-t", "-q", "-c", "SELECT 1 + 1", &place]).output().unwrap();
    let (said, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(said.trim().to_owned()) } else { Err(error.into_owned()) }
}

#[test]
fn the_certificate_is_the_one_that_is_told() {
    let Some(redshift) = redshift() else { return };
    let own = redshift.certificate();
    for mode in ["disable", "require", "verify-full"] {
        assert_eq!(psql(redshift.port(), "awsuser", mode, own), Ok("2".to_owned()), "{mode}");
    }
    let other = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap().cert.pem();
    let error = psql(redshift.port(), "awsuser", "verify-full", &other).unwrap_err();
    assert!(error.contains("certificate verify failed"), "{error}");
    let error = psql_at("localhost", redshift.port(), "awsuser", "verify-full", own).unwrap_err();
    assert!(error.contains("does not match host name"), "{error}");
}

#[test]
fn who_needs_a_password_is_asked_for_it() {
    let Some(redshift) = redshift() else { return };
    // Of this one PostgreSQL's settings say that the password is looked at.
    redshift.run("CREATE ROLE guarded SUPERUSER LOGIN PASSWORD 'open'");
    for (password, wanted) in [("open", Ok("2")), ("shut", Err("password authentication failed"))] {
        let said = psql(redshift.port(), &format!("guarded password={password}"), "disable", "");
        match wanted {
            Ok(wanted) => assert_eq!(said, Ok(wanted.to_owned())),
            Err(wanted) => assert!(said.clone().is_err_and(|said| said.contains(wanted)), "{said:?}"),
        }
    }
}
