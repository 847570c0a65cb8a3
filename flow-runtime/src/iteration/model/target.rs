//! A target: its ledger is asked, its rows are written, its ledger is written.

use super::{
    effects::Reply,
    facts::{self, Claim},
    mutants::Mutant,
    world::{Entry, Kind, Row, Setup, Target},
};
use crate::sink::{Mode, ledger::Turn};

impl Target {
    /// Whether it is the turn of a claim.
    pub(super) fn turn(&self, setup: &Setup, port: usize, claim: Claim) -> Reply {
        let replaces = setup.modes[port] == Mode::Replace;
        if setup.is(Mutant::DropsLedgerCheck) || (replaces && setup.is(Mutant::ReplacesWithoutLedger)) {
            return Reply::Turn(Turn::Publish);
        }
        let mut ledger = self.ledger.clone();
        if let Some(entry) = &mut ledger
            && setup.is(Mutant::LedgerIgnoresEpoch)
        {
            entry.epoch = claim.epoch;
        }
        if setup.is(Mutant::ShorterFileForgetsLedger) && setup.kinds[port] == Kind::File && replaces {
            ledger = ledger.filter(|entry| entry.length <= self.rows.len());
        }
        let asked = facts::ask_ledger(setup, port, ledger.as_ref(), self.rows.len(), claim);
        match asked {
            None if setup.is(Mutant::DropsOrderCheck) => Reply::Turn(Turn::Publish),
            None => {
                Reply::Disagrees { is_foreign: self.ledger.as_ref().is_some_and(|entry| entry.epoch != claim.epoch) }
            }
            Some(turn) => Reply::Turn(turn),
        }
    }

    /// Writes the rows of a claim.
    pub(super) fn write(&mut self, setup: &Setup, port: usize, claim: Claim) {
        let rows = claim.span.records_for(port).map(|record| Row { record, attempt: claim.attempt });
        if setup.modes[port] == Mode::Replace {
            self.rows.clear();
        } else if setup.kinds[port] == Kind::File && !setup.is(Mutant::AppendsWithoutTruncating) {
            self.rows.truncate(self.ledger.as_ref().map_or(0, |entry| entry.length));
        }
        self.rows.extend(rows);
        if setup.modes[port] == Mode::Merge {
            self.rows.sort();
        }
    }

    /// Notes a claim in the ledger.
    pub(super) fn note(&mut self, setup: &Setup, claim: Claim) {
        self.ledger = Some(Entry {
            epoch: claim.epoch,
            number: Some(claim.number),
            hash: setup.hash(claim.attempt, claim.span),
            length: self.rows.len(),
        });
    }
}
