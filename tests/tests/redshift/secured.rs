//! Who answers must prove who it is.

use std::fs;

use flow_runtime::{
    Error,
    plan::{FieldPlan, PortKind, PortPlan},
    sink::{self, Mode, Target},
    value::Type,
};
use flow_tests::postgres::server;

static COUNTS: PortPlan = PortPlan {
    name: "counts",
    kind: PortKind::Sink,
    about: "",
    scheme: "",
    fields: &[FieldPlan { name: "count", ty: Type::I64, nullable: false, column: None, add: false }],
    key: &[],
    grouped: false,
    covers: &[],
    line: 0,
};

fn check(address: &str) -> Result<(), Error> {
    sink::open(&Target::Address(address.to_owned()), Some(Mode::Append), &COUNTS).unwrap().check()
}

#[test]
fn a_right_certificate_of_another_host_is_none() {
    let Some(warehouse) = flow_tests::services::redshift() else { return };
    let folder = tempfile::tempdir().unwrap();
    let certificate = folder.path().join("authority.pem");
    fs::write(&certificate, warehouse.certificate()).unwrap();
    let rest = format!("table=proved_host&staging=s3://taps&role=default&sslrootcert={}", certificate.display());
    let address = warehouse.address(&rest);
    check(&address).unwrap();
    let said = check(&address.replace("127.0.0.1", "localhost")).unwrap_err().to_string();
    assert!(said.contains("certificate") && said.contains("localhost") && !said.contains("attempt"), "{said}");
}

#[test]
fn a_server_without_tls_is_told_apart_from_a_wrong_certificate() {
    let Some(server) = server() else { return };
    let port = server.port();
    let said = check(&format!("redshift://load@127.0.0.1:{port}/dev?staging=s3://taps&role=default")).unwrap_err();
    let said = said.to_string();
    assert!(said.contains("does not support TLS") && said.contains("have the server speak TLS"), "{said}");
    assert!(!said.contains("sslrootcert"), "{said}");
}
