//! A client of the stand-in's, for what a test needs beforehand and what it compares with. It shares no code with flow.

use super::{USER, backend::Backend};

/// A session that stays open: for locks that are held while something else happens.
#[derive(Debug)]
pub struct Client(Backend);

impl Client {
    pub(super) fn connect(port: u16) -> Self {
        Self(Backend::connect(port, USER, "dev").expect("a session"))
    }

    /// Runs SQL; says its rows, a line each, columns between `|`, null as `∅`.
    ///
    /// # Errors
    /// What the stand-in says, when it refuses: the error's code, and its text.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn try_ask(&mut self, sql: &str) -> Result<String, String> {
        let answer = self.0.ask(sql).expect("an answer");
        let rows = answer.map_err(|refusal| format!("{} {}", refusal.code(), refusal.text()))?;
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "∅".to_owned());
        let row = |row: &Vec<Option<String>>| row.iter().map(value).collect::<Vec<_>>().join("|");
        Ok(rows.iter().map(row).collect::<Vec<_>>().join("\n"))
    }

    /// The same when nothing but success is right.
    ///
    /// # Panics
    /// When the stand-in refuses.
    pub fn ask(&mut self, sql: &str) -> String {
        self.try_ask(sql).unwrap_or_else(|said| panic!("{sql}: {said}"))
    }
}
