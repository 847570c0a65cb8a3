//! What an attempt has staged, found again: the list of its objects, and whether they are still what was sealed.

use std::collections::{BTreeMap, HashMap};

use super::{
    S3SinkTap,
    manifest::{Entry, StagedList},
    place::parse,
};
use crate::{Error, Failure, aws::clients::s3::Object, held::Cause, sink::objects::at_once};

impl S3SinkTap {
    /// The objects at an address that a stager has given, with the attempt that they are of.
    pub(super) fn entries(&self, address: &str) -> Result<(String, Vec<Entry>), Error> {
        let key = self.place.layout.key(address).ok_or_else(|| self.lost(address, "it is below another prefix"))?;
        let text = self.place.bytes(key)?.ok_or_else(|| self.lost(address, "the list of its objects is missing"))?.0;
        let list: StagedList = parse(&text).map_err(|cause| self.lost(address, &cause))?;
        Ok((list.attempt, list.entries))
    }

    /// Makes sure that all objects of a list are there as they were: after the iteration is published nobody could bring back what
    /// is missing. One list for each folder, not a call for each object.
    pub(super) fn check_objects(&self, address: &str) -> Result<(), Error> {
        let (attempt, entries) = self.entries(address)?;
        let mut folders: BTreeMap<String, Vec<(&str, &Entry)>> = BTreeMap::new();
        for entry in &entries {
            let key =
                self.place.layout.key(&entry.url).ok_or_else(|| self.lost(&entry.url, "it is below another prefix"))?;
            let begin = key.rfind(&format!("{attempt}-")).map_or(key, |at| &key[..at + attempt.len() + 1]);
            folders.entry(begin.to_owned()).or_default().push((key, entry));
        }
        let folders: Vec<_> = folders.into_iter().collect();
        at_once(&folders, |(begin, wanted)| self.check_folder(begin, wanted)).map(drop)
    }

    /// Makes sure that all these objects, whose keys begin with `begin`, are there as they were.
    fn check_folder(&self, begin: &str, wanted: &[(&str, &Entry)]) -> Result<(), Error> {
        let listed = self.place.bucket.list(begin);
        let listed = listed.map_err(|trouble| self.place.failed("cannot look at staged rows", &trouble))?;
        let there: HashMap<&str, &Object> = listed.iter().map(|object| (&*object.key, object)).collect();
        for (key, entry) in wanted {
            match there.get(key) {
                None => return Err(self.lost(&entry.url, "the object is missing")),
                Some(object) if (object.bytes, &object.etag) != (entry.meta.content_length, &entry.meta.etag) => {
                    return Err(self.lost(&entry.url, "the object is another"));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    pub(super) fn lost(&self, address: &str, cause: &str) -> Error {
        let failure = Failure::new("the staged rows are not those that were sealed").at(address).cause(cause);
        let help = "put the objects back as they were, if the bucket keeps versions; or have what was sealed read again and \
                    staged anew: `doctor` says how";
        Error::Held(failure.help(help).held(Cause::StagedLost.case()))
    }
}
