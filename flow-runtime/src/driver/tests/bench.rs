//! A folder with a flow's inputs, targets and store, and a world in which every effect can fail.

use std::{
    cell::{Cell, RefCell},
    fmt, fs,
    path::PathBuf,
};

use rusqlite::Connection;
use tempfile::TempDir;

use super::super::{surroundings::Moment, *};
use super::flow::WordTotals;
use crate::{
    Failure, Sink, Source, Table, Trap,
    iteration::{IterationRow, State, iterations},
};

/// The inputs, targets and store of one test.
pub(super) struct Bench {
    pub(super) folder: TempDir,
    pub(super) world: World,
    pub(super) bounds: Bounds,
    pub(super) stop: Arc<AtomicBool>,
}

impl Bench {
    /// Two hosts in the table, and `lines` in the source.
    pub(super) fn new(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bench = Self { folder, world: World::default(), bounds: Bounds::default(), stop: Arc::default() };
        fs::create_dir(bench.path("target")).unwrap();
        fs::write(bench.path("hosts.txt"), "x\ny\n").unwrap();
        bench.append(lines);
        bench
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn append(&self, lines: &str) {
        use std::io::Write as _;
        let mut file = fs::File::options().append(true).create(true).open(self.path("lines.log")).unwrap();
        file.write_all(lines.as_bytes()).unwrap();
    }

    pub(super) fn flow(&self) -> WordTotals {
        let address = |name: &str, more: &str| format!("file:{}{more}", self.path(name).display());
        WordTotals {
            lines: Source::at(address("*.log", "")),
            hosts: Table::at(address("hosts.txt", "")),
            out: Sink::at(address("target/out.csv", "?header=false")),
            totals: Sink::at(format!("sqlite:{}?table=totals", self.path("target/totals.db").display())).merge(),
            bad: Trap::at(address("target/bad.csv", "?header=false")),
        }
    }

    pub(super) fn options(&self) -> Options {
        Options {
            workers: NonZeroUsize::new(2).unwrap(),
            bounds: self.bounds,
            memory_bytes: None,
            checkpoint: Checkpoint::Sqlite(self.path("store.db")),
            stop: Arc::clone(&self.stop),
            progress: Arc::default(),
        }
    }

    pub(super) fn run(&self) -> Result<Outcome, Error> {
        run_in(&self.flow(), &self.options(), &self.world)
    }

    pub(super) fn run_without_store(&self, flow: &WordTotals) -> Result<Outcome, Error> {
        run_in(flow, &Options { checkpoint: Checkpoint::None, ..self.options() }, &self.world)
    }

    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// The lines that went out.
    pub(super) fn out(&self) -> String {
        self.read("target/out.csv")
    }

    /// `word=count …`
    pub(super) fn totals(&self) -> String {
        let path = self.path("target/totals.db");
        if !path.exists() {
            return String::new();
        }
        let connection = Connection::open(path).unwrap();
        let mut statement = connection.prepare("SELECT word, count FROM totals ORDER BY word").unwrap();
        let rows = statement.query_map([], |row| Ok(format!("{}={}", row.get::<_, String>(0)?, row.get::<_, i64>(1)?)));
        rows.unwrap().collect::<Result<Vec<_>, _>>().unwrap().join(" ")
    }

    /// How many records were trapped.
    pub(super) fn trapped(&self) -> usize {
        self.read("target/bad.csv").lines().count()
    }

    pub(super) fn list(&self) -> Vec<IterationRow> {
        iterations(&self.path("store.db"), "word_totals").unwrap()
    }

    pub(super) fn states(&self) -> Vec<State> {
        self.list().iter().map(|row| row.state).collect()
    }

    /// The attempts that have something staged.
    pub(super) fn staged(&self) -> usize {
        fs::read_dir(self.path("store.db.staging/word_totals")).unwrap().count()
    }
}

/// Told of each moment; says whether the process lives on.
type Hook = Box<dyn FnMut(&'static str, Moment) -> bool>;

/// A world in which time goes on by a second whenever it is asked for, and the process may stop at any effect.
pub(super) struct World {
    ids: Cell<u64>,
    seconds: Cell<i64>,
    hook: RefCell<Hook>,
    is_dead: Cell<bool>,
}

impl Default for World {
    fn default() -> Self {
        let hook: Hook = Box::new(|_, _| true);
        Self { ids: Cell::default(), seconds: Cell::default(), hook: RefCell::new(hook), is_dead: Cell::default() }
    }
}

impl World {
    /// Has `hook` told of each moment from now on, in a process that lives.
    pub(super) fn watch(&self, hook: impl FnMut(&'static str, Moment) -> bool + 'static) {
        self.is_dead.set(false);
        *self.hook.borrow_mut() = Box::new(hook);
    }

    /// Starts the process anew; it will live.
    pub(super) fn restart(&self) {
        self.watch(|_, _| true);
    }

    /// Stops the process at a moment of an effect.
    pub(super) fn die_at(&self, effect: &'static str, moment: Moment) {
        self.watch(move |name, when| (name, when) != (effect, moment));
    }

    /// Does `act` at a moment of an effect.
    pub(super) fn act_at(&self, effect: &'static str, moment: Moment, act: impl Fn() + 'static) {
        self.watch(move |name, when| {
            if (name, when) == (effect, moment) {
                act();
            }
            true
        });
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

impl Surroundings for World {
    fn now_us(&self) -> i64 {
        self.seconds.set(self.seconds.get() + 1);
        self.seconds.get() * 1_000_000
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn id(&self) -> String {
        self.ids.set(self.ids.get() + 1);
        format!("id{}", self.ids.get())
    }

    fn owner(&self) -> String {
        "pid 4711".to_owned()
    }

    fn permit(&self, effect: &'static str, moment: Moment) -> Result<(), Error> {
        if self.is_dead.get() || !(self.hook.borrow_mut())(effect, moment) {
            // From here on nothing happens any more, clean-up included.
            self.is_dead.set(true);
            return Err(Error::Store(Failure::new(format!("the process died {moment:?} {effect}"))));
        }
        Ok(())
    }
}
