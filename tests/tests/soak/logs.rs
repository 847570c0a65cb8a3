//! Log files as programs and `logrotate` leave them: they grow, lines wait for their end, names move on, old files are
//! compressed.

use std::{fs, mem, process::Command};

use flow_tests::program::Place;

/// The files that the flow reads, as its argument.
pub(crate) const ADDRESS: &str = "file:logs/*.csv*";

/// Most files that are written to at a time.
const LIVE_FILES_MAX: usize = 3;

/// Something that happens to the files. Which file is meant is a number, to be divided by how many there are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    /// Whole lines; of a line that was begun, its end before them.
    Append { file: usize, lines: u64 },
    /// The same, and a line is begun.
    AppendHalf { file: usize, lines: u64 },
    /// `app.csv` becomes `app.csv.1`, that `app.csv.2`, and so on; there is a new `app.csv`.
    Rotate { file: usize },
    /// A new file.
    Appear { lines: u64 },
    /// A rotated one is compressed.
    Compress { file: usize },
}

/// A file that is written to.
#[derive(Debug)]
struct Live {
    name: String,
    /// The line that was begun, as far as it is there.
    begun: String,
    /// The files that it was, the youngest first.
    rotated: Vec<Rotated>,
}

#[derive(Debug)]
struct Rotated {
    is_compressed: bool,
}

/// The files, and all lines that are whole.
#[derive(Debug)]
pub(crate) struct Logs {
    live: Vec<Live>,
    /// Lines that are not in [`take`](Self::take) yet.
    whole: String,
    /// The number of the next record.
    serial: u64,
}

impl Logs {
    pub(crate) fn new(place: &Place) -> Self {
        fs::create_dir(place.path("logs")).unwrap();
        let mut logs = Self { live: Vec::new(), whole: String::new(), serial: 0 };
        logs.change(place, Change::Appear { lines: 3 });
        logs
    }

    /// Records that were begun, the last ones perhaps not ended.
    pub(crate) fn records(&self) -> u64 {
        self.serial
    }

    pub(crate) fn files(&self) -> usize {
        self.live.iter().map(|live| 1 + live.rotated.len()).sum()
    }

    /// All lines that were ended since this was asked last.
    pub(crate) fn take(&mut self) -> String {
        mem::take(&mut self.whole)
    }

    pub(crate) fn change(&mut self, place: &Place, change: Change) {
        match change {
            Change::Append { file, lines } => self.append(place, file, lines, false),
            Change::AppendHalf { file, lines } => self.append(place, file, lines, true),
            Change::Rotate { file } => self.rotate(place, file),
            Change::Appear { lines } => {
                if self.live.len() < LIVE_FILES_MAX {
                    let name = format!("logs/app{}.csv", self.live.len());
                    self.live.push(Live { name, begun: String::new(), rotated: Vec::new() });
                }
                self.append(place, self.live.len() - 1, lines, false);
            }
            Change::Compress { file } => self.compress(place, file),
        }
    }

    /// Ends every line that was begun.
    pub(crate) fn end_lines(&mut self, place: &Place) {
        for file in 0..self.live.len() {
            self.append(place, file, 1, false);
        }
    }

    fn append(&mut self, place: &Place, file: usize, lines: u64, is_half: bool) {
        let file = file % self.live.len();
        let begun = mem::take(&mut self.live[file].begun);
        let mut bytes = String::new();
        if !begun.is_empty() {
            bytes += "9\n";
            self.whole += &begun;
        }
        (0..lines).for_each(|_| bytes += &self.next_line());
        self.whole += &bytes;
        if is_half {
            // Without its last digit and its end.
            let line = self.next_line();
            let begun = line[..line.len() - 2].to_owned();
            bytes += &begun;
            self.live[file].begun = begun;
        }
        place.append(&self.live[file].name, bytes);
    }

    /// A record; one in a dozen is none.
    fn next_line(&mut self) -> String {
        let serial = self.serial;
        self.serial += 1;
        let amount = 10 + serial * 7 % 90;
        match serial % 12 {
            0..4 => format!("{serial},key{},{amount}\n", serial % 5),
            4 => format!("{serial},,{amount}\n"),
            5..11 => format!("{serial},key-of-{serial},{amount}\n"),
            _ => format!("bad{serial}\n"),
        }
    }

    /// A line that was begun stays where it is: it is ended before the file is moved.
    fn rotate(&mut self, place: &Place, file: usize) {
        let file = file % self.live.len();
        if !self.live[file].begun.is_empty() {
            self.append(place, file, 0, false);
        }
        let live = &mut self.live[file];
        for (number, rotated) in live.rotated.iter().enumerate().rev() {
            let end = if rotated.is_compressed { ".gz" } else { "" };
            rename(place, &format!("{}.{}{end}", live.name, number + 1), &format!("{}.{}{end}", live.name, number + 2));
        }
        rename(place, &live.name, &format!("{}.1", live.name));
        live.rotated.insert(0, Rotated { is_compressed: false });
        place.append(&live.name, "");
    }

    fn compress(&mut self, place: &Place, file: usize) {
        let file = file % self.live.len();
        let live = &mut self.live[file];
        if let Some(number) = live.rotated.iter().rposition(|rotated| !rotated.is_compressed) {
            let path = place.path(&format!("{}.{}", live.name, number + 1));
            assert!(Command::new("gzip").arg(path).status().unwrap().success());
            live.rotated[number].is_compressed = true;
        }
    }
}

fn rename(place: &Place, from: &str, to: &str) {
    fs::rename(place.path(from), place.path(to)).unwrap();
}
