//! What a ledger inside a target says about a publication: a pure decision, the same for every tap.
//!
//! A target remembers the last iteration that was published to it. That makes publishing idempotent: after a crash it
//! is simply done again, and what is there already is found here.

use super::{Mode, Ticket, staging::is_by_shard};
use crate::{
    Error, Failure,
    effect::{Mutant, mutant},
    held::Cause,
};

/// The last entry of a target's ledger for a flow's port.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct LedgerEntry {
    /// The logical name's random number at the time.
    pub(crate) epoch: String,
    /// The iteration; `None` when nothing has been published yet.
    pub(crate) iteration: Option<u64>,
    /// The hash of what was staged for it.
    pub(crate) hash: String,
}

/// Whether to publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The iteration is the next one.
    Publish,
    /// It is there already.
    Skip,
}

/// A target in the words of its tap.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Described<'a> {
    /// Where it is.
    pub(crate) place: &'a str,
    /// What a person does to make its ledger forget the flow's port.
    pub(crate) how_to_forget: &'a str,
}

/// The entry of a file's ledger that counts, for a file of `length` bytes where `published` were; no length: no file. A
/// table that was dropped is like a file without length.
///
/// A file that is replaced may be shorter, for the next rows may stand there before the ledger knows. Then the entry does
/// not say that its iteration is there; but whatever comes before it stays refused. A file that was taken away, by whoever
/// uses the rows or rotates files, has its rows where it went, and a new one begins.
///
/// # Errors
/// The length of a file that has lost rows.
pub(crate) fn borne_out<'a>(
    last: &'a LedgerEntry,
    (length, published): (Option<u64>, u64),
    ticket: &Ticket,
    mode: Mode,
) -> Result<Option<&'a LedgerEntry>, u64> {
    let is_next = last.epoch == ticket.epoch && last.iteration <= Some(ticket.iteration);
    match (length, mode) {
        (Some(length), _) if length >= published => Ok(Some(last)),
        (_, Mode::Replace) if is_next => Ok(None),
        (None, _) | (_, Mode::Replace) => Ok(Some(last)),
        (Some(length), _) => Err(length),
    }
}

/// Compares the ledger's last entry with the ticket.
///
/// The same iteration with the same hash is there already. Otherwise the last entry must be the iteration that the
/// store takes for the last published. Less may be found by Replace, for nothing of what was there stays, and where the
/// address says that the target begins with this iteration or one that nothing was published for since.
///
/// # Errors
/// [`Error::Held`] for all else: a person must say which of both is right.
pub(crate) fn turn(
    last: Option<&LedgerEntry>,
    ticket: &Ticket,
    mode: Mode,
    target: Described<'_>,
) -> Result<Turn, Error> {
    let Described { place, how_to_forget } = target;
    let found = last.and_then(|entry| entry.iteration);
    let held = |why: Cause, what: &str, cause: String| {
        let anew = format!("empty it, {how_to_forget}");
        let help = match ticket.after {
            None => format!("nothing was changed; to start this target anew, {anew}, and run again"),
            Some(after) if found < Some(after) => format!(
                "nothing was changed; put target and checkpoint store back as they were, together; or have the target \
                 go on with iteration {0} while what came before stays elsewhere: add the option from={0} to its \
                 address; or start both anew, which reads everything again: {anew}, and give a new --checkpoint",
                ticket.iteration
            ),
            // A target that remembers nothing would lack what the store remembers.
            Some(_) => format!(
                "nothing was changed; put target and checkpoint store back as they were, together; or start both anew, \
                 which reads everything again: {anew}, and give a new --checkpoint"
            ),
        };
        let case = why.case().iteration(ticket.iteration);
        Err(Error::Held(Failure::new(what).at(place).cause(cause).help(help).held(case)))
    };
    if let Some(entry) = last
        && entry.epoch != ticket.epoch
        && !mutant(Mutant::EpochIgnored)
    {
        let cause = format!("its epoch is {}, that of the checkpoint store is {}", entry.epoch, ticket.epoch);
        return held(Cause::ForeignLedger, "the target was loaded from another checkpoint store", cause);
    }
    if mutant(Mutant::LedgerCheckDropped) {
        return Ok(Turn::Publish);
    }
    if found == Some(ticket.iteration) && !ticket.hash.is_empty() {
        return match last {
            // The same rows, staged anew, may have come in another order of their shards.
            Some(entry) if is_by_shard(&entry.hash, &ticket.hash) => Ok(Turn::Skip),
            _ => held(
                Cause::OtherRows,
                "the target has other rows for this iteration",
                format!("iteration {} was published with another hash", ticket.iteration),
            ),
        };
    }
    let begins_here = ticket.from.is_some_and(|from| ticket.after < Some(from) && from <= ticket.iteration);
    if found == ticket.after
        || mutant(Mutant::OrderCheckDropped)
        || (found < ticket.after && (mode == Mode::Replace || begins_here))
    {
        return Ok(Turn::Publish);
    }
    let cause = format!("it has {}, the checkpoint store {}", name(found), name(ticket.after));
    match found > ticket.after {
        true => held(Cause::LedgerAhead, "the target is ahead of the checkpoint store", cause),
        false => held(Cause::LedgerBehind, "the target lacks an iteration that was published to it", cause),
    }
}

