//! A PostgreSQL server of one's own: started once for all tests of a file, stopped and removed when the process that they
//! run in ends, however it ends. Its programs are found, not installed.

mod session;

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    iter,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Once, OnceLock},
    thread,
    time::{Duration, Instant},
};

use crate::{free_port, say_skipped};

pub use session::Session;

/// The superuser, who needs no password.
pub(crate) const USER: &str = "flow";

/// The database that all tests share.
const DATABASE: &str = "postgres";

/// Makes a server, says so, and waits: the end of its input is the end of the process that wants the server.
const SUPERVISE: &str = r#"
trap '' INT TERM HUP
bin=$1 user=$2
shift 2
place=$(mktemp -d /tmp/flow-postgres.XXXXXX)
end() { "$bin/pg_ctl" -D "$place/data" -m immediate stop; rm -rf "$place"; }
trap end EXIT
exec 3>&1 >"$place/out" 2>&1
fail() { cat "$place/out" "$place/log" >&3; exit 1; }
"$bin/initdb" -D "$place/data" -U "$user" --auth=trust --no-sync --no-locale --encoding=UTF8 || fail
printf '%s\n' 'host all guarded 127.0.0.1/32 scram-sha-256' 'host all barred 127.0.0.1/32 reject' \
    'host all all 127.0.0.1/32 trust' >"$place/data/pg_hba.conf"
start() {
    "$bin/pg_ctl" -w -D "$place/data" -l "$place/log" start -o "-p $1 -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories= -c fsync=off -c full_page_writes=off -c autovacuum=off -c max_connections=200"
}
until start "$1"; do
    [ $# -gt 1 ] || fail
    shift
done
echo "ready on $1" >&3
exec 3>&-
cat
"#;

/// A running server.
#[derive(Debug)]
pub struct Server {
    programs: PathBuf,
    port: u16,
    /// Its input is open as long as this process lives.
    _supervisor: Child,
}

/// The server that all tests of this process share. Each of them needs it: without PostgreSQL on this machine the first
/// says how many are skipped, and all are over.
///
/// # Panics
/// When the server cannot be started.
pub fn server() -> Option<&'static Server> {
    static SKIPPED: Once = Once::new();
    if find().is_none() {
        SKIPPED.call_once(|| say_skipped("PostgreSQL"));
    }
    find()
}

/// The same for tests that do with less where there is no PostgreSQL.
///
/// # Panics
/// When the server cannot be started.
pub fn find() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| programs().map(Server::start)).as_ref()
}

/// Where the server's programs are: on the path, or where Debian puts them, the newest first.
fn programs() -> Option<PathBuf> {
    let mut places: Vec<PathBuf> =
        env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    versions.sort();
    places.extend(versions.into_iter().rev());
    // A link leads to where all of them are.
    let initdb = places.into_iter().find_map(|place| place.join("initdb").canonicalize().ok())?;
    initdb.parent().map(Path::to_owned)
}

impl Server {
    #[expect(clippy::expect_used, reason = "a test cannot go on")]
    fn start(programs: PathBuf) -> Self {
        let mut command = as_nobody("sh");
        command
            .args(["-c", SUPERVISE, "sh"])
            .arg(&programs)
            .arg(USER)
            .args(iter::repeat_with(|| free_port().to_string()).take(4));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a shell");
        let mut said = String::new();
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        let port = loop {
            let before = said.len();
            let bytes = output.read_line(&mut said).expect("what the server says");
            assert!(bytes > 0, "PostgreSQL did not start:\n{said}");
            if let Some(port) = said[before..].trim_end().strip_prefix("ready on ") {
                break port.parse().expect("a port");
            }
        };
        Self { programs, port, _supervisor: child }
    }

    /// Where it listens, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of a table, for a flow.
    #[must_use]
    pub fn address(&self, rest: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/postgres?{rest}", self.port)
    }

    /// Runs SQL with `psql`, which shares no code with flow; says what it prints: a line a row, columns between `|`, null
    /// as `∅`.
    ///
    /// # Panics
    /// When a statement fails.
    #[must_use]
    pub fn ask(&self, sql: &str) -> String {
        self.ask_in(DATABASE, sql)
    }

    /// The same in another database than the one of everybody.
    ///
    /// # Panics
    /// When a statement fails.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test cannot go on")]
    pub fn ask_in(&self, database: &str, sql: &str) -> String {
        let output = self.psql(database).args(["-c", sql]).output().expect("psql");
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Runs SQL for what it does.
    ///
    /// # Panics
    /// When a statement fails.
    pub fn run(&self, sql: &str) {
        let _ = self.ask(sql);
    }

    /// A session that stays open.
    ///
    /// # Panics
    /// When it cannot be opened.
    #[must_use]
    pub fn session(&self) -> Session {
        Session::open(self.psql(DATABASE))
    }

    /// Waits until so many of flow's connections wait for a lock, each in a statement that holds this text.
    ///
    /// # Panics
    /// When that does not happen.
    pub fn await_waiting(&self, connections: usize, text: &str) {
        let sql = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'flow' AND wait_event_type = 'Lock' \
             AND query LIKE '%{text}%'"
        );
        let deadline = Instant::now() + Duration::from_secs(120);
        while self.ask(&sql) != connections.to_string() {
            assert!(Instant::now() < deadline, "{connections} loads do not wait in `{text}`");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Where a program of this PostgreSQL is: `psql`.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// `psql`, which prints a line a row, columns between `|`, null as `∅`.
    fn psql(&self, database: &str) -> Command {
        let mut command = Command::new(self.program("psql"));
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-P", "null=∅", "-h", "127.0.0.1", "-U", USER]);
        command.args(["-p", &self.port.to_string(), database]);
        command
    }
}

/// PostgreSQL refuses to run as root.
fn as_nobody(program: &str) -> Command {
    let is_root = fs::metadata("/proc/self").is_ok_and(|process| std::os::unix::fs::MetadataExt::uid(&process) == 0);
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", program]);
    command.current_dir("/");
    command
}
