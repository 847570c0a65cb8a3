//! The words of the language that are not operators, and the names that no port may take.

/// Words that open a port's declaration.
pub(crate) const PORTS: [&str; 4] = ["source", "table", "sink", "trap"];

/// Options of every flow's command line, present and to come: a port of this name would hide the option.
pub(crate) const OPTIONS: [&str; 36] = [
    "accept_changed",
    "accept_gap",
    "all",
    "checkpoint",
    "config",
    "dot",
    "drain_timeout",
    "dry_run",
    "empty",
    "follow",
    "force",
    "health",
    "health_file",
    "health_listen",
    "help",
    "iam",
    "iteration_timeout",
    "json",
    "keep",
    "log_format",
    "log_level",
    "max_bytes",
    "max_iterations",
    "max_records",
    "memory",
    "no_data_timeout",
    "poll_interval",
    "quiet",
    "retries",
    "show",
    "stuck_after",
    "take_tail",
    "verbose",
    "version",
    "workers",
    "yes",
];
