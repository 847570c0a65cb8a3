//! The table of causes.

use super::{Cause, Entry, Remedy};

/// Everything again: the only way when nobody can say any more what is in a target.
const READ_ALL_AGAIN: Remedy = Remedy {
    when: "everything is to be read again, into empty targets. COPY THE TARGETS FIRST: rows whose source files are gone, \
           rotated away or deleted, cannot come back",
    commands: &[
        "{program} reset --yes --force{options}",
        "{program} forget --all --empty --yes{store-is-lost}{options}",
        "{run}",
    ],
};

/// The target begins anew, and what came before it is elsewhere, or not wanted.
const BEGIN_HERE: Remedy =
    Remedy { when: "what came before may be missing from it, or stays elsewhere", commands: &["{run-from}"] };

/// Sealed rows that this program cannot publish are made again by it.
const RESTAGE_CHANGED: Remedy = Remedy {
    when: "its rows are to be as this program makes them",
    commands: &["{program} restage {iteration} --accept-changed{options}", "{run}"],
};

/// All causes, in the order of an iteration's end: targets, what is staged for them, sources.
pub static CAUSES: [Entry; 21] = [
    Entry {
        cause: Cause::ForeignLedger,
        happened: "The target was loaded from another checkpoint store, or this one has been reset since",
        rows: "Nobody knows whether the rows that are there are among those to come, so none is added; if the other store \
               is still there, give it with --checkpoint",
        remedies: &[
            Remedy {
                when: "the rows that are there may go. COPY THE TARGET FIRST: rows whose source files are gone, rotated away \
                       or deleted, cannot come back",
                commands: &["{program} forget {port} --empty --yes{store-is-lost}{options}", "{run-from}"],
            },
            Remedy {
                when: "the rows that are there stay, and are not among those to come",
                commands: &["{program} forget {port} --yes{store-is-lost}{options}", "{run-from}"],
            },
        ],
    },
    Entry {
        cause: Cause::LedgerAhead,
        happened: "The target has an iteration that the checkpoint store does not know: the store is older than the target, \
                   as after a restore of a backup",
        rows: "What the store would read next is in the target already, and would be there twice; if the store of that time \
               is still there, put it back",
        remedies: &[READ_ALL_AGAIN],
    },
    Entry {
        cause: Cause::LedgerBehind,
        happened: "The target lacks an iteration that was published to it: it is new, or older than the checkpoint store, as \
                   after a restore of a backup",
        rows: "The rows of the iterations in between are not there, and would be missing for ever; if the target of that \
               time is still there, put it back",
        remedies: &[BEGIN_HERE, READ_ALL_AGAIN],
    },
    Entry {
        cause: Cause::OtherRows,
        happened: "The target has the iteration, with other rows than those that are sealed: two stores that began as copies \
                   of each other have loaded it",
        rows: "Which of both is right nobody knows; the target has rows of the one, the store positions of the other",
        remedies: &[READ_ALL_AGAIN],
    },
    Entry {
        cause: Cause::TableGone,
        happened: "The table was dropped or renamed, and the ledger beside it still names what it had",
        rows: "The rows that were published to it are not there; if it was renamed, give it its name back",
        remedies: &[
            Remedy {
                when: "a new table is to begin, and what came before may be missing from it",
                commands: &["{program} forget {port} --yes{store-is-lost}{options}", "{run-from}"],
            },
            READ_ALL_AGAIN,
        ],
    },
    Entry {
        cause: Cause::LedgerLocked,
        happened: "A session keeps the ledger of the target locked: that of a load that is under way, of a person, or one \
                   whose client is gone",
        rows: "What is sealed waits for it, and nothing is lost; a load whose session is ended is done again as a whole",
        remedies: &[Remedy { when: "nobody needs that session any more", commands: &["{command}", "{run}"] }],
    },
    Entry {
        cause: Cause::FileCut,
        happened: "The file is shorter than what was published to it",
        rows: "Rows at its end are lost; if there is a copy, put it back",
        remedies: &[
            Remedy {
                when: "what is left of it stays in a file of its own, and a new one begins",
                commands: &["mv {path} {path}.before-{iteration}", "{run}"],
            },
            READ_ALL_AGAIN,
        ],
    },
    Entry {
        cause: Cause::LedgerDamaged,
        happened: "The ledger beside the file cannot be read",
        rows: "The rows are there, but nobody knows up to which iteration, or whether the last of them are whole; if there \
               is a copy of the ledger, put it back",
        remedies: &[
            Remedy {
                when: "what is there stays in a file of its own, and a new one begins",
                commands: &["mv {path} {path}.before-{iteration}", "rm {path}.flow", "{run-from}"],
            },
            READ_ALL_AGAIN,
        ],
    },
    Entry {
        cause: Cause::PrefixDamaged,
        happened: "The ledger of a prefix of S3, `_flow/current.json`, is not as it was written",
        rows: "The objects are there, but which of them are published nobody knows; if the bucket keeps versions, put the last \
               whole one back",
        remedies: &[
            Remedy {
                when: "what was published may go. COPY THE TARGET FIRST: no manifest names it any more, and `clean` removes it",
                commands: &["{program} forget {port} --empty --yes{store-is-lost}{options}", "{run-from}"],
            },
            READ_ALL_AGAIN,
        ],
    },
    Entry {
        cause: Cause::HalfEmptied,
        happened: "A table of DynamoDB was not emptied to the end; or its ledger was made to forget the flow while it was loaded",
        rows: "Some items are there, of which the ledger knows nothing; rows that are added to them would be there twice",
        remedies: &[Remedy {
            when: "the items that are there may go. COPY THE TARGET FIRST: rows whose source files are gone, rotated away or \
                   deleted, cannot come back",
            commands: &["{program} forget {port} --empty --yes{store-is-lost}{options}", "{run-from}"],
        }],
    },
    Entry {
        cause: Cause::StagedLost,
        happened: "What was staged for a sealed iteration is missing or damaged",
        rows: "They are not in the target yet; what they were made of was sealed, and is read again, which must give the \
               same",
        remedies: &[Remedy {
            when: "the source still has what was read",
            commands: &["{program} restage {iteration}{options}", "{run}"],
        }],
    },
    Entry {
        cause: Cause::StagingGone,
        happened: "The bucket in which rows were staged for a sealed iteration is gone",
        rows: "They are not in the target yet; what they were made of was sealed, and is read again, which must give the \
               same",
        remedies: &[Remedy {
            when: "the source still has what was read",
            commands: &[
                "{program} setup --only {port} --yes{options}",
                "{program} restage {iteration}{options}",
                "{run}",
            ],
        }],
    },
    Entry {
        cause: Cause::OutputGone,
        happened: "An iteration was sealed with rows for an output that the flow does not have any more",
        rows: "They are staged, and not yet in their target; the program that sealed them publishes them",
        remedies: &[RESTAGE_CHANGED],
    },
    Entry {
        cause: Cause::OtherFields,
        happened: "An iteration was sealed with rows of other fields than the output has now",
        rows: "They are staged, and not yet in their target; the program that sealed them publishes them",
        remedies: &[RESTAGE_CHANGED],
    },
    Entry {
        cause: Cause::OtherAddress,
        happened: "An iteration was sealed with rows for another place than the output is bound to now, if to any",
        rows: "They are staged, and not yet in their target",
        remedies: &[Remedy { when: "they go where they were to go", commands: &["{run-former}"] }],
    },
    Entry {
        cause: Cause::OtherMode,
        happened: "An iteration was sealed with rows for another mode than the output is bound with now",
        rows: "They are staged, and not yet in their target; each mode makes something else of them",
        remedies: &[Remedy { when: "they are published as they were to be", commands: &["{run-former}"] }],
    },
    Entry {
        cause: Cause::SourceShrunk,
        happened: "A file is shorter than the place that it was read to: it was emptied and written anew, or cut",
        rows: "What was read of it is loaded, and stays; what was added to it between the last iteration and the cut, if \
               anything, is lost; if the file of that time is still there, put it back",
        remedies: &[
            Remedy { when: "what is in it now was written after it was emptied", commands: &["{run} --accept-gap"] },
            Remedy { when: "what is in it now was read before it was cut", commands: &["{run} --accept-gap=end"] },
        ],
    },
    Entry {
        cause: Cause::SourceChanged,
        happened: "A file begins with other bytes than those that were read of it",
        rows: "What was read of it is loaded, and stays; what was added to it between the last iteration and the change, if \
               anything, is lost; if the file of that time is still there, put it back",
        remedies: &[
            Remedy { when: "what is in it now is new", commands: &["{run} --accept-gap"] },
            Remedy {
                when: "what is in it now was read before, and only changed since",
                commands: &["{run} --accept-gap=end"],
            },
        ],
    },
    Entry {
        cause: Cause::SourceOverwritten,
        happened: "An object was overwritten after it was read: what has its key now is another version; or it was deleted \
                   before it was read to its end",
        rows: "What was read of it is loaded, and stays; what was not yet read of that version is lost, unless the bucket \
               keeps versions and it is put back",
        remedies: &[
            Remedy { when: "what is in it now is new, or nothing is there", commands: &["{run} --accept-gap"] },
            Remedy {
                when: "what is in it now was read before, and only changed since",
                commands: &["{run} --accept-gap=end"],
            },
        ],
    },
    Entry {
        cause: Cause::SourceAgedOut,
        happened: "Records may have aged out of a stream before they were read: it was not read for longer than it keeps them",
        rows: "What was read of it is loaded, and stays; what came between the last iteration and the oldest record that is \
               there, if anything, is lost; the message says how long that was",
        remedies: &[
            Remedy { when: "what is left of it is to be read", commands: &["{run} --accept-gap"] },
            Remedy { when: "only what comes from now on is to be read", commands: &["{run} --accept-gap=end"] },
        ],
    },
    Entry {
        cause: Cause::SourceReplaced,
        happened: "The stream that was read was deleted, and another one was made under its name; or the address names \
                   another one now",
        rows: "What was read of the former one is loaded, and stays; what came into it after the last iteration, if anything, \
               is lost with it",
        remedies: &[
            Remedy { when: "what is in the present one is new", commands: &["{run} --accept-gap"] },
            Remedy { when: "only what comes into it from now on is to be read", commands: &["{run} --accept-gap=end"] },
        ],
    },
];
