//! A session in `psql` that stays open: for locks that are held while something else happens.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdout, Command, Stdio},
};

/// What `psql` prints after each question.
const END: &str = "-- end --";

/// An open session; it ends when it is dropped.
#[derive(Debug)]
pub struct Session {
    psql: Child,
    answers: BufReader<ChildStdout>,
}

impl Session {
    #[expect(clippy::expect_used, reason = "a test cannot go on")]
    pub(super) fn open(mut psql: Command) -> Self {
        let mut psql = psql.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("psql");
        let answers = BufReader::new(psql.stdout.take().expect("a pipe"));
        Self { psql, answers }
    }

    /// Runs SQL and says what it printed.
    ///
    /// # Panics
    /// When a statement fails.
    #[expect(clippy::expect_used, reason = "a test cannot go on")]
    pub fn ask(&mut self, sql: &str) -> String {
        let input = self.psql.stdin.as_mut().expect("a pipe");
        writeln!(input, "{sql};\n\\echo {END}").expect("psql has ended");
        let mut said = String::new();
        while !said.ends_with(&format!("{END}\n")) {
            let bytes = self.answers.read_line(&mut said).expect("what psql says");
            assert!(bytes > 0, "{sql}: {said}");
        }
        said.trim_end().trim_end_matches(END).trim_end().to_owned()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The end of its input is the end of the session.
        drop(self.psql.stdin.take());
        let _ = self.psql.wait();
    }
}
