//! Which files are read, and from where: each is found again wherever it is now, and none is read twice.
//!
//! A file that was renamed within its folder is read on under its new name. A file whose place was taken, truncated or
//! deleted lives on in another that begins as it did and holds, at the same place, exactly what was last read of it, and
//! that is named as log rotation names the copies it makes, whole or compressed. A file of another name is another file,
//! whatever it holds: one export may equal the last. What is written over in its place without one is held.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fs::Metadata,
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use super::{
    found::Found,
    identity::{KnownFiles, Loss, Recognised},
    order,
    paths::{Paths, is_ledger, link_there, names},
    succession::{Missing, holds, is_at_its_place, is_copy, is_followed},
};
use crate::{
    Error, Failure,
    held::Cause,
    source::{Gaps, KnownShard, Position, Shard, ShardFrom, compression::Expected},
};

/// Lists what is to be read of the files of one address.
///
/// # Errors
/// In place of a file, what is wrong with it.
pub(super) fn list(
    paths: &Paths,
    expected: Expected,
    known: &[KnownShard],
    gaps: Gaps,
) -> Result<Vec<Result<ShardFrom, Error>>, Error> {
    let mut listing = Listing::new(expected, known);
    for path in paths.list()? {
        listing.add(&path);
    }
    // What was there once may be gone; what never was is a mistake in the address.
    let was_there = |known: &KnownShard| paths.mean(&known.name) || is_followed(known);
    if listing.seen.is_empty() && listing.wrong.is_empty() && !known.iter().any(was_there) {
        return Err(paths.nothing());
    }
    if !known.is_empty() {
        let gone = listing.gone()?;
        listing.follow_renamed(&gone)?;
        listing.find_successors(&gone)?;
        listing.let_copies_wait()?;
    }
    Ok(listing.into_shards(gaps))
}

struct Listing<'k> {
    expected: Expected,
    known: &'k [KnownShard],
    by_inode: KnownFiles<'k>,
    files: Vec<Listed<'k>>,
    /// Devices and inodes of `files`: a link and what it links to are one file, to be read once.
    seen: HashSet<(u64, u64)>,
    /// What is wrong with the files that cannot be looked at.
    wrong: Vec<Error>,
}

/// A file and what it turned out to be.
struct Listed<'k> {
    found: Found,
    is: Recognised<'k>,
    /// Whether the address means it; else it is one's only if it is known.
    is_meant: bool,
    /// Whether it is the beginning of a copy, or a copy, of one that is still there.
    waits: bool,
}

impl<'k> Listing<'k> {
    fn new(expected: Expected, known: &'k [KnownShard]) -> Self {
        let by_inode = KnownFiles::new(known);
        Self { expected, known, by_inode, files: Vec::new(), seen: HashSet::new(), wrong: Vec::new() }
    }

    /// Takes in a file that the address means, if it is there.
    fn add(&mut self, path: &str) {
        match self.look(path, true) {
            Ok(listed) => self.files.extend(listed),
            Err(error) => self.wrong.push(error),
        }
    }

