//! The ledger: a table `flow_ledger_<table>` beside each table, that loads lock and nobody else needs. What its entries mean
//! is in `sink/ledger.rs`.

use super::{
    server::{LOCK_WAIT, REDSHIFT, statement_timeout},
    shape,
    table::{Table, literal},
};
use crate::{
    effect::{Mutant, clock, mutant, patience},
    sink::{
        Mode, Ticket,
        iteration_column::Noted,
        ledger::{Described, LedgerEntry, Turn, turn_of_table},
        sql::{Session, Step, Trouble},
    },
};

/// The ledger beside a table.
#[derive(Clone, Copy)]
pub(super) struct Ledger<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) table: &'a Table,
    /// For people.
    pub(super) place: &'a str,
}

/// It has no key: Redshift would enforce none, and the lock is what keeps entries apart.
const COLUMNS: &str = "flow varchar(1024) NOT NULL, port varchar(256) NOT NULL, epoch varchar(256) NOT NULL, iteration \
                       bigint NOT NULL, hash varchar(256) NOT NULL, row_count bigint NOT NULL, staged varchar(4096), pid \
                       integer NOT NULL, published timestamp NOT NULL";

impl Ledger<'_> {
    /// Makes it where there is none, outside of any transaction.
    pub(super) fn make(&self) -> Result<(), Trouble> {
        if self.exists()? {
            return Ok(());
        }
        let made = self.session.text(Step::MakeLedger, &create(self.table));
        // Of two that make it at once, one is refused; it is there all the same.
        if made.is_err() && self.exists()? { Ok(()) } else { made.map(drop) }
    }

    /// Begins a transaction by locking it, before anything is read: a snapshot from before the lock would not show what who
    /// held it has committed. The lock waits for sessions whose client is gone, too.
    pub(super) fn begin(&self) -> Result<(), Trouble> {
        let session = self.session;
        self.wait_less(Step::Begin)?;
        let (begin, mut lock) = ("BEGIN".to_owned(), lock(self.table));
        match () {
            () if mutant(Mutant::TransactionDropped) => {}
            () if mutant(Mutant::LockBehindSnapshot) => lock = format!("{begin}; {lock}"),
            () => drop(session.text(Step::Begin, &begin)?),
        }
        if !mutant(Mutant::LockDropped)
            && let Err(trouble) = session.text(Step::LockLedger, &lock)
        {
            return Err(self.held_by(trouble));
        }
        session.text(Step::LockLedger, &statement_timeout(session.limit)).map(drop)
    }

    /// From now on the session waits for who holds it, but for a copy it would wait longer. Whoever reads it without the lock
    /// says so first.
    pub(super) fn wait_less(&self, step: Step) -> Result<(), Trouble> {
        self.session.text(step, &statement_timeout(patience(LOCK_WAIT).min(self.session.limit))).map(drop)
    }

    /// Adds who holds it to what went wrong, if that is why.
    fn held_by(&self, trouble: Trouble) -> Trouble {
        let ask = |session: &Session<'_>| session.text(Step::LookAtTable, &holders(self.table));
        let (mut account, answer) = match trouble {
            Trouble::Refused(account) if account.is_busy() => {
                let ended = self.session.text(Step::Rollback, "ROLLBACK");
                (account, ended.and_then(|_| ask(self.session)))
            }
            // The server has not ended the wait. Whether it is that, or the network, another connection tells.
            Trouble::Passing(account) if account.is_late() => match self.session.another() {
                Ok(session) => (account.of_busy(&REDSHIFT), ask(&session)),
                Err(_) => return Trouble::Passing(account),
            },
            trouble => return trouble,
        };
        // Without an answer there is still what went wrong.
        if let Ok(answer) = answer {
            let mut holders: Vec<String> = answer.rows.iter().filter_map(|row| holder(row)).collect();
            holders.dedup();
            account.cause += &match holders.as_slice() {
                [] => NOBODY_SEEN.to_owned(),
                holders => format!("; it is held by {}", holders.join(", by ")),
            };
        }
        Trouble::Refused(account)
    }

    /// Whether it is the ticket's turn, and whether the table is there. Without the lock it is an answer for people.
    pub(super) fn turn(&self, ticket: &Ticket) -> Result<(Turn, bool), Trouble> {
        self.wait_less(Step::Connect)?;
        let last = if self.exists()? { self.last(ticket)? } else { None };
        self.turn_after(last.as_ref(), ticket)
    }

    /// The same under the lock.
    pub(super) fn turn_under_lock(&self, ticket: &Ticket) -> Result<(Turn, bool), Trouble> {
        let last = self.last(ticket)?;
        self.turn_after(last.as_ref(), ticket)
    }

    fn turn_after(&self, last: Option<&LedgerEntry>, ticket: &Ticket) -> Result<(Turn, bool), Trouble> {
        let has_table = shape::exists(self.session, self.table, self.place)?;
        let forget = forget(self.table, &ticket.flow);
        let target = Described { place: self.place, how_to_forget: &forget };
        let turn = turn_of_table(last, has_table, ticket, self.table.shape.mode, target)?;
        Ok((turn, has_table))
    }

    fn last(&self, ticket: &Ticket) -> Result<Option<LedgerEntry>, Trouble> {
        let rows = self.read(&last(self.table, ticket))?;
        let entry = |row: Vec<Option<String>>| match row.as_slice() {
            [Some(epoch), Some(iteration), Some(hash)] => {
                Some(LedgerEntry { epoch: epoch.clone(), iteration: iteration.parse().ok(), hash: hash.clone() })
            }
            _ => None,
        };
        Ok(rows.into_iter().next().and_then(entry))
    }

    /// What it has of the ticket's iteration.
    pub(super) fn noted(&self, ticket: &Ticket) -> Result<Option<Noted>, Trouble> {
        let noted = |row: Vec<Option<String>>| match row.as_slice() {
            [Some(hash), Some(rows), staged] => {
                rows.parse().ok().map(|rows| Noted { hash: hash.clone(), rows, staged: staged.clone() })
            }
            _ => None,
        };
        if !self.exists()? {
            return Ok(None);
        }
        Ok(self.read(&noted_of(self.table, ticket))?.into_iter().next().and_then(noted))
    }

    /// Puts an entry in the place of that of the same iteration.
    pub(super) fn renew(&self, ticket: &Ticket, row_count: u64, staged: Option<&str>) -> Result<(), Trouble> {
        self.session.text(Step::WriteLedger, &forget_iteration(self.table, ticket))?;
        self.session.text(Step::WriteLedger, &add(self.table, ticket, row_count, staged)).map(drop)
    }

    /// The epoch of what a flow has published last, if it has anything.
    pub(super) fn epoch(&self, flow: &str) -> Result<Option<String>, Trouble> {
        if !self.exists()? {
            return Ok(None);
        }
        let rows = self.session.text(Step::ReadLedger, &epoch(self.table, flow))?.rows;
        Ok(rows.into_iter().flatten().flatten().next())
    }

    /// The flow and port that keep the table with a store, if any do.
    pub(super) fn keeper(&self) -> Result<Option<(String, String)>, Trouble> {
        if !self.exists()? {
            return Ok(None);
        }
        let sql = format!("SELECT flow, port FROM {} LIMIT 1", self.table.ledger());
        let row = self.read(&sql)?.into_iter().next().unwrap_or_default();
        let mut row = row.into_iter().flatten();
        Ok(row.next().zip(row.next()))
    }

    /// Asks it something.
    pub(super) fn read(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Trouble> {
        let answer = self.session.text(Step::ReadLedger, sql);
        answer.map(|answer| answer.rows).map_err(|trouble| self.held_by(trouble))
    }

    /// Adds the entry of an iteration. It may be there, of a table that was dropped and is replaced.
    pub(super) fn add(&self, ticket: &Ticket, row_count: u64, staged: Option<&str>) -> Result<(), Trouble> {
        if self.table.shape.mode == Mode::Replace {
            return self.renew(ticket, row_count, staged);
        }
        self.session.text(Step::WriteLedger, &add(self.table, ticket, row_count, staged)).map(drop)
    }

    /// Removes the entries of the flow's port, of all epochs.
    pub(super) fn forget(&self, flow: &str) -> Result<(), Trouble> {
        self.session.text(Step::WriteLedger, &forget(self.table, flow)).map(drop)
    }

    pub(super) fn exists(&self) -> Result<bool, Trouble> {
        shape::has_relation(self.session, Step::ReadLedger, &self.table.schema, &self.table.ledger_name())
    }
}

