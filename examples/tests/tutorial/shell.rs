//! A shell as somebody has it who follows the page: what one command sets, the next one finds.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

/// How long a command may take: far longer than it does.
const PATIENCE: Duration = Duration::from_secs(120);

/// Printed behind the output of a command, with its exit code.
const END: &str = "--- the command has ended: ";

pub(crate) struct Shell {
    process: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Shell {
    /// In a folder that is its home, too, with nothing else in its environment but where programs are.
    pub(crate) fn start(folder: &Path, path: &str) -> Self {
        let mut shell = Command::new("sh");
        shell.current_dir(folder).env_clear().env("PATH", path).env("HOME", folder).env("LANG", "C.UTF-8");
        let mut process = shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let output = BufReader::new(process.stdout.take().unwrap());
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let input = process.stdin.take().unwrap();
        let mut shell = Self { process, input, lines };
        shell.run("exec 2>&1").unwrap();
        shell
    }

    /// Runs a command, and says what it printed; or what it printed until it failed, or was late.
    pub(crate) fn run(&mut self, command: &str) -> Result<String, String> {
        // A command that reads its input does not read the next ones.
        writeln!(self.input, "{{ {command}\n}} </dev/null\necho \"{END}$?\"").unwrap();
        let (deadline, mut output) = (Instant::now() + PATIENCE, String::new());
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                // What it printed last may not have ended its line.
                Ok(line) => match line.split_once(END) {
                    None => output = output + &line + "\n",
                    Some((rest, "0")) => return Ok(output + rest),
                    Some((rest, code)) => return Err(format!("{output}{rest}\nexit code {code}")),
                },
                Err(error) => return Err(format!("{output}\n{error}")),
            }
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // It is the first of its group: what it has started and not waited for ends with it.
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.process.id())]).status();
        let _ = self.process.wait();
    }
}
