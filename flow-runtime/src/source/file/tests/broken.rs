//! What the file system does not tell is not taken for an answer.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::{compressed::gzip, *};
use crate::effect::{Broken, Effect, Moment, World, in_world};

/// Refuses one act, the nth from 0 on.
#[derive(Debug)]
struct Refuses {
    nth: usize,
    acts: AtomicUsize,
}

impl World for Refuses {
    fn permit(&self, effect: &Effect<'_>, moment: Moment) -> Result<(), Broken> {
        let is_refused = moment == Moment::Before && self.acts.fetch_add(1, Ordering::Relaxed) == self.nth;
        if is_refused { Err(effect.broken(moment)) } else { Ok(()) }
    }
}

/// What is listed when the nth act fails, and whether there was one.
fn listed(folder: &Folder, nth: usize) -> (Result<Vec<ShardFrom>, Error>, bool) {
    let world = Arc::new(Refuses { nth, acts: AtomicUsize::new(0) });
    let shards = in_world(Arc::clone(&world) as Arc<dyn World>, || folder.shards());
    (shards, world.acts.load(Ordering::Relaxed) > nth)
}

#[test]
fn whatever_cannot_be_looked_at_the_listing_is_right_or_an_error() {
    for address in ["a.log*", "a.log", "**/a.log*"] {
        let mut folder = Folder::new(address);
        for text in ["one\n", "two\n", "three\n"] {
            folder.append("a.log", text);
            folder.read();
            if folder.path("a.log.1").exists() {
                folder.rename("a.log.1", "a.log.2");
            }
            folder.rename("a.log", "a.log.1");
            folder.write("a.log", "");
            folder.read();
        }
        // Rotated, and then compressed.
        folder.rename("a.log.2", "a.log.3");
        folder.rename("a.log.1", "a.log.2");
        folder.rename("a.log", "a.log.1");
        folder.write("a.log", "");
        folder.write("a.log.3.gz", gzip("two\n"));
        folder.remove("a.log.3");
        let right = folder.shards().unwrap();
        let mut refused = 0;
        for nth in 0.. {
            let (shards, was_refused) = listed(&folder, nth);
            if !was_refused {
                break;
            }
            match shards {
                Ok(shards) => assert_eq!(shards, right, "{address}, act {nth}"),
                Err(error) => assert!(matches!(error, Error::Input(_)), "{address}, act {nth}: {error}"),
            }
            refused += 1;
        }
        assert!(refused > 10, "{refused}");
    }
}
