//! Which objects are read, and from where: those that were not seen before, wherever their keys sort, and those that were
//! read in part. What was overwritten is held, and what was deleted before it was read to its end.
//!
//! Everything that the address means is listed in each iteration: an object whose upload ends late has an old key, so
//! nothing tells what is new but the set of what was seen.

use std::collections::HashMap;

use super::{
    keys::{Asked, Keys},
    version::{Offset, Version},
};
use crate::{
    Error, Failure,
    aws::{
        Attempts, Kind, Patience, Trouble,
        clients::s3::{HEAD, Object, S3},
        retrying, spawn, wait,
    },
    held::Cause,
    source::{Gaps, KnownShard, Position, Shard, ShardFrom},
};

/// New objects whose versions are asked for at once.
const ASKED_AT_ONCE: usize = 16;

/// Lists what is to be read, in the order of the keys.
///
/// # Errors
/// In place of an object, what is wrong with it.
pub(super) fn list(
    s3: &S3,
    keys: &Keys,
    known: &[KnownShard],
    gaps: Gaps,
) -> Result<Vec<Result<ShardFrom, Error>>, Error> {
    let trouble = |trouble: Trouble| Error::Input(trouble.failure("cannot list the objects").at(keys.place()));
    let objects = wait(objects(s3, keys)).map_err(trouble)?;
    let was_there = |known: &KnownShard| keys.key(&known.name).is_some_and(|key| keys.include(key));
    // What was there once may be gone; what never was is a mistake in the address.
    if objects.is_empty() && !known.iter().any(was_there) {
        return Err(keys.nothing());
    }
    let mut listed = recognise(keys, &objects, known, gaps);
    wait(pin(s3, keys, &mut listed))?;
    Ok(listed.into_iter().map(|listed| listed.map(|listed| listed.from)).collect())
}

/// All objects that the address means.
async fn objects(s3: &S3, keys: &Keys) -> Result<Vec<Object>, Trouble> {
    let mut objects = Vec::new();
    for asked in keys.asked() {
        let (prefix, most) = match &asked {
            Asked::Prefix(prefix) => (prefix.as_str(), None),
            // The key itself is the first that begins with it.
            Asked::Exactly(key) => (*key, Some(1)),
        };
        let mut next = None;
        loop {
            let page =
                retrying(Patience::USUAL, async || s3.list(&keys.bucket, prefix, most, next.clone()).await).await?;
            let is_asked = |key: &str| match &asked {
                Asked::Prefix(_) => keys.mean(key),
                Asked::Exactly(exactly) => key == *exactly,
            };
            objects.extend(page.objects.into_iter().filter(|object| is_asked(&object.key)));
            next = page.next.filter(|_| most.is_none());
            if next.is_none() {
                break;
            }
        }
    }
    Ok(objects)
}

/// An object to be read.
#[derive(Debug)]
struct Listed<'o> {
    from: ShardFrom,
    /// The object, if this version of it was not seen before.
    new: Option<&'o Object>,
}

