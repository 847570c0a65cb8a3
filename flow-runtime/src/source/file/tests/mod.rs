//! Files as sources: what happens to a file that grows, moves, shrinks or goes, from iteration to iteration.

mod broken;
mod compressed;
mod exact;
mod growing;
mod refused;
mod rotated;

use std::{fs, io::Write as _, path::PathBuf, time::Duration};

use tempfile::TempDir;
use xxhash_rust::xxh3::Xxh3;

use super::*;
use crate::source::{LastRead, Next, Position, Shard};

/// A folder with files, an address, and what a store would remember of the files.
struct Folder {
    dir: TempDir,
    tap: FileTap,
    known: Vec<KnownShard>,
    reading: Reading,
}

/// What an iteration read: the names of files and their new text, in reading order, without those that have none.
type Texts = Vec<(String, String)>;

impl Folder {
    /// `address` is the path in the folder, with options.
    fn new(address: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let tap = tap(&format!("file:{}/{address}", dir.path().display()));
        Self { dir, tap, known: Vec::new(), reading: Reading::default() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn append(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let mut file = fs::OpenOptions::new().append(true).create(true).open(self.path(name)).unwrap();
        file.write_all(bytes.as_ref()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn copy(&self, from: &str, to: &str) {
        fs::copy(self.path(from), self.path(to)).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    /// As if nobody had written to it for an hour.
    fn age(&self, name: &str) {
        let file = fs::OpenOptions::new().append(true).open(self.path(name)).unwrap();
        file.set_modified(std::time::SystemTime::now() - Duration::from_secs(3600)).unwrap();
    }

    fn shards(&self) -> Result<Vec<ShardFrom>, Error> {
        self.tap.shards(&self.known)
    }

    /// Reads all that is new, and remembers it.
    fn read(&mut self) -> Texts {
        self.try_read(usize::MAX).unwrap()
    }

    /// Reads at most so many pieces, and remembers them.
    fn try_read(&mut self, pieces: usize) -> Result<Texts, Error> {
        let shards = self.shards()?;
        let mut read: Vec<Vec<u8>> = vec![Vec::new(); shards.len()];
        let mut next: Vec<Position> = shards.iter().map(|shard| shard.from.clone()).collect();
        let mut reader = self.tap.open(&shards, self.reading)?;
        let mut buffer = Vec::new();
        for _ in 0..pieces {
            let Next::Piece(piece) = reader.next(buffer, Duration::ZERO)? else { break };
            assert_eq!(piece.from, next[piece.shard], "pieces of a shard follow each other");
            assert_eq!(piece.to, piece.from.after(piece.bytes.len()));
            assert_eq!(piece.starts_shard, piece.from == shards[piece.shard].shard.start);
            read[piece.shard].extend(&piece.bytes);
            next[piece.shard] = piece.to;
            buffer = piece.bytes;
        }
        let mut texts = Vec::new();
        for ((from, next), bytes) in shards.into_iter().zip(next).zip(read) {
            let name = from.shard.name.strip_prefix(self.dir.path().to_str().unwrap()).unwrap()[1..].to_owned();
            self.remember(from, next, &bytes);
            if !bytes.is_empty() {
                texts.push((name, String::from_utf8(bytes).unwrap()));
            }
        }
        Ok(texts)
    }

    fn remember(&mut self, from: ShardFrom, next: Position, bytes: &[u8]) {
        let ShardFrom { shard: Shard { id, name, mark, .. }, from: first, .. } = from;
        let mut hash = Xxh3::new();
        hash.update(bytes);
        let hash = format!("{:032x}", hash.digest128());
        let last = (first != next).then(|| LastRead { first, next: next.clone(), hash });
        match self.known.iter_mut().find(|known| known.id == id) {
            Some(known) => {
                let last = last.or_else(|| known.last.take());
                *known = KnownShard { id, name, mark, next, last, covered_us: None };
            }
            None => self.known.push(KnownShard { id, name, mark, next, last, covered_us: None }),
        }
    }

    fn held(&self) -> String {
        match self.shards() {
            Err(error @ Error::Held(_)) => error.to_string(),
            other => panic!("not held: {other:?}"),
        }
    }
}

fn tap(address: &str) -> FileTap {
    FileTap::open(&address.parse().unwrap()).unwrap()
}

/// `[("a.log", "text")]` as an iteration says it.
fn texts<const N: usize>(texts: [(&str, &str); N]) -> Texts {
    texts.map(|(name, text)| (name.to_owned(), text.to_owned())).into()
}

/// Lines that no other call gives, some bytes more than asked for.
fn lines(what: &str, bytes: usize) -> String {
    let mut text = String::new();
    for number in 0.. {
        if text.len() >= bytes {
            break;
        }
        text += &format!("{what} line {number}\n");
    }
    text
}
