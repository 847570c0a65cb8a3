//! Reads all shards side by side, each in a task of its own, and hands on what they say.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    sync::{
        OnceCell, Semaphore,
        mpsc::{self, error::TryRecvError},
        watch,
    },
    task::JoinSet,
    time::timeout,
};

use super::{
    mark::Mark,
    pace::Paces,
    page::{ShardRead, Wanted},
    place::Place,
    service::Service,
    shard::{Ended, ShardReader},
    watch::Watch,
};
use crate::{
    Error, Failure,
    aws::wait,
    effect::accompanied,
    source::{Moved, Next, Piece, Position, Reader, Reading, ShardFrom},
};

/// Reads that may be under way, or wait to be handed on: each may hold ten megabytes.
const READS_AT_ONCE: usize = 16;

/// What may wait to be taken.
const SAID_MAX: usize = 8;

/// Buffers that are kept to be filled again.
const SPARE_MAX: usize = 32;

/// Buffers of pieces that are done with.
pub(super) type Spare = Arc<Mutex<Vec<Vec<u8>>>>;

/// How shards are read.
#[derive(Clone, Debug)]
pub(super) struct How {
    /// No faster than this.
    pub(super) paces: Arc<Paces>,
    /// The ARN of the consumer to which they are pushed instead.
    pub(super) consumer: Option<Arc<str>>,
}

/// What the task of a shard has to say.
#[derive(Debug)]
pub(super) enum Said {
    Piece(Piece),
    Moved(Moved),
    At(usize, State),
    Failed(Error),
}

/// How far a shard is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The service has not answered yet.
    Unheard,
    /// More may be there.
    Reading,
    /// It was read to where it ended then.
    AtRest,
    /// Nothing more is to be read of it.
    Ended,
}

/// Reads shards; they are read no further when it is dropped.
#[derive(Debug)]
pub(super) struct Shards {
    said: mpsc::Receiver<Said>,
    states: Vec<State>,
    /// Aborted when they are dropped.
    tasks: JoinSet<()>,
    spare: Spare,
    once: bool,
    has_rested: bool,
}

impl Shards {
    /// Begins to read; to be called where a runtime runs.
    pub(super) fn start<S: Service>(
        service: &Arc<S>,
        shards: &[ShardFrom],
        how: &How,
        reading: Reading,
    ) -> Result<Self, Error> {
        let (sender, said) = mpsc::channel(SAID_MAX);
        let (spare, reads) = (Spare::default(), Arc::new(Semaphore::new(READS_AT_ONCE)));
        let mut ends: HashMap<String, watch::Receiver<Option<Ended>>> = HashMap::new();
        let watch = Arc::new(Watch { service: Arc::clone(service), retention: OnceCell::new() });
        let mut tasks = JoinSet::new();
        let mut states = Vec::new();
        for (index, shard) in shards.iter().enumerate() {
            let Mark { id, parents, hash_keys, is_closed } = Mark::of(&shard.shard)?;
            let wanted = Wanted { from: place(shard, &shard.from)?, until: until(shard)? };
            let has_ended = wanted.from == Place::End || wanted.until.as_ref() == Some(&wanted.from);
            let (ended, end) = watch::channel(has_ended.then_some(Ended { covered_us: shard.covered_us }));
            // Parents come before their children; one that is not among them is read.
            let parents: Vec<_> = parents.iter().filter_map(|parent| ends.get(parent).cloned()).collect();
            ends.insert(id.clone(), end);
            states.push(match () {
                () if has_ended => State::Ended,
                // It is asked for only when these are read: that is a step on, too.
                () if parents.iter().any(|parent| parent.borrow().is_none()) => State::Reading,
                () => State::Unheard,
            });
            let pace = how.paces.shard(&id);
            let reader = ShardReader {
                service: Arc::clone(service),
                id,
                of: ShardRead { index, name: shard.shard.name.clone(), hash_keys },
                wanted,
                is_closed,
                covered_us: shard.covered_us,
                consumer: how.consumer.clone(),
                pace,
                is_look: reading.is_look,
                parents,
                ended,
                watch: Arc::clone(&watch),
                reads: Arc::clone(&reads),
                said: sender.clone(),
                spare: Arc::clone(&spare),
                complained: None,
                was_heard: false,
            };
            if !has_ended {
                tasks.spawn(accompanied(reader.run()));
            }
        }
        Ok(Self { said, states, tasks, spare, once: reading.once, has_rested: false })
    }

