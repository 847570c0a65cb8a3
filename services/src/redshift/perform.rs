//! How a statement is done: in a session of PostgreSQL's, with what Redshift does beside it.

use std::{io, mem};

use super::{
    copy::{self, Copy},
    error::{self, Refusal},
    plan::{Plan, plan},
    session::{Done, Session},
    sql::{Name, Statement, literal},
};

impl Session<'_> {
    pub(super) fn perform(&mut self, statement: &Statement<'_>) -> io::Result<Done> {
        let plan = match plan(statement, self.backend.status != b'I') {
            Ok(plan) => plan,
            Err(refusal) => return Ok(Err(refusal)),
        };
        match plan {
            Plan::Say(tag) => Ok(Ok(tag.to_owned())),
            Plan::Pass(sql) => self.pass(&sql),
            Plan::Begin(_) if mem::take(&mut self.is_implicit) => Ok(Ok("BEGIN".to_owned())),
            Plan::Begin(sql) => self.pass(&sql),
            Plan::End(sql) => {
                self.is_implicit = false;
                self.pass(&sql)
            }
            Plan::Write { table, sql } => self.whole(Some(&table), |session| session.pass(&sql)),
            Plan::Define { sql, note } => self.whole(None, |session| {
                let done = session.pass(&sql)?;
                Ok(match session.backend.ask(&note) {
                    _ if done.is_err() => done,
                    said => said?.and(done),
                })
            }),
            Plan::Truncate { table, sql } => {
                let done = self.whole(Some(&table), |session| session.pass(&sql))?;
                if done.is_ok() && self.backend.status == b'T' {
                    self.is_implicit = false;
                    return Ok(self.backend.ask("COMMIT")?.and(done).map_err(|said| self.translated(said)));
                }
                Ok(done)
            }
            Plan::Copy(wanted) => self.whole(Some(&wanted.table), |session| session.copy(&wanted)),
        }
    }

    fn copy(&mut self, wanted: &Copy) -> io::Result<Done> {
        let rows = match copy::run(wanted, self.warehouse, &mut self.backend)? {
            Ok(rows) => rows,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let noted = format!("SELECT set_config('redshift.last_copy_count', {}, false)", literal(&rows.to_string()));
        if let Err(refusal) = self.backend.ask(&noted)? {
            return Ok(Err(refusal));
        }
        let table = wanted.table.bare();
        self.tell(&error::info(&format!(
            "Load into table '{table}' completed, {rows} record(s) loaded successfully."
        )))?;
        Ok(Ok("COPY".to_owned()))
    }

    /// Does something in the client's transaction, or in one of its own, with the table locked against other writers.
    fn whole(&mut self, table: Option<&Name>, work: impl FnOnce(&mut Self) -> io::Result<Done>) -> io::Result<Done> {
        let is_alone = self.backend.status == b'I';
        if is_alone {
            self.backend.run("BEGIN")?;
        }
        let lock = table.map(|table| format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", table.sql()));
        let locked = lock.map_or(Ok(Ok(Vec::new())), |lock| self.backend.ask(&lock))?;
        let done = match locked {
            Ok(_) => work(self)?,
            Err(refusal) => Err(refusal),
        };
        let done = match done {
            Ok(tag) if is_alone => self.backend.ask("COMMIT")?.map(|_| tag),
            Err(refusal) if is_alone && !refusal.is_fatal() => {
                self.backend.run("ROLLBACK")?;
                Err(refusal)
            }
            done => done,
        };
        Ok(done.map_err(|refusal| self.translated(refusal)))
    }

    /// Has PostgreSQL do a statement, and passes its answer on, but for how it ended.
    fn pass(&mut self, sql: &str) -> io::Result<Done> {
        self.backend.send_query(sql)?;
        let mut done = Ok(String::new());
        loop {
            let message = self.backend.read()?;
            match message.kind {
                b'C' => {
                    let tag = message.texts().next().unwrap_or_default();
                    // Redshift does not say how many rows there are.
                    done = Ok(if tag.starts_with("SELECT") { "SELECT".to_owned() } else { tag });
                }
                b'E' => {
                    let refusal = self.translated(Refusal::read(&message));
                    if refusal.is_fatal() {
                        return Ok(Err(refusal));
                    }
                    done = Err(refusal);
                }
                b'Z' => return Ok(done),
                _ => self.tell(&message)?,
            }
        }
    }

    pub(super) fn translated(&self, refusal: Refusal) -> Refusal {
        refusal.translated(self.warehouse.isolation, self.backend.pid)
    }
}
