//! Records into a stream: what the command `publish` does, and log lines that a program ships while it runs.
//!
//! `lines.rs` reads, `packing.rs` makes entries of records, `sender.rs` brings them in, `publication.rs` is the order of
//! it all; `log_stream.rs` takes log lines, `shipping.rs` publishes them. Which calls there are is the business of `aws/clients/streams.rs`.

mod keys;
mod lines;
mod log_stream;
mod pace;
mod packing;
mod publication;
mod sender;
mod shipping;
mod totals;

pub(crate) use keys::KeyBy;
pub(crate) use lines::From;
pub use log_stream::{LogLine, LogStream, LogStreamOptions, WhenFull};
pub(crate) use publication::Publication;
pub(crate) use sender::Stream;
pub use shipping::{LogStreamGuard, Shipped};
pub(crate) use totals::Totals;

/// A world in which waiting takes no time.
#[cfg(test)]
#[derive(Debug)]
struct Timeless;

#[cfg(test)]
impl crate::effect::World for Timeless {
    fn now_us(&self) -> i64 {
        0
    }

    fn elapsed(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }

    fn sleep(&self, _: std::time::Duration) {}

    fn id(&self) -> String {
        "id".to_owned()
    }

    fn owner(&self) -> String {
        "owner".to_owned()
    }

    fn permit(&self, _: &crate::effect::Effect<'_>, _: crate::effect::Moment) -> Result<(), crate::effect::Broken> {
        Ok(())
    }
}
