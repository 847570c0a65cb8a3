//! Lines to publish: of a file, of standard input, or made up. A thread reads ahead, so that what has come is sent while a
//! pipe is silent; when nobody wants more it is left behind.

use std::{
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    str::FromStr,
    sync::mpsc::{self, Receiver, SyncSender},
    thread,
};

use flow_samples::LogLines;

use crate::{Error, Failure, aws::limits::RECORD_BYTES_MAX, effect::disk};

/// Lines that are read ahead.
const AHEAD: usize = 2_000;

/// Where lines come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum From {
    File(PathBuf),
    Stdin,
    /// A web server's log that goes on without end: the same seed gives the same lines.
    Generated {
        seed: u64,
    },
}

impl FromStr for From {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':').unwrap_or((text, "1")) {
            ("-", _) if text == "-" => Ok(Self::Stdin),
            ("generated", seed) => match seed.parse() {
                Ok(seed) => Ok(Self::Generated { seed }),
                Err(_) => Err("write it as generated, or generated:7 for other lines".to_owned()),
            },
            _ if text.is_empty() => Err("the path is missing".to_owned()),
            _ => Ok(Self::File(text.into())),
        }
    }
}

/// Lines as they come, without their ends; the last one is a failure if there is one.
pub(crate) type Lines = Receiver<io::Result<Vec<u8>>>;

impl From {
    /// How many bytes there are to read, if that is known.
    pub(crate) fn bytes(&self) -> Option<u64> {
        match self {
            Self::File(path) => {
                disk::metadata("publish.file", path).ok().filter(|file| file.is_file()).map(|f| f.len())
            }
            Self::Stdin | Self::Generated { .. } => None,
        }
    }

    /// Begins to read.
    ///
    /// # Errors
    /// When the file cannot be opened, or there is no thread to read it.
    pub(crate) fn lines(&self) -> Result<Lines, Error> {
        match self {
            Self::File(path) => {
                let file = disk::File::open("publish.file", path).map_err(|error| failed(path, error))?;
                ahead(move |lines| send_lines(BufReader::with_capacity(256 * 1024, file), lines))
            }
            Self::Stdin => ahead(|lines| send_lines(io::stdin().lock(), lines)),
            Self::Generated { seed } => {
                let mut log = LogLines::new(*seed);
                ahead(move |lines| while lines.send(Ok(without_end(log.next_line().to_vec()))).is_ok() {})
            }
        }
    }
}

fn failed(path: &Path, error: io::Error) -> Error {
    Error::Input(Failure::new("cannot open the file").at(path.display().to_string()).cause(error).help("check --from"))
}

fn ahead(send: impl FnOnce(&SyncSender<io::Result<Vec<u8>>>) + Send + 'static) -> Result<Lines, Error> {
    let (sender, lines) = mpsc::sync_channel(AHEAD);
    let thread = thread::Builder::new().name("lines".to_owned()).spawn(move || send(&sender));
    thread
        .map(|_| lines)
        .map_err(|error| Error::Input(Failure::new("cannot start a thread that reads ahead").cause(error)))
}

/// Sends one line after the other, until there is none, or nobody wants more.
fn send_lines(mut input: impl BufRead, lines: &SyncSender<io::Result<Vec<u8>>>) {
    for number in 1_u64.. {
        let mut line = Vec::new();
        // A line end more than a record may have.
        let read = input.by_ref().take(RECORD_BYTES_MAX as u64 + 2).read_until(b'\n', &mut line);
        let line = match read {
            Ok(0) => return,
            Ok(_) => without_end(line),
            Err(error) => return drop(lines.send(Err(error))),
        };
        let is_too_long = line.len() > RECORD_BYTES_MAX;
        let line = if is_too_long { Err(too_long(number)) } else { Ok(line) };
        if lines.send(line).is_err() || is_too_long {
            return;
        }
    }
}

fn too_long(number: u64) -> io::Error {
    io::Error::other(format!("line {number} has more than {RECORD_BYTES_MAX} bytes, which no record of a stream holds"))
}

/// The line without `\n` or `\r\n` at its end.
fn without_end(mut line: Vec<u8>) -> Vec<u8> {
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(text: &'static [u8]) -> Vec<Vec<u8>> {
        ahead(move |lines| send_lines(text, lines)).unwrap().iter().map(Result::unwrap).collect()
    }

    #[test]
    fn a_record_is_a_line_without_its_end_and_the_last_needs_none() {
        assert_eq!(lines_of(b"a\r\n\n\xffb\nc"), [b"a".to_vec(), b"".to_vec(), b"\xffb".to_vec(), b"c".to_vec()]);
        assert_eq!(lines_of(b""), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn a_line_that_no_record_holds_ends_the_reading_with_its_number() {
        let text = [b"a\n".to_vec(), vec![b'x'; RECORD_BYTES_MAX + 1], b"\nb\n".to_vec()].concat();
        let lines: Vec<_> = ahead(move |lines| send_lines(text.as_slice(), lines)).unwrap().iter().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[1].as_ref().unwrap_err().to_string().starts_with("line 2 has more than"));
    }

    #[test]
    fn generated_lines_are_those_of_the_seed() {
        let mut log = LogLines::new(7);
        let expected: Vec<Vec<u8>> = (0..100).map(|_| without_end(log.next_line().to_vec())).collect();
        let lines = "generated:7".parse::<From>().unwrap().lines().unwrap();
        assert_eq!(lines.iter().take(100).map(Result::unwrap).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn where_lines_come_from_is_a_path_unless_it_is_one_of_two_words() {
        assert_eq!("-".parse(), Ok(From::Stdin));
        assert_eq!("generated".parse(), Ok(From::Generated { seed: 1 }));
        assert_eq!("./generated".parse(), Ok(From::File("./generated".into())));
        assert_eq!("a:b".parse(), Ok(From::File("a:b".into())));
        assert!("generated:x".parse::<From>().is_err() && "".parse::<From>().is_err());
    }
}
