//! Which file is which, from iteration to iteration, whatever it is called.
//!
//! A file is its device, its inode and a fingerprint of the first bytes of its text. An inode number is used again once its file is
//! deleted, which log rotation does all the time, and a device's number may change when the machine restarts; where the
//! file system tells a file's time of birth, that settles both. Nothing here opens a file.

use std::{collections::HashMap, fs::Metadata, os::unix::fs::MetadataExt as _, str::FromStr, time::UNIX_EPOCH};

use xxhash_rust::xxh3::xxh3_64;

use crate::source::KnownShard;

/// Bytes of a file's text that its fingerprint is taken of, if it has as many.
pub(super) const FINGERPRINT_BYTES_MAX: usize = 1024;

/// What the mark ends with of a file that is followed.
const FOLLOWED: &str = ":followed";

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
/// bytes: a file that was shorter than [`FINGERPRINT_BYTES_MAX`] is still known when it has grown, and its next mark is
/// longer. After it `:stored:text`, the bytes of a compressed file and of its text; and `:followed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    birth_ns: u128,
    fingerprinted: usize,
    fingerprint: u64,
    pub(super) measured: Option<Measured>,
    /// Whether it has a name that the address does not mean, because it was renamed.
    pub(super) is_followed: bool,
}

/// How long a compressed file and its text were when it was decompressed to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Measured {
    pub(super) stored_bytes: u64,
    pub(super) text_bytes: u64,
}

impl Identity {
    /// The identity of a file as it is now; `head` are the first bytes of its text.
    pub(super) fn new(facts: FileFacts, head: &[u8]) -> Self {
        let FileFacts { device, inode, birth_ns, .. } = facts;
        let (fingerprinted, fingerprint) = (head.len(), xxh3_64(head));
        Self { device, inode, birth_ns, fingerprinted, fingerprint, measured: None, is_followed: false }
    }

    /// Whether a file with these facts and first bytes is this one.
    pub(super) fn fits(&self, facts: FileFacts, head: &[u8]) -> bool {
        self.may_be(facts) && self.begins(head)
    }

    /// Whether a file with these first bytes begins as this one.
    pub(super) fn begins(&self, head: &[u8]) -> bool {
        head.get(..self.fingerprinted).is_some_and(|head| xxh3_64(head) == self.fingerprint)
    }

    /// How long the text of a compressed file is, if it was measured.
    pub(super) fn text_bytes(&self) -> Option<u64> {
        self.measured.map(|measured| measured.text_bytes)
    }

    /// Whether the file system means the same file, whatever is in it.
    pub(super) fn may_be(&self, facts: FileFacts) -> bool {
        let births_known = self.birth_ns != 0 && facts.birth_ns != 0;
        self.inode == facts.inode
            && if births_known { self.birth_ns == facts.birth_ns } else { self.device == facts.device }
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { device, inode, birth_ns, fingerprinted, fingerprint, measured, is_followed } = self;
        write!(f, "{device}:{inode}:{birth_ns}:{fingerprinted}:{fingerprint:016x}")?;
        if let Some(Measured { stored_bytes, text_bytes }) = measured {
            write!(f, ":{stored_bytes}:{text_bytes}")?;
        }
        f.write_str(if *is_followed { FOLLOWED } else { "" })
    }
}

impl FromStr for Identity {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (text, is_followed) = text.strip_suffix(FOLLOWED).map_or((text, false), |text| (text, true));
        let mut parts = text.split(':');
        let mut part = || parts.next().ok_or(());
        let mut identity = Self {
            device: part()?.parse().map_err(drop)?,
            inode: part()?.parse().map_err(drop)?,
            birth_ns: part()?.parse().map_err(drop)?,
            fingerprinted: part()?.parse().map_err(drop)?,
            fingerprint: u64::from_str_radix(part()?, 16).map_err(drop)?,
            measured: None,
            is_followed,
        };
        if let Some(stored_bytes) = parts.next() {
            let stored_bytes = stored_bytes.parse().map_err(drop)?;
            let text_bytes = parts.next().ok_or(())?.parse().map_err(drop)?;
            identity.measured = Some(Measured { stored_bytes, text_bytes });
        }
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
    /// Read before, but now it begins differently, or ends before the place that it was read to or was known by.
    Lost(&'k KnownShard, Loss),
}

/// What happened to a file in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    Changed,
    Shrunk,
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

    /// Whether a file with this inode may be among them.
    pub(super) fn has_inode(&self, inode: u64) -> bool {
        self.0.contains_key(&inode)
    }