/// The same for a table, which may have been dropped although the ledger names what it had: Replace puts there again
/// what is gone.
///
/// # Errors
/// [`Error::Held`] as `turn`, and when rows are gone that the ledger remembers.
pub(crate) fn turn_of_table(
    last: Option<&LedgerEntry>,
    exists: bool,
    ticket: &Ticket,
    mode: Mode,
    target: Described<'_>,
) -> Result<Turn, Error> {
    let last = match last {
        Some(gone) if !exists && borne_out(gone, (None, 0), ticket, mode) == Ok(None) => None,
        Some(_) if !exists => return Err(gone(ticket, target)),
        last => last,
    };
    turn(last, ticket, mode, target)
}

fn gone(ticket: &Ticket, target: Described<'_>) -> Error {
    let (iteration, forget) = (ticket.iteration, target.how_to_forget);
    let help = format!(
        "nothing was changed; put the database back as it was; or begin a new table with iteration {iteration}: {forget}, \
         and add the option from={iteration} to the address"
    );
    let failure = Failure::new("the table is gone").at(target.place).cause("its ledger names what it had");
    Error::Held(failure.help(help).held(Cause::TableGone.case().iteration(iteration)))
}

fn name(iteration: Option<u64>) -> String {
    iteration.map_or_else(|| "no iteration".to_owned(), |iteration| format!("iteration {iteration}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Described<'_> = Described { place: "x.db", how_to_forget: "delete its rows in flow_ledger" };

    fn ticket(iteration: u64, after: Option<u64>) -> Ticket {
        let [flow, port, epoch, hash] = ["hits", "counts", "e1", "h"].map(str::to_owned);
        Ticket { flow, port, epoch, iteration, hash, after, from: None }
    }

    fn entry(epoch: &str, iteration: u64, hash: &str) -> LedgerEntry {
        LedgerEntry { epoch: epoch.to_owned(), iteration: Some(iteration), hash: hash.to_owned() }
    }

    fn held(last: Option<&LedgerEntry>, ticket: &Ticket, mode: Mode) -> String {
        match turn(last, ticket, mode, TABLE) {
            Err(Error::Held(failure)) => failure.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_next_iteration_is_published() {
        assert_eq!(turn(None, &ticket(0, None), Mode::Append, TABLE).unwrap(), Turn::Publish);
        assert_eq!(turn(Some(&entry("e1", 0, "x")), &ticket(1, Some(0)), Mode::Append, TABLE).unwrap(), Turn::Publish);
        assert_eq!(turn(Some(&entry("e1", 0, "x")), &ticket(5, Some(0)), Mode::Merge, TABLE).unwrap(), Turn::Publish);
    }

    #[test]
    fn what_is_there_already_is_skipped() {
        assert_eq!(turn(Some(&entry("e1", 3, "h")), &ticket(3, Some(2)), Mode::Append, TABLE).unwrap(), Turn::Skip);
    }

    #[test]
    fn another_hash_a_foreign_epoch_and_a_ledger_ahead_are_held() {
        let text = held(Some(&entry("e1", 3, "x")), &ticket(3, Some(2)), Mode::Append);
        assert!(text.contains("published with another hash"), "{text}");
        let text = held(Some(&entry("e2", 3, "h")), &ticket(3, Some(2)), Mode::Replace);
        assert!(text.contains("its epoch is e2, that of the checkpoint store is e1"), "{text}");
        let text = held(Some(&entry("e1", 4, "h")), &ticket(3, Some(2)), Mode::Replace);
        assert!(text.contains("it has iteration 4, the checkpoint store iteration 2"), "{text}");
        assert!(text.contains("empty it, delete its rows in flow_ledger, and give a new --checkpoint"), "{text}");
        let text = held(Some(&entry("e2", 3, "h")), &ticket(0, None), Mode::Append);
        assert!(text.contains("empty it, delete its rows in flow_ledger, and run again"), "{text}");
    }

    #[test]
    fn a_file_that_is_shorter_is_replaced_by_what_comes_next_and_by_nothing_older() {
        let last = entry("e1", 3, "h");
        let borne_out = |length, iteration, mode| borne_out(&last, (length, 7), &ticket(iteration, Some(2)), mode);
        assert_eq!(borne_out(Some(7), 4, Mode::Append), Ok(Some(&last)));
        assert_eq!(borne_out(Some(6), 4, Mode::Append), Err(6));
        assert_eq!(borne_out(None, 4, Mode::Append), Ok(Some(&last)));
        for length in [None, Some(6)] {
            assert_eq!(borne_out(length, 4, Mode::Replace), Ok(None));
            assert_eq!(borne_out(length, 3, Mode::Replace), Ok(None));
            assert_eq!(borne_out(length, 2, Mode::Replace), Ok(Some(&last)));
        }
    }

    #[test]
    fn rows_that_are_gone_are_missed_except_by_replace() {
        let text = held(None, &ticket(3, Some(2)), Mode::Append);
        assert!(text.contains("it has no iteration, the checkpoint store iteration 2"), "{text}");
        held(Some(&entry("e1", 1, "h")), &ticket(3, Some(2)), Mode::Merge);
        assert_eq!(turn(None, &ticket(3, Some(2)), Mode::Replace, TABLE).unwrap(), Turn::Publish);
    }

    #[test]
    fn a_target_lacks_only_what_came_before_its_beginning() {
        let from = |from, iteration, after| Ticket { from: Some(from), ..ticket(iteration, Some(after)) };
        let published = |last: Option<&LedgerEntry>, ticket: Ticket| turn(last, &ticket, Mode::Append, TABLE).is_ok();
        assert!(published(None, from(3, 3, 2)) && published(None, from(3, 5, 2)));
        assert!(published(Some(&entry("e1", 0, "x")), from(3, 3, 2)));
        assert!(!published(None, from(3, 4, 3)) && !published(None, from(4, 3, 2)));
        assert!(!published(Some(&entry("e1", 4, "x")), from(3, 3, 2)));
        assert!(!published(Some(&entry("e2", 0, "x")), from(3, 3, 2)));
    }

    #[test]
    fn a_ticket_without_a_hash_is_the_next_iteration_or_held() {
        let ticket = |iteration, after| Ticket { hash: String::new(), ..ticket(iteration, after) };
        assert_eq!(turn(Some(&entry("e1", 2, "h")), &ticket(3, Some(2)), Mode::Merge, TABLE).unwrap(), Turn::Publish);
        let text = held(Some(&entry("e1", 3, "h")), &ticket(3, Some(2)), Mode::Replace);
        assert!(text.contains("ahead of the checkpoint store"), "{text}");
    }
}
