//! A flow's program as its users run it: a process of its own, in a folder of its own.
//!
//! Nothing here waits without an end, and no process outlives its [`Running`].

#![expect(clippy::unwrap_used, reason = "a test that cannot do what it wants has failed")]

use std::{
    fs::{self, File},
    io::{Read, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;

/// How long a process or a condition is waited for: far longer than it takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Between two looks: whoever waits leaves the processor to what he waits for.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// What programs of tests are to believe, the certificate of an authority that nobody is: to read all that this system believes
/// takes a program that is not optimised half its time, and what it calls here speaks no TLS, or names a certificate.
const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/authority.pem");

/// A line of a web server's log: a hit of `host`.
#[must_use]
pub fn hit(host: &str) -> String {
    format!("{host} - - [01/Mar/2015:00:10:14 +0000] \"GET /x HTTP/1.0\" 200 5\n")
}

/// A row of the table `counts`.
pub type Counted = (Option<String>, i64);

/// Rows of the table `counts`, written briefly; `-` is null.
#[must_use]
pub fn counted(rows: &[(&str, i64)]) -> Vec<Counted> {
    rows.iter().map(|(host, count)| (Some((*host).to_owned()).filter(|host| host != "-"), *count)).collect()
}

/// Waits until `holds` gives something.
///
/// # Panics
/// When that takes too long.
pub fn until<T>(what: &str, mut holds: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = holds() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited too long until {what}");
        thread::sleep(LOOK_AGAIN);
    }
}

/// The folder in which a program runs, and the program.
#[derive(Debug)]
pub struct Place {
    folder: TempDir,
    program: &'static str,
}

impl Place {
    /// An empty folder for the program at the path `program`.
    ///
    /// # Panics
    /// If there is no place for temporary folders.
    #[must_use]
    pub fn new(program: &'static str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), program }
    }

    /// An empty folder in memory, where the system has such a place: for runs that die by the hundred. What a process has
    /// written when it is killed is there as it is on a disk.
    ///
    /// # Panics
    /// If there is no place for temporary folders.
    #[must_use]
    pub fn in_memory(program: &'static str) -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        Self { folder, program }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The path of a file in the folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes a file, or puts other bytes into it: it stays the same file.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Adds to the end of a file.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn append(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let mut file = File::options().append(true).create(true).open(self.path(name)).unwrap();
        file.write_all(bytes.as_ref()).unwrap();
    }

    /// What is in a file, as text; nothing if it is not there.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        fs::read(self.path(name)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// The names of what is in the folder, sorted.
    ///
    /// # Panics
    /// If it cannot be listed.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The program with these arguments, which are parted by blanks, ready to start in the folder.
    #[must_use]
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(self.program);
        command.args(arguments.split_whitespace());
        self.prepared(command)
    }

    /// As [`command`](Self::command), with `before` run by a shell first: `ulimit -v 100000`.
    #[must_use]
    pub fn command_after(&self, before: &str, arguments: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{before}; exec \"$0\" \"$@\""), self.program]);
        command.args(arguments.split_whitespace());
        self.prepared(command)
    }

    fn prepared(&self, mut command: Command) -> Command {
        command.current_dir(self.folder()).env_remove("COLUMNS").env_remove("RUST_BACKTRACE");
        command.env("SSL_CERT_FILE", AUTHORITY).env_remove("SSL_CERT_DIR");
        command
    }

    /// Runs the program to its end.
    ///
    /// # Panics
    /// If it cannot be started, or does not end.
    pub fn run(&self, arguments: &str) -> Ended {
        Running::start(self.command(arguments)).end()
    }

    /// Runs the program until an iteration is sealed: it is killed before anything of it is loaded.
    ///
    /// # Panics
    /// If it ends otherwise.
    pub fn seal(&self, arguments: &str) {
        let mut command = self.command(arguments);
        command.env("FLOW_FAULT", "store.seal#1:after:kill");
        let ended = Running::start(command).end();
        assert_eq!(ended.code, None, "{ended:?}");
    }

    /// Runs the program, which must succeed.
    ///
    /// # Panics
    /// If it fails.
    pub fn succeed(&self, arguments: &str) -> Ended {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended
    }

    /// Runs the program, which must fail with this code and say it well; see [`Ended::refusal`].
    ///
    /// # Panics
    /// If it succeeds, fails otherwise, or says it badly.
    pub fn refused(&self, arguments: &str, code: i32) -> String {
        self.run(arguments).refusal(code)
    }

    /// The table `counts` of the database `name`, by host; nothing if it is not there.
    ///
    /// # Panics
    /// If it is there and cannot be read.
    #[must_use]
    pub fn counts(&self, name: &str) -> Vec<Counted> {
        let Some(database) = self.database(name) else { return Vec::new() };
        let table = "SELECT count(*) FROM sqlite_schema WHERE name = 'counts'";
        if database.query_row(table, [], |row| row.get::<_, i64>(0)).unwrap() == 0 {
            return Vec::new();
        }
        let mut rows = database.prepare("SELECT ip, count FROM counts ORDER BY ip, count").unwrap();
        rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    }

    /// A database in the folder, to be read; nothing if it is not there.
    #[must_use]
    pub fn database(&self, name: &str) -> Option<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(self.path(name), flags).ok()
    }

    /// Changes a database in the folder.
    ///
    /// # Panics
    /// If that fails.
    pub fn sql(&self, name: &str, statements: &str) {
        Connection::open(self.path(name)).unwrap().execute_batch(statements).unwrap();
    }
}

