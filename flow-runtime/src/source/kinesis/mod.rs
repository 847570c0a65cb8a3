//! `kinesis://` sources and tables: what they do, for users, is in `kinesis.md`.
//!
//! This file is the tap. Which shards there are is `lineage.rs`' to say, from what `survey.rs` asks, and whether one may have
//! a hole, `hole.rs`' and `oldest.rs`'; `reader.rs` reads them side by side, `shard.rs` one, within `pace.rs`, under the eyes
//! of `watch.rs`; `page.rs` makes pieces of a read, `aggregate.rs` takes apart what the producer library has put together,
//! `pushed.rs` has a consumer's. Positions are `place.rs`'.

mod aggregate;
#[cfg(test)]
mod fake;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod hole;
mod lineage;
mod mark;
mod oldest;
mod pace;
mod page;
mod place;
mod pushed;
mod reader;
#[cfg(test)]
mod readings;
mod service;
mod shard;
mod survey;
mod watch;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use pace::Paces;
use place::Start;
use reader::{How, KinesisReader};
use survey::Survey;

#[cfg(test)]
pub(crate) use fake::FakeTap;

use super::{Gaps, KnownShard, Reader, Reading, ShardFrom, SourceTap};
use crate::{
    Address, Error, Failure,
    aws::{ACCOUNT_OPTIONS, Account, clients::kinesis::Stream, limits, wait},
    effect::clock,
};

/// Reads in a second that can be asked for, of services that are not Amazon's.
const READS_PER_SECOND_MAX: u32 = 1000;

/// A stream by its name.
#[derive(Debug)]
pub(super) struct KinesisTap {
    name: String,
    account: Account,
    start: Start,
    reads_per_second: u32,
    /// The name of the consumer to which its records are pushed.
    consumer: Option<String>,
    /// The ARN of that when it was last looked at.
    known_consumer: Mutex<Option<Arc<str>>>,
    /// Made when it is needed.
    stream: OnceLock<Arc<Stream>>,
}

impl KinesisTap {
    pub(super) fn open(address: &Address) -> Result<Self, Error> {
        address.allow_options(&[&ACCOUNT_OPTIONS[..], &["consumer", "reads", "start"]].concat())?;
        Ok(Self {
            name: name(address)?.to_owned(),
            account: Account::of(address),
            start: Start::of(address)?,
            reads_per_second: reads_per_second(address)?,
            consumer: consumer(address)?,
            known_consumer: Mutex::default(),
            stream: OnceLock::new(),
        })
    }

    fn stream(&self) -> Result<&Arc<Stream>, Error> {
        if let Some(stream) = self.stream.get() {
            return Ok(stream);
        }
        let stream = Arc::new(wait(Stream::of(&self.account, &self.name))?);
        Ok(self.stream.get_or_init(|| stream))
    }

    /// Looks at the consumer, if there is to be one.
    fn look_at_consumer(&self) -> Result<Option<Arc<str>>, Error> {
        let Some(name) = &self.consumer else { return Ok(None) };
        let arn = wait(pushed::consumer(&**self.stream()?, &self.name, name))?;
        *self.known_consumer.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&arn));
        Ok(Some(arn))
    }

    /// How to read it: who only looks, or reads aside, does not subscribe, as that would take the subscription from who reads it
    /// for good, or keep him from subscribing for a while.
    fn how(&self, reading: Reading) -> Result<How, Error> {
        let known = self.known_consumer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let consumer = match known {
            _ if reading.is_look || reading.is_aside => None,
            None => self.look_at_consumer()?,
            known => known,
        };
        Ok(How { paces: Paces::of(&self.account, &self.name, self.reads_per_second), consumer })
    }
}

impl SourceTap for KinesisTap {
    fn shards(&self, known: &[KnownShard]) -> Result<Vec<ShardFrom>, Error> {
        self.survey(known, Gaps::Refuse, clock::now_us())?.into_iter().collect()
    }

