//! Writes sample data of any size: the same seed gives the same bytes, on every machine and forever.
//!
//! Web server logs and host lists are here, the others in `ads.rs` and `shop.rs`.
//!
//! The log is in Apache's common format. A few hosts ask often and most hardly ever; one line in two hundred is
//! malformed, in turn in every way of `log::Flaw`. The host list names hosts twice, and hosts that never ask.

mod ads;
mod log;
mod random;
mod shop;

use std::io::{self, Write};

pub use ads::{write_campaigns, write_clicks};
pub use log::LogLines;
use random::Random;
pub use shop::{write_orders, write_payments};

/// Hosts that ask; those from this number on are only ever listed.
const ASKING_HOSTS: u64 = 2_000;

/// Hosts that are only ever listed.
const SILENT_HOSTS: u64 = 100_000;

/// How much log to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// So many lines.
    Records(u64),
    /// Whole lines until there are at least so many bytes.
    Bytes(u64),
}

/// Writes an access log, and says how many lines and bytes it has.
///
/// # Errors
/// What `out` fails with.
///
/// # Example
/// ```
/// use flow_samples::{Amount, write_log};
/// let (mut once, mut again) = (Vec::new(), Vec::new());
/// assert_eq!(write_log(&mut once, Amount::Records(1_000), 7)?, (1_000, once.len() as u64));
/// write_log(&mut again, Amount::Records(1_000), 7)?;
/// assert_eq!(once, again);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn write_log(out: &mut impl Write, amount: Amount, seed: u64) -> io::Result<(u64, u64)> {
    let mut lines = LogLines::new(seed);
    let (mut records, mut bytes) = (0, 0);
    while match amount {
        Amount::Records(wanted) => records < wanted,
        Amount::Bytes(wanted) => bytes < wanted,
    } {
        let line = lines.next_line();
        out.write_all(line)?;
        records += 1;
        bytes += line.len() as u64;
    }
    Ok((records, bytes))
}

/// Writes a list of `count` hosts, one a line and no line end after the last: of eight lines one repeats a host, and
/// one or two name a host that never asks.
///
/// # Errors
/// What `out` fails with.
pub fn write_hosts(out: &mut impl Write, count: u64, seed: u64) -> io::Result<()> {
    let mut random = Random::new(!seed); // not the numbers of the log
    let mut host = 0;
    for line in 0..count {
        match line % 8 {
            3 => host = ASKING_HOSTS + random.below(SILENT_HOSTS),
            6 => {} // the host of the line before, again
            _ => host = random.skewed_below(ASKING_HOSTS),
        }
        let end = if line + 1 < count { "\n" } else { "" };
        write!(out, "{}{end}", log::Host(host))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
