//! Programs of tests on services of AWS.

use std::{env, process::Command};

use flow_services::{CREDENTIALS, Proxy, Service, kinesalite, kinesis_local, ministack};

/// Where a program finds services, and as whom it comes.
#[derive(Clone, Debug)]
pub struct Cloud {
    /// The service of streams, to be asked directly.
    pub streams: &'static Service,
    /// That of tables and buckets.
    pub tables: &'static Service,
    kinesis: String,
    others: String,
    secret: String,
}

impl Cloud {
    /// The one whose streams are right; for some thousand records.
    ///
    /// # Panics
    /// When a service does not start.
    #[must_use]
    pub fn exact() -> Option<Self> {
        Some(Self::of(kinesis_local()?, ministack()?))
    }

    /// The one whose streams are fast.
    ///
    /// # Panics
    /// When a service does not start.
    #[must_use]
    pub fn fast() -> Option<Self> {
        Some(Self::of(kinesalite()?, ministack()?))
    }

    fn of(streams: &'static Service, tables: &'static Service) -> Self {
        let secret = "test".to_owned();
        Self { streams, tables, kinesis: streams.endpoint(), others: tables.endpoint(), secret }
    }

    /// The same with a proxy before its streams.
    #[must_use]
    pub fn with_streams_through(self, proxy: &Proxy) -> Self {
        Self { kinesis: proxy.endpoint(), ..self }
    }

    /// The same with a proxy before its tables and buckets.
    #[must_use]
    pub fn with_tables_through(self, proxy: &Proxy) -> Self {
        Self { others: proxy.endpoint(), ..self }
    }

    /// The same for who has this secret.
    #[must_use]
    pub fn with_secret(self, secret: &str) -> Self {
        Self { secret: secret.to_owned(), ..self }
    }

    /// The command, on these services: nothing of the machine's own account reaches it.
    #[must_use]
    pub fn on(&self, mut command: Command) -> Command {
        let found = env::vars_os().map(|(name, _)| name);
        for name in found.filter(|name| name.to_string_lossy().starts_with("AWS_")) {
            command.env_remove(name);
        }
        command.envs(CREDENTIALS).env("AWS_SECRET_ACCESS_KEY", &self.secret);
        command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        command.env("AWS_ENDPOINT_URL_KINESIS", &self.kinesis);
        for service in ["DYNAMODB", "S3", "STS"] {
            command.env(format!("AWS_ENDPOINT_URL_{service}"), &self.others);
        }
        command
    }
}

/// Runs a test of this program that is ignored otherwise in a process of its own, whose environment has credentials: for what
/// uses a tap itself, and no flow's program.
///
/// # Panics
/// When the test fails, or there is none of this name.
#[expect(clippy::unwrap_used, reason = "a test that cannot do what it wants has failed")]
pub fn run_with_credentials(test: &str) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]).envs(CREDENTIALS);
    let done = command.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&done.stderr));
}
