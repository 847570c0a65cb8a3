//! Installs what services need below `target/`, as `pins/` says to the last version, once for all processes.

use std::{
    env,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What is installed together: the services that one program runs, and what reads what flow writes for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Node,
    Python,
    Linters,
}

/// Loaded before what runs in Node.
const LOOPBACK: (&str, &str) = ("loopback.js", include_str!("loopback.js"));

impl Family {
    const fn folder(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Python => "python",
            Self::Linters => "linters",
        }
    }

    /// Files that say what is installed, or belong to it.
    const fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Node => &[
                ("package.json", include_str!("../pins/package.json")),
                ("package-lock.json", include_str!("../pins/package-lock.json")),
                LOOPBACK,
            ],
            Self::Python => &[("requirements.txt", include_str!("../pins/requirements.txt"))],
            Self::Linters => &[("requirements.txt", include_str!("../pins/linters.txt"))],
        }
    }

    /// What installs it, when it is run in its folder.
    const fn steps(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Node => &[&["npm", "ci", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund"]],
            Self::Python | Self::Linters => &[
                &["python3", "-m", "venv", "."],
                &["bin/python", "-m", "pip", "install", "--no-deps", "--requirement", "requirements.txt"],
            ],
        }
    }

    /// The program, before the arguments of a service.
    pub(crate) fn program(self, place: &Path) -> Command {
        match self {
            Self::Node => {
                let mut command = Command::new("node");
                command.arg("--require").arg(place.join(LOOPBACK.0));
                command
            }
            Self::Python | Self::Linters => Command::new(place.join("bin/python")),
        }
    }
}

/// The folder of a family of services, which are installed first if they are not, or others than wanted.
pub(crate) fn installed(family: Family) -> Result<PathBuf, String> {
    let services = target().join("services");
    let place = services.join(family.folder());
    let wanted: String = family.files().iter().map(|(_, text)| *text).collect();
    let note = place.join("installed");
    let is_there = || fs::read_to_string(&note).is_ok_and(|found| found == wanted);
    if is_there() {
        return Ok(place);
    }
    let said = |error: io::Error| format!("{}: {error}", place.display());
    fs::create_dir_all(&services).map_err(said)?;
    // Another process may be at it; the lock ends with the file.
    let lock = File::create(services.join(format!("{}.lock", family.folder()))).map_err(said)?;
    lock.lock().map_err(said)?;
    if is_there() {
        return Ok(place);
    }
    if place.exists() {
        fs::remove_dir_all(&place).map_err(said)?;
    }
    fs::create_dir(&place).map_err(said)?;
    for (name, text) in family.files() {
        fs::write(place.join(name), text).map_err(said)?;
    }
    family.steps().iter().try_for_each(|step| take(step, &place))?;
    fs::write(&note, wanted).map_err(said)?;
    Ok(place)
}

/// Runs one step of an installation.
fn take(step: &[&str], place: &Path) -> Result<(), String> {
    let [program, arguments @ ..] = step else { return Ok(()) };
    // A relative program would be looked for where this process is.
    let path = if program.contains('/') { place.join(program) } else { PathBuf::from(program) };
    let output = Command::new(path).args(arguments).current_dir(place).stdin(Stdio::null()).output();
    match output {
        Err(error) => Err(format!("`{program}`: {error}")),
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            Err(format!("`{}`: {}", step.join(" "), [stdout.trim(), stderr.trim()].join(" ").replace('\n', " ")))
        }
    }
}

/// Where cargo puts what it makes: this program is in it.
fn target() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let found = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    found.or(workspace.map(|workspace| workspace.join("target")).as_deref()).unwrap_or(&program).to_owned()
}