/// Finds out what each object is.
fn recognise<'o>(
    keys: &Keys,
    objects: &'o [Object],
    known: &[KnownShard],
    gaps: Gaps,
) -> Vec<Result<Listed<'o>, Error>> {
    let is_half_read = |known: &KnownShard| matches!(Offset::of(&known.next), Some(Offset::At(1..)));
    let half_read = known.iter().filter(|known| is_half_read(known));
    let half_read = half_read.filter_map(|known| Some((known, keys.key(&known.name).filter(|key| keys.include(key))?)));
    let known: HashMap<&str, &KnownShard> = known.iter().map(|known| (&*known.id, known)).collect();
    let mut listed = Vec::with_capacity(objects.len());
    for object in objects {
        let name = keys.name(&object.key);
        let version = Version { bytes: object.bytes, etag: object.etag.clone(), id: None };
        let read = |from: Position, version: &Version| {
            let shard = Shard { id: name.clone(), name: name.clone(), mark: version.to_string(), start: start() };
            ShardFrom { shard, from, until: None, covered_us: None, gap: None }
        };
        let anew = |from: Position| Ok(Listed { from: read(from, &version), new: Some(object) });
        let known = known.get(name.as_str()).map(|known| (*known, known.mark.parse::<Version>()));
        listed.extend(match known {
            // Folders are made as empty objects, by those who want to see them.
            None if object.bytes == 0 => None,
            None => Some(anew(start())),
            Some((known, Ok(was))) if was.is_same(object.bytes, &object.etag) => {
                Some(Ok(Listed { from: read(known.next.clone(), &was), new: None }))
            }
            // Of what was never read, nothing can be lost or doubled.
            Some((known, _)) if known.next == start() => Some(anew(start())),
            Some((known, was)) => Some(match gaps {
                Gaps::Refuse => Err(overwritten(known, was.ok().as_ref(), &version)),
                Gaps::FromBeginning => anew(start()),
                Gaps::FromEnd => anew(Offset::end_of(&version)),
            }),
        });
    }
    let deleted = half_read.filter(|(_, key)| !objects.iter().any(|object| object.key == *key));
    listed.extend(deleted.map(|(known, _)| match gaps {
        Gaps::Refuse => Err(cut_short(known)),
        Gaps::FromBeginning | Gaps::FromEnd => {
            let KnownShard { id, name, mark, .. } = known.clone();
            let shard = Shard { id, name, mark, start: start() };
            let from = ShardFrom { shard, from: Offset::End.position(), until: None, covered_us: None, gap: None };
            Ok(Listed { from, new: None })
        }
    }));
    listed
}

fn start() -> Position {
    Offset::At(0).position()
}

fn cut_short(known: &KnownShard) -> Error {
    let bytes =
        known.mark.parse::<Version>().map_or(String::new(), |was| format!(" of {} bytes as it is stored", was.bytes));
    Error::Held(
        Failure::new("the object was deleted before it was read to its end")
            .at(format!("{}, position {}{bytes}", known.name, known.next))
            .help("put it back, or --accept-gap goes on without the rest of it")
            .held(Cause::SourceOverwritten.case().path(known.name.clone())),
    )
}

fn overwritten(known: &KnownShard, was: Option<&Version>, now: &Version) -> Error {
    let was = was.map(|was| format!("it had {} bytes and the ETag {}, ", was.bytes, was.etag)).unwrap_or_default();
    Error::Held(
        Failure::new("the object was overwritten after it was read")
            .at(format!("{}, position {}", known.name, known.next))
            .cause(format!("{was}now it has {} bytes and the ETag {}", now.bytes, now.etag))
            .help(
                "if what is in it now is new, --accept-gap reads it from its beginning; if it was read before, \
                 --accept-gap=end goes on behind it",
            )
            .held(Cause::SourceOverwritten.case().path(known.name.clone())),
    )
}