    fn survey(
        &self,
        known: &[KnownShard],
        gaps: Gaps,
        created_us: i64,
    ) -> Result<Vec<Result<ShardFrom, Error>>, Error> {
        let service = &**self.stream()?;
        let survey = Survey { service, name: &self.name, start: self.start, gaps, created_us };
        let shards = wait(survey.list(known))?;
        self.look_at_consumer()?;
        Ok(shards)
    }

    fn open(&self, shards: &[ShardFrom], reading: Reading) -> Result<Box<dyn Reader>, Error> {
        Ok(Box::new(KinesisReader {
            service: Arc::clone(self.stream()?),
            shards: shards.to_vec(),
            how: self.how(reading)?,
            reading,
            begun: None,
        }))
    }
}

fn name(address: &Address) -> Result<&str, Error> {
    let name = address.path().strip_prefix("//").unwrap_or_default();
    if !is_name(name) {
        let failure = Failure::new("the address names no stream").at(address.to_string());
        return Err(Error::Config(failure.help("as in kinesis://AccessLogStream")));
    }
    Ok(name)
}

/// Streams and consumers are called alike.
fn is_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=128).contains(&name.len()) && name.bytes().all(is_letter)
}

fn consumer(address: &Address) -> Result<Option<String>, Error> {
    let Some(name) = address.option("consumer") else { return Ok(None) };
    if !is_name(name) {
        let failure = Failure::new(format!("`{name}` is no name of a consumer")).at(address.to_string());
        return Err(Error::Config(failure.help("1 to 128 letters, digits, _ . or -, as in consumer=counts")));
    }
    Ok(Some(name.to_owned()))
}

fn reads_per_second(address: &Address) -> Result<u32, Error> {
    let Some(text) = address.option("reads") else { return Ok(limits::READS_PER_SECOND) };
    text.parse().ok().filter(|reads| (1..=READS_PER_SECOND_MAX).contains(reads)).ok_or_else(|| {
        let failure = Failure::new(format!("`{text}` is no number of reads")).at(address.to_string());
        Error::Config(failure.help(format!(
            "give reads=1 to reads={READS_PER_SECOND_MAX}: reads of each shard in a second; all readers of a stream \
             together have {}",
            limits::READS_PER_SECOND
        )))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_only_looks_or_reads_aside_takes_no_subscription_over() {
        let tap = KinesisTap::open(&"kinesis://s?consumer=c".parse().unwrap()).unwrap();
        *tap.known_consumer.lock().unwrap() = Some("arn".into());
        let consumer = |reading| tap.how(reading).unwrap().consumer;
        assert_eq!(consumer(Reading::default()).as_deref(), Some("arn"));
        assert_eq!(consumer(Reading { is_look: true, ..Reading::default() }), None);
        assert_eq!(consumer(Reading { is_aside: true, ..Reading::default() }), None);
    }

    #[test]
    fn an_address_names_a_stream_and_how_to_read_it() {
        let open = |text: &str| KinesisTap::open(&text.parse().unwrap());
        let tap = open("kinesis://Access.Log-Stream_1?start=latest&reads=1&region=eu-central-1").unwrap();
        assert_eq!((tap.name.as_str(), tap.start, tap.reads_per_second), ("Access.Log-Stream_1", Start::Latest, 1));
        for (text, says) in [
            ("kinesis:", "the address names no stream"),
            ("kinesis://", "the address names no stream"),
            ("kinesis://a/b", "the address names no stream"),
            ("kinesis://s?reads=0", "`0` is no number of reads"),
            ("kinesis://s?consumer=", "`` is no name of a consumer"),
            ("kinesis://s?consumer=a/b", "`a/b` is no name of a consumer"),
            ("kinesis://s?reeds=1", "unknown option `reeds`"),
        ] {
            let error = open(text).unwrap_err();
            assert!(matches!(error, Error::Config(_)) && error.to_string().contains(says), "{error}");
        }
    }
}