/// Amazon Redshift, Database Developer Guide, "SVV_TRANSACTIONS", 2026-11-22.
const NOBODY_SEEN: &str = "; who holds it is not to be seen: svv_transactions shows the sessions of others to superusers alone, \
                           and to who has SYSLOG ACCESS UNRESTRICTED";

/// How often, and how far apart, a lock is looked at before it is taken for one that stays: a load takes its time.
const LOOKS: u32 = 5;
const LOOK_PAUSE: std::time::Duration = std::time::Duration::from_millis(400);

/// Who keeps the ledger locked, and whether others wait for it.
#[derive(Debug)]
pub(super) struct Lockers {
    /// Their numbers, with what is known of each.
    pub(super) sessions: Vec<(String, String)>,
    pub(super) is_awaited: bool,
}

impl Ledger<'_> {
    /// The sessions that keep it locked, and stay there.
    pub(super) fn lockers(&self) -> Result<Lockers, Trouble> {
        let look = || {
            let rows = self.session.text(Step::LookAtTable, &holders(self.table))?.rows;
            let named = rows.iter().filter_map(|row| Some((row.first()?.clone()?, holder(row)?)));
            let mut sessions: Vec<_> = named.collect();
            sessions.dedup();
            Ok::<_, Trouble>(Lockers { is_awaited: rows.iter().any(|row| holder(row).is_none()), sessions })
        };
        let mut stay = look()?;
        for _ in 1..LOOKS {
            if stay.sessions.is_empty() {
                break;
            }
            clock::sleep(LOOK_PAUSE);
            let now = look()?;
            stay.sessions.retain(|session| now.sessions.contains(session));
            stay.is_awaited = now.is_awaited;
        }
        Ok(stay)
    }
}