/// Asks for the versions of new objects, if the bucket keeps any: so a sealed version can be read again after it was
/// overwritten. That one is asked for in any case shows whether objects may be read at all.
async fn pin(s3: &S3, keys: &Keys, listed: &mut [Result<Listed<'_>, Error>]) -> Result<(), Error> {
    let new = listed.iter_mut().flatten().filter_map(|listed| Some((listed.new?, &mut listed.from.shard)));
    let mut new: Vec<(&Object, &mut Shard)> = new.collect();
    let mut at_once = 1;
    while !new.is_empty() {
        let rest = new.split_off(new.len().min(at_once));
        let ask = |(object, _): &(&Object, _)| spawn(version(s3.clone(), keys.bucket.clone(), Object::clone(object)));
        let asked = new.iter().map(ask).collect::<Result<Vec<_>, _>>()?;
        let mut keeps_versions = false;
        for ((_, shard), answer) in new.into_iter().zip(asked) {
            match answer.await.unwrap_or_else(|error| Err(Trouble::new(HEAD, Kind::Passing, error.to_string()))) {
                Ok(version) => {
                    keeps_versions |= version.id.is_some();
                    shard.mark = version.to_string();
                }
                // Deleted or overwritten since it was listed; its reader will see it.
                Err(trouble) if trouble.is_changed() => keeps_versions = true,
                Err(trouble) => {
                    return Err(Error::Input(trouble.failure("cannot read the object").at(shard.name.clone())));
                }
            }
        }
        if !keeps_versions {
            return Ok(());
        }
        (new, at_once) = (rest, ASKED_AT_ONCE);
    }
    Ok(())
}

async fn version(s3: S3, bucket: String, object: Object) -> Result<Version, Trouble> {
    let Object { key, bytes, etag, .. } = object;
    let mut attempts = Attempts::new(Patience::USUAL);
    loop {
        match s3.version(&bucket, &key, &etag).await {
            Ok(id) => return Ok(Version { bytes, etag, id }),
            Err(trouble) => attempts.wait_after(trouble).await?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys::of(&"s3://b/logs/".parse().unwrap()).unwrap()
    }

    fn object(key: &str, bytes: u64, etag: &str) -> Object {
        Object { key: key.to_owned(), bytes, etag: etag.to_owned(), written_us: 0 }
    }

    fn known(key: &str, mark: &str, next: &str) -> KnownShard {
        let name = format!("s3://b/{key}");
        KnownShard {
            id: name.clone(),
            name,
            mark: mark.to_owned(),
            next: Position::new(next),
            last: None,
            covered_us: None,
        }
    }

    /// `key from mark` of each object, or why it is held.
    fn recognised(objects: &[Object], known: &[KnownShard], gaps: Gaps) -> Vec<String> {
        let tell = |listed: Result<Listed<'_>, Error>| match listed {
            Ok(Listed { from: ShardFrom { shard, from, .. }, .. }) => {
                format!("{} {from} {}", shard.name.trim_start_matches("s3://b/logs/"), shard.mark)
            }
            Err(error) => error.to_string(),
        };
        recognise(&keys(), objects, known, gaps).into_iter().map(tell).collect()
    }

    #[test]
    fn what_was_not_seen_is_new_wherever_its_key_sorts_and_what_was_seen_goes_on() {
        let objects = [object("logs/a", 3, "e1"), object("logs/b", 5, "e2"), object("logs/c", 7, "e3")];
        let known = [known("logs/b", "5 e2 v9", "4"), known("logs/c", "7 e3", "end")];
        assert_eq!(recognised(&objects, &known, Gaps::Refuse), ["a 0 3 e1", "b 4 5 e2 v9", "c end 7 e3"]);
    }

    #[test]
    fn an_overwritten_object_is_held_and_goes_on_as_a_person_says() {
        let (objects, known) = ([object("logs/a", 4, "e2")], [known("logs/a", "3 e1", "end")]);
        let held = recognised(&objects, &known, Gaps::Refuse).remove(0);
        assert!(held.contains("it had 3 bytes and the ETag e1, now it has 4 bytes and the ETag e2"), "{held}");
        assert_eq!(recognised(&objects, &known, Gaps::FromBeginning), ["a 0 4 e2"]);
        assert_eq!(recognised(&objects, &known, Gaps::FromEnd), ["a end of e2 4 e2"]);
    }

    #[test]
    fn an_object_that_was_deleted_before_it_was_read_to_its_end_is_held() {
        let known = [known("logs/a", "9 e1", "4"), known("logs/b", "3 e1", "end"), known("old/c", "9 e1", "4")];
        let told = recognised(&[], &known, Gaps::Refuse);
        assert!(
            told.len() == 1 && told[0].contains("deleted before it was read to its end (s3://b/logs/a"),
            "{told:?}"
        );
        for gaps in [Gaps::FromBeginning, Gaps::FromEnd] {
            assert_eq!(recognised(&[], &known, gaps), ["a end 9 e1"]);
        }
    }

    #[test]
    fn an_object_that_was_overwritten_before_it_was_read_is_new() {
        let (objects, known) = ([object("logs/a", 4, "e2")], [known("logs/a", "3 e1", "0")]);
        assert_eq!(recognised(&objects, &known, Gaps::Refuse), ["a 0 4 e2"]);
    }

    #[test]
    fn an_object_that_was_emptied_is_overwritten_and_one_that_was_always_empty_is_nothing() {
        let objects = [object("logs/", 0, "e0"), object("logs/a", 0, "e0")];
        let known = [known("logs/a", "3 e1", "end")];
        let told = recognised(&objects, &known, Gaps::Refuse);
        assert!(told.len() == 1 && told[0].contains("overwritten"), "{told:?}");
    }
}
