//! Where events go: one line each on stderr, as text or as JSON.

use std::{io, str::FromStr};

use tracing::{Level, Metadata, Subscriber, level_filters::LevelFilter, subscriber};
use tracing_subscriber::{
    Layer as _,
    filter::filter_fn,
    fmt::{self, MakeWriter},
    layer::{Filter, SubscriberExt as _},
    registry,
};

use crate::carriers::is_of_carrier;

/// How a line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) enum Format {
    /// Time, level, what happened, fields.
    #[default]
    Text,
    /// An object with the same.
    Json,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("there are text and json".to_owned()),
        }
    }
}

/// Reads a level: `info`.
pub(in crate::cli) fn parse_level(text: &str) -> Result<LevelFilter, String> {
    text.parse().map_err(|_| "there are error, warn, info, debug, trace and off".to_owned())
}

/// Writes events to stderr from now on; a program that has a subscriber of its own keeps it.
pub(in crate::cli) fn start(format: Format, level: LevelFilter) {
    let _ = match format {
        Format::Text => subscriber::set_global_default(text(level, io::stderr)),
        Format::Json => subscriber::set_global_default(json(level, io::stderr)),
    };
}

// What cannot be written is not told: the stream it would be told to is the one that is gone.

fn text<W: for<'a> MakeWriter<'a> + Send + Sync + 'static>(level: LevelFilter, to: W) -> impl Subscriber + Send + Sync {
    let lines = fmt::layer().with_writer(to).with_target(false).log_internal_errors(false);
    registry().with(lines.with_filter(told(level)))
}

fn json<W: for<'a> MakeWriter<'a> + Send + Sync + 'static>(level: LevelFilter, to: W) -> impl Subscriber + Send + Sync {
    let lines = fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
    let lines = lines.with_writer(to).with_target(false).log_internal_errors(false);
    registry().with(lines.with_filter(told(level)))
}

/// What is told at this level. Those who carry calls are heard when they warn: below that they tell what they carry, which
/// has secrets, and records that are nobody's to read.
fn told<S: Subscriber>(level: LevelFilter) -> impl Filter<S> {
    let is_told = move |event: &Metadata<'_>| {
        *event.level() <= level && (*event.level() <= Level::WARN || !is_of_carrier(event.target()))
    };
    filter_fn(is_told).with_max_level_hint(level)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::Value;
    use tracing::{debug, info};

    use super::*;

    #[derive(Clone, Debug, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Lines {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    #[test]
    fn json_is_one_flat_object_a_line_with_time_and_level() {
        let lines = Lines::default();
        let to = lines.clone();
        subscriber::with_default(json(LevelFilter::INFO, move || to.clone()), || {
            info!(flow = "counts", iteration = 3_u64, help = None::<&str>, "iteration done: \"a\"\nb");
            debug!("not this");
        });
        let text = lines.text();
        assert_eq!(text.lines().count(), 1, "{text}");
        let object: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&object["level"], &object["flow"], &object["iteration"]),
            (&"INFO".into(), &"counts".into(), &3.into())
        );
        assert_eq!(object["message"], "iteration done: \"a\"\nb");
        assert!(object["timestamp"].as_str().unwrap().ends_with('Z'), "{text}");
    }

    #[test]
    fn what_carries_calls_is_heard_only_when_it_warns() {
        let lines = Lines::default();
        let to = lines.clone();
        subscriber::with_default(text(LevelFilter::TRACE, move || to.clone()), || {
            tracing::trace!(target: "aws_smithy_runtime::client::orchestrator", "a body with a token");
            info!(target: "hyper_util::client", "a header with a token");
            tracing::warn!(target: "aws_config::imds", "no metadata here");
            tracing::trace!("of the program");
        });
        let text = lines.text();
        assert!(!text.contains("a token"), "{text}");
        assert!(text.contains("no metadata here") && text.contains("of the program"), "{text}");
    }

    #[test]
    fn text_says_the_same_to_people() {
        let lines = Lines::default();
        let to = lines.clone();
        subscriber::with_default(text(LevelFilter::INFO, move || to.clone()), || info!(rows = 7, "iteration done"));
        assert!(lines.text().ends_with(" INFO iteration done rows=7\n"), "{}", lines.text());
    }
}
