//! What the command line says of a service, and what its log and its health file are asked for.

use std::{path::PathBuf, time::Duration};

use clap::{Arg, ArgMatches, builder::ValueParser};
use tracing::level_filters::LevelFilter;

use super::log::{self, Format};
use crate::{
    cli::{
        options::{flag, option},
        units::{parse_count, parse_duration},
    },
    driver::Service,
};

/// Bounds of an iteration of a service, unless others are given: so soon are records loaded.
pub(super) const ITERATION_TIMEOUT: Duration = Duration::from_secs(10);
pub(super) const NO_DATA_TIMEOUT: Duration = Duration::from_secs(1);

const POLL_INTERVAL: &str = "1s";
/// Less than the 30 s after which Kubernetes kills.
const DRAIN_TIMEOUT: &str = "25s";
const STUCK_AFTER: &str = "5m";

/// What the command line says of a service.
#[derive(Debug)]
pub(in crate::cli) struct Given {
    pub(super) service: Service,
    pub(super) drain_timeout: Duration,
    pub(super) stuck_after: Duration,
    pub(super) health_file: Option<PathBuf>,
    pub(super) health_listen: Option<String>,
}

/// The options of a service.
pub(in crate::cli) fn options() -> Vec<Arg> {
    let follow = "Go on until a signal comes, one iteration after the other, as a service. Unless bounds are given, an \
                  iteration is closed 10s after its beginning, or when no record has come for 1s";
    let retries =
        "End after so many retries of what failed, in a row [default: retry without end what may pass by itself]";
    let listen = "Answer health probes over HTTP, with 200 or 503: 127.0.0.1:8080";
    let time = || ValueParser::new(parse_duration);
    let options = [
        option("poll-interval", "TIME", "How long to wait before looking again for new records")
            .value_parser(time())
            .default_value(POLL_INTERVAL),
        option("max-iterations", "COUNT", "End after so many iterations").value_parser(ValueParser::new(parse_count)),
        option("retries", "COUNT", retries).value_parser(clap::value_parser!(u32)),
        option("drain-timeout", "TIME", "How long a signal waits for the open iteration, before that is abandoned")
            .value_parser(time())
            .default_value(DRAIN_TIMEOUT),
        option("stuck-after", "TIME", "Health is bad when nothing has moved for so long, while there is work")
            .value_parser(time())
            .default_value(STUCK_AFTER),
        health_file("Where to keep a small JSON document about how the service is; see the command `health`"),
        option("health-listen", "ADDRESS:PORT", listen),
    ];
    let follow = flag("follow", follow);
    let of_service = options.map(|option| option.requires("follow"));
    std::iter::once(follow).chain(of_service).map(|option| option.help_heading("Service")).collect()
}

/// The file that a service writes and a probe reads.
pub(in crate::cli) fn health_file(help: &'static str) -> Arg {
    option("health-file", "PATH", help).value_parser(clap::value_parser!(PathBuf))
}

/// What was given, if it is a service.
pub(in crate::cli) fn given(matches: &ArgMatches) -> Option<Given> {
    let time = |name: &str| matches.get_one::<Duration>(name).copied().unwrap_or_default();
    matches.get_flag("follow").then(|| {
        let service = Service {
            poll_interval: time("poll-interval"),
            max_iterations: matches.get_one("max-iterations").copied(),
            retries: matches.get_one("retries").copied(),
        };
        Given {
            service,
            drain_timeout: time("drain-timeout"),
            stuck_after: time("stuck-after"),
            health_file: matches.get_one("health-file").cloned(),
            health_listen: matches.get_one("health-listen").cloned(),
        }
    })
}

/// The options of the log.
pub(in crate::cli) fn logs() -> [Arg; 2] {
    [
        option("log-format", "FORMAT", "Log on stderr what happens, as `text` (a service does anyway) or as `json`")
            .value_parser(ValueParser::new(str::parse::<Format>)),
        option("log-level", "LEVEL", "Log no more than this: error, warn, info (as usual), debug, trace, off")
            .value_parser(ValueParser::new(log::parse_level)),
    ]
}

/// What the log is to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::cli) struct Log {
    format: Format,
    level: LevelFilter,
}

impl Log {
    /// What was given. A service has a log anyway; with --quiet, one of errors alone.
    pub(in crate::cli) fn given(matches: &ArgMatches) -> Option<Self> {
        let (format, level) = (matches.get_one::<Format>("log-format"), matches.get_one::<LevelFilter>("log-level"));
        let usual = if matches.get_flag("quiet") { LevelFilter::ERROR } else { LevelFilter::INFO };
        let is_wanted = matches.get_flag("follow") || format.is_some() || level.is_some();
        is_wanted.then(|| Self { format: format.copied().unwrap_or_default(), level: level.copied().unwrap_or(usual) })
    }

    /// Begins it.
    pub(in crate::cli) fn start(self) {
        log::start(self.format, self.level);
    }
}