    /// What a shard has to say next, within `patience`.
    pub(super) async fn next(&mut self, buffer: Vec<u8>, patience: Duration) -> Result<Next, Error> {
        self.keep(buffer);
        loop {
            let said = match self.said.try_recv() {
                Ok(said) => said,
                Err(TryRecvError::Disconnected) => return self.ended(),
                Err(TryRecvError::Empty) => {
                    if self.states.iter().all(|state| *state == State::Ended) {
                        return self.ended();
                    }
                    let rests = self.rests();
                    if rests && self.once {
                        return Ok(Next::End);
                    }
                    if rests && !self.has_rested {
                        self.has_rested = true;
                        return Ok(Next::Idle);
                    }
                    match timeout(patience, self.said.recv()).await {
                        Ok(Some(said)) => said,
                        Ok(None) => return self.ended(),
                        Err(_) => {
                            self.heed_panics()?;
                            return Ok(if self.rests() { Next::Idle } else { Next::Waiting });
                        }
                    }
                }
            };
            match said {
                Said::Piece(piece) => return Ok(Next::Piece(piece)),
                Said::Moved(moved) => return Ok(Next::Moved(moved)),
                Said::At(index, state) => self.states[index] = state,
                Said::Failed(error) => return Err(error),
            }
        }
    }

    /// Whether every shard was read to where it ended, now or since reading began.
    fn rests(&self) -> bool {
        self.states.iter().all(|state| matches!(state, State::AtRest | State::Ended))
    }

    /// Whether the service has said something of each shard that can be read.
    pub(super) fn has_looked(&self) -> bool {
        self.states.iter().all(|state| *state != State::Unheard)
    }

    fn keep(&self, buffer: Vec<u8>) {
        if let Ok(mut spare) = self.spare.lock()
            && buffer.capacity() > 0
            && spare.len() < SPARE_MAX
        {
            spare.push(buffer);
        }
    }

    fn ended(&mut self) -> Result<Next, Error> {
        self.heed_panics()?;
        Ok(Next::End)
    }

    fn heed_panics(&mut self) -> Result<(), Error> {
        while let Some(ended) = self.tasks.try_join_next() {
            ended.map_err(|error| {
                let failure = Failure::new("the reader of a shard panicked").cause(error);
                Error::Input(failure.help("this is a fault of flow: please report it"))
            })?;
        }
        Ok(())
    }
}

/// The same for a thread that waits. What is read counts as this thread's doing: it begins when it is first asked.
#[derive(Debug)]
pub(super) struct KinesisReader<S> {
    pub(super) service: Arc<S>,
    pub(super) shards: Vec<ShardFrom>,
    pub(super) how: How,
    pub(super) reading: Reading,
    pub(super) begun: Option<Shards>,
}

impl<S: Service> Reader for KinesisReader<S> {
    fn next(&mut self, buffer: Vec<u8>, patience: Duration) -> Result<Next, Error> {
        wait(async {
            let begun = match &mut self.begun {
                Some(begun) => begun,
                none => none.insert(Shards::start(&self.service, &self.shards, &self.how, self.reading)?),
            };
            begun.next(buffer, patience).await
        })
    }

    fn has_looked(&self) -> bool {
        self.begun.as_ref().is_some_and(Shards::has_looked)
    }
}

fn until(shard: &ShardFrom) -> Result<Option<Place>, Error> {
    shard.until.as_ref().map(|until| place(shard, until)).transpose()
}

fn place(shard: &ShardFrom, position: &Position) -> Result<Place, Error> {
    Place::of(position).ok_or_else(|| unknown(&shard.shard.name, position))
}

/// The error for a position that nobody here has written.
pub(super) fn unknown(name: &str, position: &Position) -> Error {
    Error::Held(Failure::new("the position is none of a stream").at(format!("{name}, position {position}")))
}

#[cfg(test)]
#[path = "reader_pace_tests.rs"]
mod pace_tests;
#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
