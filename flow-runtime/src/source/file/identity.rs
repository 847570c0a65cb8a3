//! Which file is which, from iteration to iteration, whatever it is called.
//!
//! A file is its device, its inode and a fingerprint of its first bytes. An inode number is used again once its file is
//! deleted, which log rotation does all the time, and a device's number may change when the machine restarts; where the
//! file system tells a file's time of birth, that settles both. Nothing here opens a file.

use std::{collections::HashMap, fs::Metadata, os::unix::fs::MetadataExt as _, str::FromStr, time::UNIX_EPOCH};

use xxhash_rust::xxh3::xxh3_64;

use crate::source::KnownShard;

/// Bytes of a file that its fingerprint is taken of, if it has as many.
pub(super) const FINGERPRINT_BYTES_MAX: usize = 1024;

/// What the file system says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileFacts {
    pub(super) device: u64,
    pub(super) inode: u64,
    /// Nanoseconds from 1970 to its creation; 0 where the file system does not tell.
    pub(super) birth_ns: u128,
    pub(super) length: u64,
}

impl FileFacts {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let birth = metadata.created().ok().and_then(|created| created.duration_since(UNIX_EPOCH).ok());
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            birth_ns: birth.map_or(0, |birth| birth.as_nanos()),
            length: metadata.len(),
        }
    }
}

/// The mark of a file as a shard: `device:inode:birth:length:fingerprint`, the fingerprint that of the first `length`
/// bytes: a file that was shorter than [`FINGERPRINT_BYTES_MAX`] is still known when it has grown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    birth_ns: u128,
    fingerprinted: usize,
    fingerprint: u64,
}

impl Identity {
    /// The identity of a file that is seen for the first time; `head` are its first bytes.
    pub(super) fn new(facts: FileFacts, head: &[u8]) -> Self {
        let FileFacts { device, inode, birth_ns, .. } = facts;
        Self { device, inode, birth_ns, fingerprinted: head.len(), fingerprint: xxh3_64(head) }
    }

    /// Whether a file with these facts and first bytes is this one.
    pub(super) fn fits(&self, facts: FileFacts, head: &[u8]) -> bool {
        self.may_be(facts) && head.get(..self.fingerprinted).is_some_and(|head| xxh3_64(head) == self.fingerprint)
    }

    /// Whether the file system means the same file, whatever is in it.
    fn may_be(&self, facts: FileFacts) -> bool {
        let births_known = self.birth_ns != 0 && facts.birth_ns != 0;
        self.inode == facts.inode
            && if births_known { self.birth_ns == facts.birth_ns } else { self.device == facts.device }
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { device, inode, birth_ns, fingerprinted, fingerprint } = self;
        write!(f, "{device}:{inode}:{birth_ns}:{fingerprinted}:{fingerprint:016x}")
    }
}

impl FromStr for Identity {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split(':');
        let mut part = || parts.next().ok_or(());
        let identity = Self {
            device: part()?.parse().map_err(drop)?,
            inode: part()?.parse().map_err(drop)?,
            birth_ns: part()?.parse().map_err(drop)?,
            fingerprinted: part()?.parse().map_err(drop)?,
            fingerprint: u64::from_str_radix(part()?, 16).map_err(drop)?,
        };
        if parts.next().is_none() { Ok(identity) } else { Err(()) }
    }
}

/// What a file turns out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Recognised<'k> {
    /// Never seen.
    New,
    /// Read before, under whatever name.
    Known(&'k KnownShard),
    /// Read before, but what it begins with is not what it began with.
    Changed(&'k KnownShard),
    /// Read before, but now it ends before the place that it was read to, or was known by.
    Shrunk(&'k KnownShard),
}

/// The files that were read before, by their inodes: a folder may have thousands.
#[derive(Debug)]
pub(super) struct KnownFiles<'k>(HashMap<u64, Vec<(Identity, &'k KnownShard)>>);

impl<'k> KnownFiles<'k> {
    pub(super) fn new(known: &'k [KnownShard]) -> Self {
        let mut files: HashMap<u64, Vec<_>> = HashMap::new();
        for known in known {
            if let Ok(identity) = known.mark.parse::<Identity>() {
                files.entry(identity.inode).or_default().push((identity, known));
            }
        }
        Self(files)
    }

