//! Addresses: `file:logs/*.log`, `sqlite:counts.db?table=counts&mode=merge`.
//!
//! What stands before the first `:` names the tap; what follows `?` are options. Which taps there are and which options
//! they take is theirs to say (`source/mod.rs`, `sink/mod.rs`).
//!
//! An address may hold a secret: `postgres://user:password@host/db`. Nobody prints the text that he was given; what is
//! shown is an [`Address`], or what [`without_secrets`] leaves of a text that is none.

use std::{borrow::Cow, collections::BTreeMap, fmt, str::FromStr};

use crate::{Error, Failure};

/// Where a port is bound to.
///
/// # Example
/// ```
/// let address: flow_runtime::Address = "sqlite:counts.db?table=counts&mode=merge".parse()?;
/// assert_eq!((address.tap(), address.path()), ("sqlite", "counts.db"));
/// assert_eq!(address.option("table"), Some("counts"));
/// # Ok::<(), flow_runtime::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    tap: String,
    path: String,
    options: BTreeMap<String, String>,
}

impl Address {
    /// What stands before the `:`: `file`, `sqlite`, `stdout`, `memory`.
    #[must_use]
    pub fn tap(&self) -> &str {
        &self.tap
    }

    /// What stands between `:` and `?`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The value of an option.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    /// Where rows go before they are loaded from there, as an address of its own, with what it says of accounts.
    #[cfg(feature = "aws")]
    pub(crate) fn staging(&self) -> Option<Self> {
        let mut staging: Self = self.option("staging").filter(|_| self.tap == "redshift")?.parse().ok()?;
        // The role of the address is Redshift's.
        for (name, of) in
            [("region", "region"), ("endpoint", "endpoint"), ("profile", "profile"), ("role", "staging_role")]
        {
            staging.options.extend(self.option(of).map(|value| (name.to_owned(), value.to_owned())));
        }
        Some(staging)
    }

    /// The user whose password seems to go on in what look like options, for somebody forgot to escape its `?`.
    fn user_of_torn_password(&self) -> Option<&str> {
        let (user, rest) = split_at_password(&self.path)?;
        let has_at = |(name, value): (&String, &String)| name.contains('@') || value.contains('@');
        let is_torn = !rest.contains('@') || self.options.iter().any(has_at);
        is_torn.then_some(user)
    }

    /// Refuses options that the tap does not know.
    ///
    /// # Errors
    /// [`Error::Config`] with the known names.
    pub fn allow_options(&self, known: &[&str]) -> Result<(), Error> {
        match self.options.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => {
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                Err(Error::Config(
                    Failure::new(format!("unknown option `{name}`"))
                        .at(self.to_string())
                        .help(format!("{}: takes: {known}", self.tap)),
                ))
            }
        }
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad =
            |what: &str| {
                Error::Config(Failure::new(what).at(format!("`{}`", concealed(text))).help(
                    "an address is `tap:path?option=value`, as in file:access.log or sqlite:counts.db?table=counts",
                ))
            };
        let (tap, rest) = text.split_once(':').ok_or_else(|| bad("the address names no tap"))?;
        if tap.is_empty() || !tap.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(bad("the address names no tap"));
        }
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut options = BTreeMap::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or_else(|| bad("an option has no value"))?;
            if options.insert(name.to_owned(), unescape(value)).is_some() {
                return Err(bad("an option is given twice"));
            }
        }
        Ok(Self { tap: tap.to_owned(), path: path.to_owned(), options })
    }
}

/// `%09` and the like, and the readable `\t`; what is no escape stays as it is.
fn unescape(value: &str) -> String {
    percent_decoded(&value.replace("\\t", "\t"))
}