/// A process under way; dropped, it is killed.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: Option<Receiver<Vec<u8>>>,
    stderr: Option<Receiver<Vec<u8>>>,
}

impl Running {
    /// Starts `command`; what it prints is kept, unless the command sends it elsewhere by `stdout` of its own.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self::spawn(command)
    }

    /// Starts `command`, its standard streams as they are set.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take().map(collect), child.stderr.take().map(collect));
        Self { child, stdout, stderr }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it stands still; `false` when it ended instead.
    ///
    /// # Panics
    /// If it does neither for long.
    #[must_use]
    pub fn stands_still(&self) -> bool {
        let stat = format!("/proc/{}/stat", self.id());
        until("the process stands still", || {
            let text = fs::read_to_string(&stat).ok()?;
            match text.rsplit_once(") ")?.1.chars().next()? {
                'T' => Some(true),
                'Z' => Some(false),
                _ => None,
            }
        })
    }

    /// Sends a signal by its name: `INT`.
    ///
    /// # Panics
    /// If it has ended and was waited for, or there is no shell.
    pub fn signal(&self, name: &str) {
        let status = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.id())]).status().unwrap();
        assert!(status.success());
    }

    /// Whether it has ended, and waits for somebody to hear of it.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap_or_default();
        stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If that does not come.
    #[must_use]
    pub fn end(mut self) -> Ended {
        // Its streams end with it.
        let read = |from: Option<Receiver<Vec<u8>>>| match from.map(|from| from.recv_timeout(PATIENCE)) {
            None => Vec::new(),
            Some(Ok(bytes)) => bytes,
            Some(Err(error)) => panic!("the process does not end: {error}"),
        };
        let (stdout, stderr) = (read(self.stdout.take()), read(self.stderr.take()));
        let status = until("the process ends", || self.child.try_wait().unwrap());
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ended { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended; its id is not given to another before it is waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads a stream to its end in a thread of its own, so that none fills up while the other is read.
fn collect(mut stream: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

/// What became of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it told people.
    pub stderr: String,
}

impl Ended {
    /// What it says when it failed: one line `error:`, perhaps one `help:`, nothing else; no port named twice.
    ///
    /// # Panics
    /// If it did not end with `code`, or says it otherwise.
    #[must_use]
    pub fn refusal(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        let lines: Vec<&str> = self.stderr.lines().collect();
        let is_well_formed = match lines.as_slice() {
            [error] => error.starts_with("error: "),
            [error, help] => error.starts_with("error: ") && help.starts_with("help: ") && help.len() > 10,
            _ => false,
        };
        assert!(is_well_formed, "{self:?}");
        for port in ["log", "hosts", "counts", "bad_lines"] {
            assert!(lines[0].matches(&format!("port `{port}`")).count() <= 1, "{self:?}");
        }
        assert!(lines[0].matches("(os error").count() <= 1 && !self.stderr.contains("panicked"), "{self:?}");
        self.stderr
    }

    /// The line of JSON that it printed last.
    ///
    /// # Panics
    /// If that is none.
    #[must_use]
    pub fn json(&self) -> Value {
        let line = self.stdout.lines().next_back().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