    /// Finds a file among them; `head` are its first bytes.
    pub(super) fn recognise(&self, facts: FileFacts, head: &[u8]) -> Recognised<'k> {
        let of_inode = self.0.get(&facts.inode).map(Vec::as_slice).unwrap_or_default();
        let candidates = of_inode.iter().filter(|(identity, _)| identity.may_be(facts));
        // Of several that fit, the one that knew more of the file.
        let fitting = candidates.clone().filter(|(identity, _)| identity.fits(facts, head));
        match fitting.max_by_key(|(identity, _)| identity.fingerprinted) {
            Some((_, known)) if known.next.count().is_some_and(|next| next > facts.length) => Recognised::Shrunk(known),
            Some((_, known)) => Recognised::Known(known),
            // Another device's file may have this inode and birth by chance, as in a copied disk.
            None => match candidates.rev().find(|(identity, _)| identity.device == facts.device) {
                // Too short for its fingerprint, it may begin as it did or not.
                Some((identity, known)) if head.len() < identity.fingerprinted => Recognised::Shrunk(known),
                Some((_, known)) => Recognised::Changed(known),
                None => Recognised::New,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Position;

    const HEAD: &[u8] = b"first line\nsecond line\n";

    fn facts() -> FileFacts {
        FileFacts { device: 7, inode: 42, birth_ns: 1_700_000_000_123_456_789, length: HEAD.len() as u64 }
    }

    fn known(facts: FileFacts, head: &[u8], next: u64) -> Vec<KnownShard> {
        let mark = Identity::new(facts, head).to_string();
        let name = "a.log".to_owned();
        vec![KnownShard { id: mark.clone(), name, mark, next: Position::counted(next), last: None }]
    }

    fn recognise<'k>(facts: FileFacts, head: &[u8], known: &'k [KnownShard]) -> Recognised<'k> {
        KnownFiles::new(known).recognise(facts, head)
    }

    #[test]
    fn an_identity_survives_its_text() {
        let identity = Identity::new(facts(), HEAD);
        assert_eq!(identity.to_string().parse(), Ok(identity));
        assert_eq!("7:42:x".parse::<Identity>(), Err(()));
        assert_eq!("1:2:3:4:5:6".parse::<Identity>(), Err(()));
    }

    #[test]
    fn a_file_that_grew_since_its_fingerprint_is_known() {
        let known = known(facts(), &HEAD[..5], 3);
        assert_eq!(recognise(facts(), HEAD, &known), Recognised::Known(&known[0]));
    }

    #[test]
    fn a_file_with_another_beginning_is_changed() {
        let known = known(facts(), b"other line\n", 3);
        assert_eq!(recognise(facts(), HEAD, &known), Recognised::Changed(&known[0]));
    }

    #[test]
    fn a_file_that_became_shorter_than_its_fingerprint_is_shrunk() {
        let known = known(facts(), HEAD, 3);
        assert_eq!(recognise(FileFacts { length: 0, ..facts() }, b"", &known), Recognised::Shrunk(&known[0]));
    }

    #[test]
    fn a_file_that_ends_before_its_position_is_shrunk() {
        let known = known(facts(), HEAD, HEAD.len() as u64 + 1);
        assert_eq!(recognise(facts(), HEAD, &known), Recognised::Shrunk(&known[0]));
    }

    #[test]
    fn an_inode_that_was_used_again_is_a_new_file() {
        let known = known(FileFacts { birth_ns: 1, ..facts() }, b"other line\n", 3);
        assert_eq!(recognise(facts(), HEAD, &known), Recognised::New);
    }

    #[test]
    fn a_device_that_was_numbered_anew_keeps_its_files() {
        let known = known(FileFacts { device: 8, ..facts() }, HEAD, 3);
        assert_eq!(recognise(facts(), HEAD, &known), Recognised::Known(&known[0]));
    }

    #[test]
    fn without_births_device_and_inode_decide() {
        let unborn = FileFacts { birth_ns: 0, ..facts() };
        let same = known(unborn, HEAD, 3);
        assert_eq!(recognise(facts(), HEAD, &same), Recognised::Known(&same[0]));
        let elsewhere = known(FileFacts { device: 8, ..unborn }, HEAD, 3);
        assert_eq!(recognise(facts(), HEAD, &elsewhere), Recognised::New);
    }

    #[test]
    fn of_several_that_fit_the_longer_fingerprint_decides() {
        let mut both = known(facts(), HEAD, 20);
        both.extend(known(facts(), &HEAD[..2], 1));
        assert_eq!(recognise(facts(), HEAD, &both), Recognised::Known(&both[0]));
    }
}