    /// Looks at a file that was not seen before.
    fn look(&mut self, path: &str, is_meant: bool) -> Result<Option<Listed<'k>>, Error> {
        let Some((mut text, mut found)) = Found::look(path, self.expected)? else { return Ok(None) };
        if !self.seen.insert((found.facts.device, found.facts.inode)) {
            return Ok(None);
        }
        if found.text_bytes.is_none() {
            found.text_bytes = match self.by_inode.text_bytes(found.facts, &found.head) {
                None => text.measure().map_err(|error| text.damaged(path, &error))?,
                measured => measured,
            };
        }
        let is = self.by_inode.recognise(found.facts, &found.head, found.text_bytes);
        Ok(Some(Listed { found, is, is_meant, waits: false }))
    }

    /// The known files that are not where they were, as they were. One that is, but that the address does not mean any
    /// more, is left alone.
    fn gone(&self) -> Result<Vec<&'k KnownShard>, Error> {
        let here: HashMap<&str, bool> = self.files.iter().filter_map(Listed::known_or_lost).collect();
        let mut gone = Vec::new();
        for known in self.known {
            let is_gone = match here.get(&*known.id) {
                Some(is_lost) => *is_lost,
                None => is_followed(known) || !is_at_its_place(known)?,
            };
            gone.extend(is_gone.then_some(known));
        }
        Ok(gone)
    }

    /// Finds known files under new names in their folders, whether the address means these names or not.
    fn follow_renamed(&mut self, gone: &[&KnownShard]) -> Result<(), Error> {
        let folders: BTreeSet<&Path> = gone.iter().filter_map(|known| Path::new(&known.name).parent()).collect();
        for folder in folders {
            for path in files_in(folder)? {
                let is_known = |found: Metadata| found.is_file() && self.by_inode.has_inode(found.ino());
                if !link_there(path.as_ref())?.is_some_and(is_known) {
                    continue;
                }
                match self.look(&path, false)? {
                    Some(renamed) if renamed.known().is_some() => self.files.push(renamed),
                    Some(other) => drop(self.seen.remove(&(other.found.facts.device, other.found.facts.inode))),
                    None => {}
                }
            }
        }
        Ok(())
    }

    /// Finds the files that known ones live on in.
    fn find_successors(&mut self, gone: &[&'k KnownShard]) -> Result<(), Error> {
        let here: HashSet<&str> = self.files.iter().filter_map(Listed::known).map(|known| &*known.id).collect();
        let missing = gone.iter().filter(|known| !here.contains(&*known.id));
        let missing: Vec<_> = missing.filter_map(|known| Missing::new(known)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        self.look_for_copies(&missing)?;
        let mut live: HashSet<&str> = self.known.iter().map(|known| &*known.name).collect();
        let present: Vec<String> = self.files.iter().map(|file| file.found.path.clone()).collect();
        live.extend(present.iter().map(String::as_str));
        let mut found_again: HashSet<&str> = HashSet::new();
        for file in self.files.iter_mut().filter(|file| file.is_unread()) {
            let mut candidates: Vec<_> = missing
                .iter()
                .filter(|missing| {
                    !found_again.contains(&*missing.known.id)
                        && missing.may_be(&file.found, &|path| live.contains(path))
                })
                .collect();
            // Of several that begin the same, the one that was read furthest.
            candidates.sort_by_key(|missing| std::cmp::Reverse(missing.known.next.count()));
            for candidate in candidates {
                if holds(&file.found, candidate.last)? {
                    file.is = Recognised::Known(candidate.known);
                    found_again.insert(&candidate.known.id);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Looks at what may be copies of missing files, beside them, although the address does not mean them.
    fn look_for_copies(&mut self, missing: &[Missing<'k>]) -> Result<(), Error> {
        let mut folders: HashMap<&Path, Vec<String>> = HashMap::new();
        // What became of those whose name another has had since was found out when that one was new.
        let latest: HashMap<&str, &str> = self.known.iter().map(|known| (&*known.name, &*known.id)).collect();
        let is_latest = |known: &&KnownShard| latest.get(&*known.name) == Some(&&*known.id);
        for known in missing.iter().map(|missing| missing.known).filter(is_latest) {
            let Some(folder) = Path::new(&known.name).parent() else { continue };
            if !folders.contains_key(folder) {
                folders.insert(folder, files_in(folder)?);
            }
            for path in folders[folder].iter().filter(|path| order::is_named_after(path, &known.name)) {
                if let Some(copy) = self.look(path, false)? {
                    self.files.push(copy);
                }
            }
        }
        Ok(())
    }

    /// A copy that is named after a file that is still there is taken for a rotation under way, and waits: it becomes the
    /// file's successor, or a file of its own when the two differ or nobody writes to it any more.
    fn let_copies_wait(&mut self) -> Result<(), Error> {
        let known = self.files.iter().filter_map(|file| Some((&*file.found.path, (&file.found, file.known()?))));
        let here: HashMap<&str, (&Found, &KnownShard)> = known.collect();
        let mut waiting = Vec::new();
        for (index, file) in self.files.iter().enumerate().filter(|(_, file)| file.is_unread()) {
            let path = &file.found.path;
            let origins = path.char_indices().map(|(end, _)| &path[..end]);
            for (origin, known) in
                origins.filter(|name| order::is_named_after(path, name)).filter_map(|name| here.get(name))
            {
                if is_copy(&file.found, origin, known)? {
                    waiting.push(index);
                    break;
                }
            }
        }
        waiting.into_iter().for_each(|index| self.files[index].waits = true);
        Ok(())
    }

    /// What is to be read, in reading order.
    fn into_shards(mut self, gaps: Gaps) -> Vec<Result<ShardFrom, Error>> {
        order::sort(&mut self.files, |file| &file.found.path);
        let found_again: HashSet<&str> =
            self.files.iter().filter_map(|file| file.known()).map(|known| &*known.id).collect();
        let ids: HashSet<&str> = self.known.iter().map(|known| &*known.id).collect();
        let mut shards: Vec<_> = self.wrong.into_iter().map(Err).collect();
        for file in &self.files {
            match file.is {
                Recognised::Known(_) if file.waits => {}
                Recognised::Known(known) => shards.push(Ok(file.found.read_on(known, !file.is_meant))),
                Recognised::Lost(known, loss) if !found_again.contains(&*known.id) => {
                    shards.push(match gaps {
                        Gaps::Refuse => Err(held(&file.found, known, loss)),
                        Gaps::FromBeginning => Ok(file.found.go_on(known, file.found.start())),
                        Gaps::FromEnd => Ok(file.found.go_on(known, file.found.end())),
                    });
                }
                Recognised::New | Recognised::Lost(..) if file.is_meant && !file.waits => {
                    shards.extend(file.found.read_first(&ids).map(Ok));
                }
                Recognised::New | Recognised::Lost(..) => {}
            }
        }
        shards
    }
}

impl<'k> Listed<'k> {
    /// Whether nothing was ever read of it, so that it may turn out to be another.
    fn is_unread(&self) -> bool {
        match self.is {
            Recognised::New => true,
            Recognised::Known(known) => known.last.is_none(),
            Recognised::Lost(..) => false,
        }
    }

    fn known(&self) -> Option<&'k KnownShard> {
        match self.is {
            Recognised::Known(known) => Some(known),
            Recognised::New | Recognised::Lost(..) => None,
        }
    }

    /// The id of what it is, or was, and whether it was.
    fn known_or_lost(&self) -> Option<(&'k str, bool)> {
        match self.is {
            Recognised::Known(known) => Some((&known.id, false)),
            Recognised::Lost(known, _) => Some((&known.id, true)),
            Recognised::New => None,
        }
    }
}

impl Found {
    /// A new file is read from its beginning. An empty one is no shard until it has a first byte to be known by.
    fn read_first(&self, ids: &HashSet<&str>) -> Option<ShardFrom> {
        if self.head.is_empty() && self.text_bytes.is_some() {
            return None;
        }
        let mark = self.identity().to_string();
        let mut id = mark.clone();
        // A file that was truncated may begin again as it did.
        while ids.contains(id.as_str()) {
            id.push('+');
        }
        let start = self.start();
        let shard = Shard { id, name: self.path.clone(), mark, start: start.clone() };
        Some(ShardFrom { shard, from: start, until: None, covered_us: None, gap: None })
    }

    fn read_on(&self, known: &KnownShard, is_followed: bool) -> ShardFrom {
        let start = self.start();
        // Of a byte order mark, less than the whole may have been there.
        let is_before = known.next.count().zip(start.count()).is_some_and(|(next, start)| next < start);
        let from = if is_before { start } else { known.next.clone() };
        let mut on = self.go_on(known, from);
        if is_followed {
            on.shard.mark = self.followed_identity().to_string();
        }
        on
    }

    fn go_on(&self, known: &KnownShard, from: Position) -> ShardFrom {
        let (name, mark) = (self.path.clone(), self.identity().to_string());
        let shard = Shard { id: known.id.clone(), name, mark, start: self.start() };
        ShardFrom { shard, from, until: None, covered_us: None, gap: None }
    }
}

/// The paths of what is in a folder, of hidden files and ledgers apart; none if there is no such folder.
fn files_in(folder: &Path) -> Result<Vec<String>, Error> {
    let names = names(folder)?;
    let visible = names.iter().filter(|name| !name.as_encoded_bytes().starts_with(b"."));
    let paths = visible.map(|name| folder.join(name)).filter(|path| !is_ledger(path));
    Ok(paths.filter_map(|path| path.into_os_string().into_string().ok()).collect())
}

fn held(found: &Found, known: &KnownShard, loss: Loss) -> Error {
    let (why, what) = match loss {
        Loss::Changed => (Cause::SourceChanged, "the file is not what it was: it begins differently"),
        Loss::Shrunk => (Cause::SourceShrunk, "the file has shrunk"),
    };
    let path = &found.path;
    let name = if known.name == *path { String::new() } else { format!("as {} ", known.name) };
    let read = format!("{name}it was read to byte {}, now it has {} bytes", known.next, found.end());
    let help = "what was read of it stays loaded; restore the file; or go on with what it has now: run with --accept-gap \
                if that is new, with --accept-gap=end if it was read before";
    Error::Held(Failure::new(what).at(path).cause(read).help(help).held(why.case().path(path)))
}