/// `%40` as `@`; what is no escape stays as it is.
pub(crate) fn percent_decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| byte == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(escaped) => {
                bytes.push(escaped);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| value.to_owned())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = self.user_of_torn_password() {
            return write!(f, "{}://{user}:{HIDDEN}", self.tap);
        }
        write!(f, "{}:{}", self.tap, without_password(&self.path))?;
        for (index, (name, value)) in self.options.iter().enumerate() {
            let value = if is_secret(name) { HIDDEN.into() } else { url_without_password(value) };
            write!(f, "{}{name}={}", if index == 0 { '?' } else { '&' }, value.escape_debug())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What stands where a secret was.
pub(crate) const HIDDEN: &str = "…";

/// An address as people may see it, even when it cannot be read.
///
/// # Example
/// ```
/// use flow_runtime::address::without_secrets;
/// assert_eq!(without_secrets("postgres://load:swordfish@db/sales?table"), "postgres://load:…@db/sales?table");
/// ```
#[must_use]
pub fn without_secrets(text: &str) -> String {
    text.parse::<Address>().map_or_else(|_| concealed(text), |address| address.to_string())
}

/// A text that may be no address, without what looks like a secret.
fn concealed(text: &str) -> String {
    let Some((tap, rest)) = text.split_once(':') else { return text.to_owned() };
    let rest = without_password(rest);
    let Some((path, query)) = rest.split_once('?') else { return format!("{tap}:{rest}") };
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}={HIDDEN}"),
        Some((name, value)) => format!("{name}={}", url_without_password(value)),
        _ => pair.to_owned(),
    };
    let query: Vec<String> = query.split('&').map(pair).collect();
    format!("{tap}:{path}?{}", query.join("&"))
}

/// `//user:password@host` without the password, and without what may be part of one whose `@`, `/` or `?` somebody forgot
/// to escape.
fn without_password(path: &str) -> Cow<'_, str> {
    let Some((user, rest)) = split_at_password(path) else { return path.into() };
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("//{user}:{HIDDEN}@{host}").into(),
        None => format!("//{user}:{HIDDEN}").into(),
    }
}

/// `https://user:password@host` likewise.
fn url_without_password(value: &str) -> Cow<'_, str> {
    match value.split_once("://") {
        Some((scheme, _)) => format!("{scheme}:{}", without_password(&value[scheme.len() + 1..])).into(),
        None => value.into(),
    }
}

/// Of `//user:password@host` the user, and all from the password on; `host:5432` has none.
fn split_at_password(path: &str) -> Option<(&str, &str)> {
    let authority = path.strip_prefix("//").filter(|authority| !authority.starts_with('['))?;
    let (user, rest) = authority.split_once(':')?;
    let is_number = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let is_port = !rest.contains('@') && rest.split(['/', '?']).next().is_some_and(is_number);
    (!is_port).then_some((user, rest))
}

fn is_secret(option: &str) -> bool {
    // Keys by which a table is laid out are none that open anything.
    let is_layout = ["distkey", "sortkey"].contains(&option);
    !is_layout && ["password", "secret", "token", "key"].iter().any(|word| option.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_password_is_shown() {
        for text in [
            "postgres://load:swordfish@db:5432/sales?table=a.b",
            "postgres://load:swordfish@[::1]/sales",
            "postgres://load:sword@fish@db/sales",
            "postgres://load:sword/fish@db/sales",
            "postgres://load:sword?fish@db/sales",
            "postgres://load:sword?fish=a@db/sales",
            "postgres://load:sword@fish?fish=a@db/sales",
            "postgres://load:swordfish",
            "postgres://load:swordfish@db/sales?table",
            "post-gres://load:swordfish@db/sales",
            "s3://bucket?secret_key=swordfish",
            "s3://bucket?secret_key=swordfish&table",
            "s3://bucket?endpoint=https://proxy:swordfish@host:8080",
            "s3://bucket?endpoint=https://proxy:swordfish@host:8080&table",
        ] {
            let shown = without_secrets(text);
            assert!(!shown.contains("sword") && !shown.contains("fish") && shown.contains(HIDDEN), "{text}: {shown}");
            let said = match text.parse::<Address>() {
                Ok(address) => format!("{address} {address:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            assert!(!said.contains("sword") && !said.contains("fish"), "{text}: {said}");
        }
    }

    #[test]
    fn an_address_without_a_secret_is_shown_as_it_is() {
        for text in [
            "file:logs//a:b@c.log",
            "postgres://db:5432/sales?table=a@b",
            "postgres://load@db:5432/sales",
            "postgres://[::1]:5432/sales",
            "access.log",
            "file:x?quote",
            "redshift://load@db:5439/sales?distkey=ip&sortkey=ip",
        ] {
            assert_eq!(without_secrets(text), text);
        }
    }
}
