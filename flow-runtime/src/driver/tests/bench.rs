//! A folder with a flow's inputs, targets and store, and a world in which every effect can fail.

use std::{
    fmt, fs,
    path::PathBuf,
    sync::{Mutex, atomic::AtomicU64},
};

use rusqlite::Connection;
use tempfile::TempDir;

use super::super::*;
use super::{flow::WordTotals, forgetful::ForgetfulDisk};
use crate::{
    Sink, Source, Table, Trap,
    effect::{Broken, Effect, Moment, Mutant, World, in_world},
    iteration::{IterationRow, State, iterations},
};

/// The inputs, targets and store of one test.
pub(super) struct Bench {
    pub(super) folder: TempDir,
    pub(super) world: Arc<TestWorld>,
    pub(super) bounds: Bounds,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) drain: Arc<AtomicBool>,
    pub(super) progress: Arc<Progress>,
}

impl Bench {
    /// Two hosts in the table, and `lines` in the source.
    pub(super) fn new(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bench = Self {
            folder,
            world: Arc::default(),
            bounds: Bounds::default(),
            stop: Arc::default(),
            drain: Arc::default(),
            progress: Arc::default(),
        };
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
            take_tail: false,
            checkpoint: Checkpoint::Sqlite(self.path("store.db")),
            gaps: Gaps::Refuse,
            stop: Arc::clone(&self.stop),
            drain: Arc::clone(&self.drain),
            progress: Arc::clone(&self.progress),
        }
    }

    pub(super) fn run(&self) -> Result<Outcome, Error> {
        self.run_flow(&self.flow(), &self.options())
    }

    pub(super) fn run_without_store(&self, flow: &WordTotals) -> Result<Outcome, Error> {
        self.run_flow(flow, &Options { checkpoint: Checkpoint::None, ..self.options() })
    }

    pub(super) fn run_flow(&self, flow: &WordTotals, options: &Options) -> Result<Outcome, Error> {
        self.in_world(|| run(flow, options))
    }

    pub(super) fn in_world<T>(&self, act: impl FnOnce() -> T) -> T {
        in_world(Arc::clone(&self.world) as Arc<dyn World>, act)
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
type Hook = Box<dyn FnMut(&str, Moment) -> bool + Send>;

/// What a hook is told when time is let go by.
pub(super) const SLEEP: &str = "sleep";

/// A world in which time goes on by a second whenever it is asked for, and the process may stop at any effect.
#[derive(Default)]
pub(super) struct TestWorld {
    ids: AtomicU64,
    seconds: AtomicU64,
    slept: Mutex<Duration>,
    hook: Mutex<Option<Hook>>,
    is_dead: AtomicBool,
    disk: Mutex<Option<ForgetfulDisk>>,
    mutant: Mutex<Option<Mutant>>,
}

impl TestWorld {
    /// Has `hook` told of each moment from now on, in a process that lives.
    pub(super) fn watch(&self, hook: impl FnMut(&str, Moment) -> bool + Send + 'static) {
        self.restart();
        *self.hook.lock().unwrap() = Some(Box::new(hook));
    }

    /// The time that was let go by.
    pub(super) fn slept(&self) -> Duration {
        *self.slept.lock().unwrap()
    }

    /// Starts the process anew; it will live.
    pub(super) fn restart(&self) {
        self.is_dead.store(false, Ordering::Relaxed);
        *self.hook.lock().unwrap() = None;
    }

    /// Lets time go by.
    #[cfg(feature = "aws")]
    pub(super) fn pass(&self, time: Duration) {
        self.seconds.fetch_add(time.as_secs(), Ordering::Relaxed);
    }

    /// Has `disk` told of what is synced.
    pub(super) fn stand_on(&self, disk: ForgetfulDisk) {
        *self.disk.lock().unwrap() = Some(disk);
    }

    /// The power fails.
    pub(super) fn crash(&self) {
        self.disk.lock().unwrap().take().unwrap().crash();
    }

    /// Breaks the flow on purpose.
    pub(super) fn break_by(&self, mutant: Option<Mutant>) {
        *self.mutant.lock().unwrap() = mutant;
    }

    /// Stops the process at a moment of an effect.
    pub(super) fn die_at(&self, effect: &'static str, moment: Moment) {
        self.watch(move |name, when| (name, when) != (effect, moment));
    }

    /// Does `act` at a moment of an effect.
    pub(super) fn act_at(&self, effect: &'static str, moment: Moment, act: impl Fn() + Send + 'static) {
        self.watch(move |name, when| {
            if (name, when) == (effect, moment) {
                act();
            }
            true
        });
    }
}

impl fmt::Debug for TestWorld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TestWorld")
    }
}

impl World for TestWorld {
    fn now_us(&self) -> i64 {
        i64::try_from(self.seconds.fetch_add(1, Ordering::Relaxed) + 1).unwrap() * 1_000_000
    }

    fn elapsed(&self) -> Duration {
        *self.slept.lock().unwrap()
    }

    fn sleep(&self, time: Duration) {
        *self.slept.lock().unwrap() += time;
        if let Some(hook) = &mut *self.hook.lock().unwrap() {
            hook(SLEEP, Moment::After);
        }
    }

    fn id(&self) -> String {
        format!("id{}", self.ids.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn owner(&self) -> String {
        "pid 4711".to_owned()
    }

    fn mutant(&self) -> Option<Mutant> {
        *self.mutant.lock().unwrap()
    }

    fn permit(&self, effect: &Effect<'_>, moment: Moment) -> Result<(), Broken> {
        if let (Some(disk), Moment::After) = (&mut *self.disk.lock().unwrap(), moment) {
            disk.note(effect);
        }
        let mut hook = self.hook.lock().unwrap();
        let lives = |hook: &mut Hook| hook(&effect.to_string(), moment);
        if self.is_dead.load(Ordering::Relaxed) || !hook.as_mut().is_none_or(lives) {
            self.is_dead.store(true, Ordering::Relaxed);
            return Err(effect.broken(moment));
        }
        Ok(())
    }
}

/// How many flows that die run at once: most of the time they wait for the disk.
const THREADS: usize = 8;

/// The moments that `act` passes.
pub(super) fn moments_of(bench: &Bench, act: impl FnOnce(&Bench) -> Result<(), Error>) -> Vec<(String, Moment)> {
    let passed = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&passed);
    bench.world.watch(move |effect, moment| {
        seen.lock().unwrap().push((effect.to_owned(), moment));
        true
    });
    act(bench).unwrap();
    bench.world.restart();
    std::mem::take(&mut passed.lock().unwrap())
}

/// Does `act` for each moment, given how many come before it; of those that come many times alike, as reads do, for the
/// first and the last.
pub(super) fn die_at_each(moments: &[(String, Moment)], act: impl Fn(&(String, Moment), usize) + Sync) {
    let is_taken = |(index, moment): &(usize, &(String, Moment))| {
        !moments[..*index].contains(moment) || !moments[index + 1..].contains(moment)
    };
    let taken: Vec<_> = moments.iter().enumerate().filter(is_taken).collect();
    thread::scope(|threads| {
        for some in taken.chunks(taken.len().div_ceil(THREADS)) {
            let act = &act;
            threads.spawn(move || some.iter().for_each(|(index, moment)| act(moment, *index)));
        }
    });
}
