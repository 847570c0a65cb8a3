//! The line on the terminal that moves while a flow runs, and is gone when it ends.

use std::{
    env,
    io::{self, IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::units;
use crate::{
    driver::{Options, Progress},
    effect::clock,
};

/// Time between two redraws.
const TICK: Duration = Duration::from_millis(100);

// What terminals understand. While wrapping is off a narrow one shows the beginning of the text. The cursor rests at the
// line's beginning, so that it stays one line, whatever the terminal echoes: the `^C` of a Ctrl-C.
const CLEAR: &str = "\x1b[K";
const NO_WRAP: &str = "\x1b[?7l";
const WRAP: &str = "\x1b[?7h";

/// The line; it is taken away when this is dropped.
#[derive(Debug)]
pub(super) struct Line {
    /// Nothing is ever sent: dropping it wakes and ends the thread.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Line {
    /// Whether stderr is a terminal that can show it.
    pub(super) fn is_possible() -> bool {
        io::stderr().is_terminal() && env::var_os("TERM").is_some_and(|name| name != "dumb")
    }

    /// Shows how a run goes.
    pub(super) fn start(options: &Options) -> Self {
        let (progress, stop) = (Arc::clone(&options.progress), Arc::clone(&options.stop));
        let mut meter = Meter::new(clock::elapsed());
        Self::show(move || text(&progress, &stop, &mut meter, clock::elapsed()))
    }

    /// Shows the line on stderr from now on; without a thread to spare there is none.
    pub(super) fn show(mut text: impl FnMut() -> String + Send + 'static) -> Self {
        let (end, ended) = mpsc::channel();
        let redraw = move || {
            while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                write(&format!("{NO_WRAP}{}{CLEAR}{WRAP}\r", text()));
            }
            write(CLEAR);
        };
        Self { end: Some(end), thread: thread::Builder::new().name("progress".to_owned()).spawn(redraw).ok() }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// In one piece, so that other output never stands between a line and the end of its escapes.
fn write(line: &str) {
    // Nobody is left to show it to when stderr is gone.
    let _ = io::stderr().write_all(line.as_bytes());
}

/// `reading  1,234,567 records  85.3 MB/s  12 trapped  3.21 s  2 h 0 min behind`.
fn text(progress: &Progress, stop: &AtomicBool, meter: &mut Meter, now: Duration) -> String {
    if stop.load(Ordering::Relaxed) {
        return "stopping; Ctrl-C again ends it at once".to_owned();
    }
    let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let phase = progress.phase();
    let rate = meter.bytes_per_second(load(&progress.bytes), now);
    let behind = progress.arrived_us().map(|since| behind(clock::now_us().saturating_sub(since)));
    format!(
        "{phase}  {}  {:.1} MB/s  {} trapped  {}{}",
        units::counted(load(&progress.records), "record"),
        rate / 1e6,
        units::count(load(&progress.trapped)),
        units::elapsed(now - meter.begun),
        behind.unwrap_or_default(),
    )
}

/// How old the records are that are read from a stream.
fn behind(age_us: i64) -> String {
    let age = Duration::from_micros(u64::try_from(age_us).unwrap_or(0));
    if age < Duration::from_secs(1) { String::new() } else { format!("  {} behind", units::elapsed(age)) }
}

/// Measures the speed of the last second or two, so that a person sees when it stalls.
#[derive(Debug)]
struct Meter {
    begun: Duration,
    /// What was known one and two seconds ago.
    marks: [(Duration, u64); 2],
}

impl Meter {
    fn new(now: Duration) -> Self {
        Self { begun: now, marks: [(now, 0); 2] }
    }

    fn bytes_per_second(&mut self, bytes: u64, now: Duration) -> f64 {
        let [_, late] = self.marks;
        if now - late.0 >= Duration::from_secs(1) {
            self.marks = [late, (now, bytes)];
        }
        let (then, before) = self.marks[0];
        let seconds = (now - then).as_secs_f64().max(1e-3);
        bytes.saturating_sub(before) as f64 / seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_phase_records_speed_and_trapped() {
        let (begun, progress, stop) = (Duration::from_secs(7), Progress::default(), AtomicBool::new(false));
        progress.records.store(1_234_567, Ordering::Relaxed);
        progress.bytes.store(50_000_000, Ordering::Relaxed);
        progress.trapped.store(12, Ordering::Relaxed);
        let now = begun + Duration::from_millis(500);
        let line = text(&progress, &stop, &mut Meter::new(begun), now);
        assert_eq!(line, "reading  1,234,567 records  100.0 MB/s  12 trapped  0.50 s");
        assert_eq!(behind(7_200_000_000), "  2 h 0 min behind");
        assert_eq!(behind(-1) + &behind(999_999), "");
        stop.store(true, Ordering::Relaxed);
        assert!(text(&progress, &stop, &mut Meter::new(begun), now).starts_with("stopping"));
    }

    #[test]
    fn the_speed_falls_to_nothing_when_nothing_comes() {
        let begun = Duration::from_secs(7);
        let mut meter = Meter::new(begun);
        let mut rates = Vec::new();
        for (second, bytes) in [(1, 100), (2, 200), (3, 200), (4, 200), (5, 200)] {
            rates.push(meter.bytes_per_second(bytes, begun + Duration::from_secs(second)));
        }
        assert_eq!(rates[..2], [100.0, 100.0]);
        assert_eq!(rates[3..], [0.0, 0.0]);
    }
}
