//! A bucket in memory, as strict as S3 is, whose calls can be made to fail.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard},
};

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    aws::{
        Kind, Trouble,
        clients::{
            objects::{If, OpenUpload},
            s3::Object,
        },
        limits::PART_BYTES_MIN,
    },
    sink::objects::Bucket,
};

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It fails, and nothing has happened.
    Refused,
    /// It has happened, and nobody knows.
    Unanswered,
    /// It has happened, its answer is lost, and it is made once more.
    Repeated,
}

/// What somebody else does in between.
type Meanwhile = Box<dyn FnOnce() + Send>;

#[derive(Default)]
pub(super) struct MemoryBucket {
    state: Mutex<State>,
    meanwhile: Mutex<Option<Meanwhile>>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Vec<u8>>,
    /// By their ids: the key, and the parts by their numbers.
    uploads: BTreeMap<String, (String, BTreeMap<i32, Vec<u8>>)>,
    /// When objects were written and uploads begun, by keys and ids.
    times: BTreeMap<String, i64>,
    now_us: i64,
    /// Calls so far.
    calls: usize,
    /// Uploads so far.
    begun: usize,
    fault: Option<(usize, Fault)>,
    /// Nobody may change the ledger.
    is_ledger_locked: bool,
}

impl fmt::Debug for MemoryBucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryBucket({:?})", self.keys(""))
    }
}

impl MemoryBucket {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Has the call of this number, from 0 on, end like this.
    pub(super) fn fail(&self, call: usize, fault: Fault) {
        self.state().fault = Some((call, fault));
    }

    /// Refuses whoever changes the ledger, or does so no longer.
    pub(super) fn lock_ledger(&self, is_locked: bool) {
        self.state().is_ledger_locked = is_locked;
    }

    /// What is written from now on is written then.
    pub(super) fn turn_clock(&self, now_us: i64) {
        self.state().now_us = now_us;
    }

    pub(super) fn calls(&self) -> usize {
        self.state().calls
    }

    /// Has somebody else do something right before the ledger is written the next time.
    pub(super) fn meanwhile(&self, act: impl FnOnce() + Send + 'static) {
        *self.meanwhile.lock().unwrap() = Some(Box::new(act));
    }

    pub(super) fn keys(&self, prefix: &str) -> Vec<String> {
        self.state().objects.keys().filter(|key| key.starts_with(prefix)).cloned().collect()
    }

    pub(super) fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.state().objects.get(key).cloned()
    }

    pub(super) fn take_away(&self, key: &str) {
        self.state().objects.remove(key).unwrap();
    }

    pub(super) fn open_uploads(&self) -> usize {
        self.state().uploads.len()
    }

    fn call<T>(&self, act: impl Fn(&mut State) -> Result<T, Trouble>) -> Result<T, Trouble> {
        let mut state = self.state();
        let number = state.calls;
        state.calls += 1;
        let lost = || Err(Trouble::new("s3.test", Kind::Passing, "no answer"));
        match state.fault.filter(|(call, _)| *call == number).map(|(_, fault)| fault) {
            None => act(&mut state),
            Some(Fault::Refused) => lost(),
            Some(Fault::Unanswered) => act(&mut state).and_then(|_| lost()),
            Some(Fault::Repeated) => {
                let _ = act(&mut state);
                act(&mut state)
            }
        }
    }
}

fn etag(bytes: &[u8]) -> String {
    format!("{:016x}", xxh3_64(bytes))
}

fn trouble(kind: Kind, what: &str) -> Trouble {
    Trouble::new("s3.test", kind, what)
}

impl Bucket for MemoryBucket {
    fn read(&self, key: &str) -> Result<Option<(Vec<u8>, String)>, Trouble> {
        self.call(|state| Ok(state.objects.get(key).map(|bytes| (bytes.clone(), etag(bytes)))))
    }

