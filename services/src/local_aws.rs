//! All services at once, for somebody who plays with them, and what his shell is told of them.

use std::fmt;

use crate::{
    CREDENTIALS, Service, install, kinds, postgres,
    redshift::{DATABASE, Isolation, Redshift, USER},
};

/// The services, which end with this process. As text it is what a shell takes: programs that are started there find them.
#[derive(Debug)]
pub struct LocalAws {
    kinesis: Service,
    fast: Service,
    others: Service,
    /// None without PostgreSQL.
    redshift: Option<Redshift>,
}

impl LocalAws {
    /// Starts them.
    ///
    /// # Errors
    /// Why one of them cannot be installed.
    ///
    /// # Panics
    /// When one of them does not start.
    pub fn start() -> Result<Self, String> {
        let start = |kind: &kinds::Kind| Ok::<_, String>(Service::start(kind, &install::installed(kind.family)?));
        let others = start(&kinds::MINISTACK)?;
        let redshift = postgres::find().map(|server| Redshift::start(server, Isolation::Snapshot, others.port()));
        Ok(Self { kinesis: start(&kinds::KINESIS_LOCAL)?, fast: start(&kinds::KINESALITE)?, others, redshift })
    }

    /// Whether there is a warehouse, too.
    #[must_use]
    pub fn has_redshift(&self) -> bool {
        self.redshift.is_some()
    }
}

impl fmt::Display for LocalAws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "export AWS_ENDPOINT_URL_KINESIS={}", self.kinesis.endpoint())?;
        writeln!(f, "# for more than 5,000 records in a stream: {}", self.fast.endpoint())?;
        for service in ["DYNAMODB", "S3", "STS"] {
            writeln!(f, "export AWS_ENDPOINT_URL_{service}={}", self.others.endpoint())?;
        }
        for (name, value) in CREDENTIALS {
            writeln!(f, "export {name}={value}")?;
        }
        let Some(redshift) = &self.redshift else {
            return writeln!(f, "# no Redshift: its stand-in needs PostgreSQL (Debian: postgresql)");
        };
        let address = redshift.address("table=hits&staging=s3://bucket/staging&role=default&sslmode=disable");
        writeln!(f, "# a stand-in for Redshift, which loads from that S3: {address}")?;
        let port = redshift.port().to_string();
        for (name, value) in [("HOST", "127.0.0.1"), ("PORT", &port), ("USER", USER), ("DATABASE", DATABASE)] {
            writeln!(f, "export PG{name}={value}")?;
        }
        Ok(())
    }
}
