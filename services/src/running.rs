//! A service that runs: started, waited for, and ended with the process that it is for.

#![expect(clippy::expect_used, reason = "a test cannot go on")]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::kinds::Kind;

/// How long a service may take to listen: far longer than on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts a service, says its process id, and waits: the end of the input is the end of the process that wants it.
const SUPERVISE: &str = r#"
trap '' INT TERM HUP
place=$1
shift
export TMPDIR="$place"
"$@" </dev/null >"$place/out" 2>&1 &
echo $!
exec >&-
cat >/dev/null
kill -9 $! 2>/dev/null
rm -rf "$place"
"#;

/// A running service.
#[derive(Debug)]
pub struct Service {
    name: &'static str,
    port: u16,
    /// Its input is open as long as this process lives.
    _supervisor: Child,
}

impl Service {
    pub(crate) fn start(kind: &Kind, installed: &Path) -> Self {
        let scratch = tempfile::Builder::new().prefix("flow-services.").tempdir().expect("a folder").keep();
        let program = kind.family.program(installed);
        let mut supervisor = Command::new("sh");
        supervisor.args(["-c", SUPERVISE, "sh"]).arg(&scratch).arg(program.get_program()).args(program.get_args());
        supervisor.args(kind.arguments).envs(kind.environment.iter().copied());
        supervisor.current_dir(installed.join(kind.folder)).stdin(Stdio::piped()).stdout(Stdio::piped());
        // What ends a group of processes at once would end the supervisor before the service.
        let mut supervisor = supervisor.process_group(0).spawn().expect("a shell");
        let mut id = String::new();
        BufReader::new(supervisor.stdout.take().expect("a pipe")).read_line(&mut id).expect("a process id");
        let port = announced(kind, &scratch.join("out"), id.trim());
        Self { name: kind.name, port, _supervisor: supervisor }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Where it listens, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address, as `AWS_ENDPOINT_URL` and `?endpoint=` take it.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// Waits until the service says which port it listens on.
fn announced(kind: &Kind, said: &Path, id: &str) -> u16 {
    let began = Instant::now();
    loop {
        let text = fs::read_to_string(said).unwrap_or_default();
        // A number that is not followed by anything yet may go on.
        let rest = text.split_once(kind.announcement).map(|(_, rest)| rest);
        let port = rest.and_then(|rest| rest.split_once(|c: char| !c.is_ascii_digit()));
        if let Some(port) = port.and_then(|(port, _)| port.parse().ok()) {
            return port;
        }
        let is_waiting = began.elapsed() < PATIENCE && is_running(id);
        assert!(is_waiting, "{} does not start:\n{text}", kind.name);
        thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process runs, rather than waits for somebody to hear of its end.
fn is_running(id: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// What a program that is to use these services finds in its environment, besides their endpoints: the secret is none.
pub const CREDENTIALS: [(&str, &str); 4] = [
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
];