    fn put(&self, key: &str, body: &Bytes, on: If<'_>) -> Result<String, Trouble> {
        if key.ends_with("current.json") {
            let act = self.meanwhile.lock().unwrap().take();
            act.into_iter().for_each(|act| act());
        }
        self.call(|state| {
            if state.is_ledger_locked && key.ends_with("current.json") {
                return Err(trouble(Kind::Invalid, "access denied"));
            }
            let found = state.objects.get(key).map(|bytes| etag(bytes));
            let holds = match on {
                If::Always => true,
                If::Absent => found.is_none(),
                If::Is(etag) => found.as_deref() == Some(etag),
            };
            if !holds {
                return Err(trouble(Kind::ConditionFailed, "the condition does not hold"));
            }
            state.times.insert(key.to_owned(), state.now_us);
            state.objects.insert(key.to_owned(), body.to_vec());
            Ok(etag(body))
        })
    }

    fn list(&self, prefix: &str) -> Result<Vec<Object>, Trouble> {
        self.call(|state| {
            let found = state.objects.iter().filter(|(key, _)| key.starts_with(prefix));
            let object = |(key, bytes): (&String, &Vec<u8>)| Object {
                key: key.clone(),
                bytes: bytes.len() as u64,
                etag: etag(bytes),
                written_us: state.times.get(key).copied().unwrap_or_default(),
            };
            Ok(found.map(object).collect())
        })
    }

    fn delete(&self, keys: &[String]) -> Result<(), Trouble> {
        self.call(|state| {
            state.objects.retain(|key, _| !keys.contains(key));
            Ok(())
        })
    }

    fn begin_upload(&self, key: &str) -> Result<OpenUpload, Trouble> {
        self.call(|state| {
            state.begun += 1;
            let upload = OpenUpload { key: key.to_owned(), id: format!("upload-{}", state.begun), begun_us: None };
            state.times.insert(upload.id.clone(), state.now_us);
            state.uploads.insert(upload.id.clone(), (upload.key.clone(), BTreeMap::new()));
            Ok(upload)
        })
    }

    fn upload_part(&self, upload: &OpenUpload, number: i32, body: &Bytes) -> Result<String, Trouble> {
        self.call(|state| {
            let found = state.uploads.get_mut(&upload.id);
            let (_, parts) = found.ok_or_else(|| trouble(Kind::Missing, "no such upload"))?;
            parts.insert(number, body.to_vec());
            Ok(etag(body))
        })
    }

    fn complete_upload(&self, upload: &OpenUpload, parts: &[String]) -> Result<String, Trouble> {
        self.call(|state| {
            let Some((key, found)) = state.uploads.remove(&upload.id) else {
                // As the real one does after an answer was lost.
                let there = state.objects.get(&upload.key).map(|bytes| etag(bytes));
                return there.ok_or_else(|| trouble(Kind::Missing, "no such upload"));
            };
            let etags: Vec<String> = found.values().map(|part| etag(part)).collect();
            let numbers: Vec<i32> = found.keys().copied().collect();
            let last = found.len().saturating_sub(1);
            let is_small = found.values().take(last).any(|part| part.len() < PART_BYTES_MIN);
            if etags != parts || numbers != (1..).take(found.len()).collect::<Vec<i32>>() || is_small {
                return Err(trouble(Kind::Invalid, "these are not the parts"));
            }
            let whole = found.into_values().flatten().collect::<Vec<u8>>();
            let whole_etag = etag(&whole);
            state.times.insert(key.clone(), state.now_us);
            state.objects.insert(key, whole);
            Ok(whole_etag)
        })
    }

    fn uploads(&self, prefix: &str) -> Result<Vec<OpenUpload>, Trouble> {
        self.call(|state| {
            let open = state.uploads.iter().filter(|(_, (key, _))| key.starts_with(prefix));
            let begun_us = |id| state.times.get(id).copied();
            Ok(open
                .map(|(id, (key, _))| OpenUpload { key: key.clone(), id: id.clone(), begun_us: begun_us(id) })
                .collect())
        })
    }

    fn abort_upload(&self, upload: &OpenUpload) -> Result<(), Trouble> {
        self.call(|state| {
            state.uploads.remove(&upload.id);
            Ok(())
        })
    }
}
