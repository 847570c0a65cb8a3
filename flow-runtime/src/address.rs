//! Addresses: `file:logs/*.log`, `sqlite:counts.db?table=counts&mode=merge`.
//!
//! What stands before the first `:` names the tap; what follows `?` are options. Which taps there are and which options
//! they take is theirs to say (`source/mod.rs`, `sink/mod.rs`).

use std::{collections::BTreeMap, fmt, str::FromStr};

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
#[derive(Clone, Debug, PartialEq, Eq)]
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
                Error::Config(Failure::new(what).at(format!("`{text}`")).help(
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
    let value = value.replace("\\t", "\t");
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
    String::from_utf8(bytes).unwrap_or(value)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.tap, self.path)?;
        for (index, (name, value)) in self.options.iter().enumerate() {
            let value = if is_secret(name) { "…" } else { value };
            write!(f, "{}{name}={}", if index == 0 { '?' } else { '&' }, value.escape_debug())?;
        }
        Ok(())
    }
}

fn is_secret(option: &str) -> bool {
    ["password", "secret", "token", "key"].iter().any(|word| option.contains(word))
}
