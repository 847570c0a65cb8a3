//! The password of a server: from the address, else from `PGPASSWORD`, else from the password file, as PostgreSQL's own
//! programs find it.

use std::path::{Path, PathBuf};

use super::location::{Location, Secret};
use crate::effect::disk;

const FILE: &str = "postgres.password";

/// Looks for the password; a server may need none.
pub(super) fn find(location: &Location, variable: impl Fn(&str) -> Option<String>) -> Option<Secret> {
    let given = || variable("PGPASSWORD").filter(|password| !password.is_empty()).map(Secret);
    location.password.clone().or_else(given).or_else(|| in_file(&file(variable)?, location))
}

fn file(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    match variable("PGPASSFILE") {
        Some(path) => Some(path.into()),
        None => variable("HOME").map(|home| PathBuf::from(home).join(".pgpass")),
    }
}

/// The first line of the file that fits. One that others may read is left alone.
fn in_file(path: &Path, location: &Location) -> Option<Secret> {
    if is_open_to_others(path) {
        return None;
    }
    let wanted = [&location.site.host, &location.site.port.to_string(), &location.site.database, &location.user];
    disk::read_to_string(FILE, path).ok()?.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let password = fields.get(wanted.len())?;
        let fits = fields.iter().zip(wanted).all(|(field, wanted)| field == "*" || field == wanted);
        fits.then(|| Secret(password.clone()))
    })
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    disk::metadata(FILE, path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_path: &Path) -> bool {
    false
}

/// `host:port:database:user:password`; a `\` takes the next character as it is.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        let field = fields.last_mut();
        match (letter, field) {
            (':', _) => fields.push(String::new()),
            ('\\', Some(field)) => field.extend(letters.next()),
            (letter, Some(field)) => field.push(letter),
            (_, None) => {}
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;
    use crate::sink::postgres::POSTGRES;

    fn found(address: &str, variables: &[(&str, &str)]) -> Option<String> {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let location = Location::parse(&POSTGRES, &address.parse().unwrap(), "counts", variable).unwrap();
        find(&location, variable).map(|secret| secret.0)
    }

    #[test]
    fn the_address_comes_before_the_environment_and_that_before_the_file() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join(".pgpass");
        let lines = "# a comment\nother:*:*:*:no\nshort:line\ndb:5432:sales:l\\:d:fi\\\\le\\:1\n*:*:*:*:any\n";
        fs::write(&file, lines).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let home = ("HOME", place.path().to_str().unwrap());
        let environment = [home, ("PGPASSWORD", "environment")];
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(found("postgres://l%3Ad:address@db/sales", &environment), text("address"));
        assert_eq!(found("postgres://l%3Ad@db/sales", &environment), text("environment"));
        assert_eq!(found("postgres://l%3Ad@db/sales", &[home]), text("fi\\le:1"));
        assert_eq!(found("postgres://load@db/sales", &[home]), text("any"));
        let other = ("PGPASSFILE", "/nowhere");
        assert_eq!(found("postgres://load@db/sales", &[home, other]), None);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(found("postgres://load@db/sales", &[home]), None);
    }
}
