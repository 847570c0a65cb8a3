//! A source that says what a test wants it to say.

use std::{
    fmt,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use crate::{
    Error, Failure,
    source::{Framing, KnownShard, Moved, Next, Piece, Position, Reader, Reading, Shard, ShardFrom, SourceTap},
};

/// One shard whose reader says what a test wants it to say.
#[derive(Clone, Debug)]
pub(super) struct Scripted(Arc<Mutex<Script>>);

pub(super) struct Script(Box<dyn FnMut(usize) -> Said + Send>);

pub(super) enum Said {
    Lines(&'static str),
    /// So many bytes without a record.
    Moved(usize),
    Idle,
    Looking,
    Waiting,
    End,
    Failure,
    Panic,
    /// Waits as long as a reader may, and has nothing new.
    Wait,
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

/// A tap whose reader asks `say` for its first, second, … answer.
pub(super) fn scripted(say: impl FnMut(usize) -> Said + Send + 'static) -> Scripted {
    Scripted(Arc::new(Mutex::new(Script(Box::new(say)))))
}

impl SourceTap for Scripted {
    fn shards(&self, _known: &[KnownShard]) -> Result<Vec<ShardFrom>, Error> {
        let shard =
            Shard { id: "s".to_owned(), name: "shard".to_owned(), mark: String::new(), start: Position::counted(0) };
        Ok(vec![ShardFrom { from: shard.start.clone(), shard, until: None, covered_us: None, gap: None }])
    }

    fn open(&self, _shards: &[ShardFrom], _reading: Reading) -> Result<Box<dyn Reader>, Error> {
        Ok(Box::new(ScriptedReader { script: Arc::clone(&self.0), answers: 0, position: Position::counted(0) }))
    }
}

#[derive(Debug)]
struct ScriptedReader {
    script: Arc<Mutex<Script>>,
    answers: usize,
    position: Position,
}

impl Reader for ScriptedReader {
    fn next(&mut self, _buffer: Vec<u8>, wait: Duration) -> Result<Next, Error> {
        let said = (self.script.lock().unwrap().0)(self.answers);
        self.answers += 1;
        match said {
            Said::Lines(lines) => {
                let to = self.position.after(lines.len());
                let from = std::mem::replace(&mut self.position, to.clone());
                let bytes = lines.as_bytes().to_vec();
                let starts_shard = from.count() == Some(0);
                Ok(Next::Piece(Piece {
                    shard: 0,
                    bytes,
                    framing: Framing::Lines,
                    from,
                    to,
                    starts_shard,
                    arrived: None,
                }))
            }
            Said::Moved(bytes) => {
                self.position = self.position.after(bytes);
                Ok(Next::Moved(Moved { shard: 0, to: self.position.clone(), covered_us: Some(7) }))
            }
            Said::Idle => Ok(Next::Idle),
            Said::Looking => Ok(Next::Looking),
            Said::Waiting => Ok(Next::Waiting),
            Said::End => Ok(Next::End),
            Said::Failure => Err(Error::Input(Failure::new("the disk is gone").at("shard"))),
            Said::Panic => panic!("a reader's own fault"),
            Said::Wait => {
                let (_silent, nothing) = mpsc::channel::<()>();
                let _ = nothing.recv_timeout(wait);
                Ok(Next::Idle)
            }
        }
    }
}