    /// How long the text of a compressed file is, if it was measured as it is now.
    pub(super) fn text_bytes(&self, facts: FileFacts, head: &[u8]) -> Option<u64> {
        let measured = |(identity, _): &(Identity, _)| identity.measured.filter(|_| identity.fits(facts, head));
        let mut measured = self.of_inode(facts.inode).iter().filter_map(measured);
        measured.find(|measured| measured.stored_bytes == facts.length).map(|measured| measured.text_bytes)
    }

    fn of_inode(&self, inode: u64) -> &[(Identity, &'k KnownShard)] {
        self.0.get(&inode).map(Vec::as_slice).unwrap_or_default()
    }

    /// Finds a file among them; `head` are the first bytes of its text, which has `text_bytes` if that is known.
    pub(super) fn recognise(&self, facts: FileFacts, head: &[u8], text_bytes: Option<u64>) -> Recognised<'k> {
        let candidates = self.of_inode(facts.inode).iter().filter(|(identity, _)| identity.may_be(facts));
        let ends_before =
            |known: &KnownShard| text_bytes.is_some_and(|end| known.next.count().is_some_and(|next| next > end));
        // Of several that fit, the one that was read, and then the one that knew more of the file.
        let fitting = candidates.clone().filter(|(identity, _)| identity.fits(facts, head));
        match fitting.max_by_key(|(identity, known)| (known.last.is_some(), identity.fingerprinted)) {
            Some((_, known)) if ends_before(known) => Recognised::Lost(known, Loss::Shrunk),
            Some((_, known)) => Recognised::Known(known),
            // Another device's file may have this inode and birth by chance, as in a copied disk.
            // Of what was never read, nothing can be lost or doubled: it is a new file.
            None => match candidates.rev().find(|(of, known)| of.device == facts.device && known.last.is_some()) {
                // Too short for its fingerprint, it may begin as it did or not.
                Some((identity, known)) if head.len() < identity.fingerprinted => {
                    // Too little of a compressed file may be there only for now.
                    if text_bytes.is_some() { Recognised::Lost(known, Loss::Shrunk) } else { Recognised::Known(known) }
                }
                Some((_, known)) => Recognised::Lost(known, Loss::Changed),
                None => Recognised::New,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{LastRead, Position};

    const HEAD: &[u8] = b"first line\nsecond line\n";

    fn facts() -> FileFacts {
        FileFacts { device: 7, inode: 42, birth_ns: 1_700_000_000_123_456_789, length: HEAD.len() as u64 }
    }

    fn known(facts: FileFacts, head: &[u8], next: u64) -> Vec<KnownShard> {
        let mark = Identity::new(facts, head).to_string();
        let (name, hash) = ("a.log".to_owned(), String::new());
        let [first, next] = [0, next].map(Position::counted);
        let last = Some(LastRead { first, next: next.clone(), hash });
        vec![KnownShard { id: mark.clone(), name, mark, next, last, covered_us: None }]
    }

    fn recognise<'k>(facts: FileFacts, head: &[u8], known: &'k [KnownShard]) -> Recognised<'k> {
        KnownFiles::new(known).recognise(facts, head, Some(facts.length))
    }

    #[test]
    fn an_identity_survives_its_text() {
        let measured = Some(Measured { stored_bytes: 7, text_bytes: 22 });
        for (measured, is_followed) in [(None, false), (measured, false), (None, true), (measured, true)] {
            let identity = Identity { measured, is_followed, ..Identity::new(facts(), HEAD) };
            assert_eq!(identity.to_string().parse(), Ok(identity));
        }
        assert_eq!("1:2:3:4:5:6:7:8".parse::<Identity>(), Err(()));
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
        assert_eq!(recognise(facts(), HEAD, &known), Recognised::Lost(&known[0], Loss::Changed));
    }

    #[test]
    fn a_file_that_became_shorter_than_its_fingerprint_is_shrunk() {
        let known = known(facts(), HEAD, 3);
        assert_eq!(
            recognise(FileFacts { length: 0, ..facts() }, b"", &known),
            Recognised::Lost(&known[0], Loss::Shrunk)
        );
    }

    #[test]
    fn a_file_that_ends_before_its_position_is_shrunk() {
        let known = known(facts(), HEAD, HEAD.len() as u64 + 1);
        assert_eq!(recognise(facts(), HEAD, &known), Recognised::Lost(&known[0], Loss::Shrunk));
    }

    #[test]
    fn a_file_that_was_never_read_is_new_when_it_changed() {
        let mut known = known(facts(), b"other line\n", 0);
        known[0].last = None;
        assert_eq!(recognise(facts(), HEAD, &known), Recognised::New);
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
