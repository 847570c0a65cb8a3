//! What a command has done, told to a person or to a script.

use std::io::Write;

use clap::ArgMatches;
use serde_json::{Value, json};

use super::{
    commands::Call,
    ending::{fail, print},
    json,
    signals::Signals,
};
use crate::{Error, Flow};

/// To whom a command tells what it has done: people read text, scripts one line of JSON, in which a failure stands, too.
pub(super) struct Telling<'a> {
    flow: String,
    is_json: bool,
    is_quiet: bool,
    /// Who asks the process to stop, also while the command does its work.
    signals: &'a Signals,
    stdout: &'a mut dyn Write,
    stderr: &'a mut dyn Write,
}

impl<'a> Telling<'a> {
    /// As the flags `--json` and `--quiet` of the command say.
    pub(super) fn new<F: Flow>(call: Call<'a, F>) -> (&'a mut F, &'a ArgMatches, Self) {
        let Call { flow, matches, signals, stdout, stderr, .. } = call;
        let is_quiet = matches.try_get_one::<bool>("quiet").ok().flatten().copied().unwrap_or(false);
        let is_json = matches.get_flag("json");
        let flow_name = F::PLAN.logical_name();
        (flow, matches, Self { flow: flow_name, is_json, is_quiet, signals, stdout, stderr })
    }

    /// Says something on the way, to people.
    pub(super) fn say(&mut self, text: &str) {
        if !self.is_json && !self.is_quiet {
            // Nobody is left to tell when stderr is gone.
            let _ = self.stderr.write_all(text.as_bytes()).and_then(|()| self.stderr.flush());
        }
    }

    /// Tells it, and returns the exit code.
    ///
    /// # Errors
    /// [`Error::Target`] when stdout cannot be written to.
    pub(super) fn tell<T>(
        self,
        result: &Result<T, Error>,
        text: impl FnOnce(&T) -> String,
        json: impl FnOnce(&T) -> Value,
    ) -> Result<u8, Error> {
        let done = result.as_ref();
        self.tell_part(done.ok().map(text), done.ok().map(json), done.err())
    }

    /// The same of what may have been done in part when it failed.
    pub(super) fn tell_part(
        mut self,
        text: Option<String>,
        json: Option<Value>,
        error: Option<&Error>,
    ) -> Result<u8, Error> {
        self.say(&text.unwrap_or_default());
        let code = error.map_or(0, |error| fail(self.stderr, error, self.signals.last()));
        if self.is_json {
            let outcome = if error.is_none() { "done" } else { "failed" };
            let mut object = json!({ "flow": self.flow, "outcome": outcome, "exit_code": code });
            extend(&mut object, json.unwrap_or_default());
            if let Some(error) = error {
                object["error"] = json::failure(error);
            }
            print(self.stdout, &format!("{object}\n"))?;
        }
        Ok(code)
    }

    /// Whether people look on.
    #[cfg(feature = "aws")]
    pub(super) fn is_for_people(&self) -> bool {
        !self.is_json && !self.is_quiet
    }

    /// Set when the command is to stop.
    #[cfg(feature = "aws")]
    pub(super) fn stop(&self) -> std::sync::Arc<std::sync::atomic::AtomicBool> {
        self.signals.stop()
    }
}

fn extend(object: &mut Value, more: Value) {
    if let (Value::Object(fields), Value::Object(more)) = (object, more) {
        fields.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_comes_while_a_command_works_is_in_its_exit_code() {
        let signals = Signals::default();
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let telling = Telling {
            flow: "counts".to_owned(),
            is_json: true,
            is_quiet: false,
            signals: &signals,
            stdout: &mut stdout,
            stderr: &mut stderr,
        };
        signals.come(15);
        let code = telling.tell(&Err::<(), _>(Error::Interrupted), |()| String::new(), |()| json!({}));
        assert_eq!(code.unwrap(), 143);
        assert!(String::from_utf8(stdout).unwrap().contains("\"exit_code\":143"));
    }
}
