//! Starts services of AWS on this machine to play with, says how programs find them, and ends them on Ctrl-C.
//!
//! ```sh
//! cargo run --package flow-services --bin local-aws
//! ```

use std::{
    convert::Infallible,
    io::{self, Write as _},
    process::ExitCode,
    thread,
};

use flow_services::{
    CREDENTIALS, Service, postgres,
    redshift::{Isolation, Redshift},
};

fn main() -> ExitCode {
    let Err(why) = run();
    eprintln!("error: {why}");
    ExitCode::FAILURE
}

fn run() -> Result<Infallible, String> {
    eprintln!("Installing what is not there yet, and starting …");
    let services = flow_services::all()?;
    let s3 = services.iter().find(|service| service.name() == "ministack").map(Service::port).unwrap_or_default();
    let redshift = postgres::find().map(|server| Redshift::start(server, Isolation::Snapshot, s3));
    // Whoever reads this from a pipe may have seen enough.
    let _ = tell(&services, redshift.as_ref());
    eprintln!("\nNothing is in them, and what you put there is gone when they end. Ctrl-C ends them.");
    loop {
        // The services end with this process, whatever ends it.
        thread::park();
    }
}

/// Says what to paste into a shell.
fn tell(services: &[Service], redshift: Option<&Redshift>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let endpoint = |name: &str| services.iter().find(|service| service.name() == name).map(Service::endpoint);
    let kinesis = endpoint("kinesis-local").unwrap_or_default();
    let fast = endpoint("kinesalite").unwrap_or_default();
    let others = endpoint("ministack").unwrap_or_default();
    writeln!(out, "export AWS_ENDPOINT_URL_KINESIS={kinesis}")?;
    writeln!(out, "# for more than 5,000 records in a stream: {fast}")?;
    for service in ["DYNAMODB", "S3", "STS"] {
        writeln!(out, "export AWS_ENDPOINT_URL_{service}={others}")?;
    }
    for (name, value) in CREDENTIALS {
        writeln!(out, "export {name}={value}")?;
    }
    match redshift.map(|redshift| redshift.address("table=hits&staging=s3://bucket/staging")) {
        Some(address) => writeln!(
            out,
            "# a stand-in for Redshift that loads from that S3, for who speaks PostgreSQL's protocol: {address}"
        )?,
        None => writeln!(out, "# no Redshift: its stand-in needs PostgreSQL (Debian: postgresql)")?,
    }
    out.flush()
}