/// The session of a row that [`holders`] gives, if it has the lock.
fn holder(row: &[Option<String>]) -> Option<String> {
    let text = |at: usize| row.get(at).and_then(Option::as_deref).unwrap_or_default().trim();
    let holds = matches!(text(3), "t" | "true");
    holds.then(|| format!("pid {} of {}, since {}", text(0), text(1), text(2)))
}

pub(super) fn create(table: &Table) -> String {
    format!("CREATE TABLE {} ({COLUMNS})", table.ledger())
}

pub(super) fn lock(table: &Table) -> String {
    format!("LOCK TABLE {}", table.ledger())
}

/// The sessions that hold or await a lock on the ledger.
pub(super) fn holders(table: &Table) -> String {
    format!(
        "SELECT t.pid, t.txn_owner, t.txn_start, t.granted FROM svv_transactions t JOIN pg_class c ON c.oid = t.relation \
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {} AND c.relname = {} ORDER BY t.txn_start",
        literal(&table.schema),
        literal(&table.ledger_name())
    )
}

/// The last iteration; any other epoch than the ticket's comes first, for it must be noticed.
pub(super) fn last(table: &Table, ticket: &Ticket) -> String {
    format!(
        "SELECT epoch, iteration, hash FROM {} WHERE flow = {} AND port = {} ORDER BY CASE WHEN epoch = {} THEN 1 ELSE 0 \
         END, iteration DESC LIMIT 1",
        table.ledger(),
        literal(&ticket.flow),
        literal(&ticket.port),
        literal(&ticket.epoch)
    )
}

/// What was loaded of one iteration.
pub(super) fn noted_of(table: &Table, ticket: &Ticket) -> String {
    format!(
        "SELECT hash, row_count, staged FROM {} WHERE flow = {} AND port = {} AND epoch = {} AND iteration = {}",
        table.ledger(),
        literal(&ticket.flow),
        literal(&ticket.port),
        literal(&ticket.epoch),
        ticket.iteration
    )
}

pub(super) fn add(table: &Table, ticket: &Ticket, row_count: u64, staged: Option<&str>) -> String {
    format!(
        "INSERT INTO {} (flow, port, epoch, iteration, hash, row_count, staged, pid, published) VALUES ({}, {}, {}, {}, {}, \
         {row_count}, {}, pg_backend_pid(), GETDATE())",
        table.ledger(),
        literal(&ticket.flow),
        literal(&ticket.port),
        literal(&ticket.epoch),
        ticket.iteration,
        literal(&ticket.hash),
        staged.map_or_else(|| "NULL".to_owned(), literal)
    )
}

pub(super) fn forget_iteration(table: &Table, ticket: &Ticket) -> String {
    let (epoch, iteration) = (literal(&ticket.epoch), ticket.iteration);
    format!("{} AND epoch = {epoch} AND iteration = {iteration}", forget(table, &ticket.flow))
}

pub(super) fn epoch(table: &Table, flow: &str) -> String {
    let (flow, port) = (literal(flow), literal(table.shape.port.name));
    format!(
        "SELECT epoch FROM {} WHERE flow = {flow} AND port = {port} ORDER BY published DESC LIMIT 1",
        table.ledger()
    )
}

pub(super) fn forget(table: &Table, flow: &str) -> String {
    let port = table.shape.port.name;
    format!("DELETE FROM {} WHERE flow = {} AND port = {}", table.ledger(), literal(flow), literal(port))
}
