//! The words of the language that are not operators, and the names that no port may take.

/// Words that open a port's declaration.
pub(crate) const PORTS: [&str; 4] = ["source", "table", "sink", "trap"];

/// Options of every flow's command line, present and to come: a port of this name would hide the option.
pub(crate) const OPTIONS: [&str; 22] = [
    "accept_gap",
    "checkpoint",
    "config",
    "dot",
    "dry_run",
    "follow",
    "health",
    "help",
    "iam",
    "iteration_timeout",
    "json",
    "max_bytes",
    "max_records",
    "memory",
    "no_data_timeout",
    "quiet",
    "show",
    "take_tail",
    "verbose",
    "version",
    "workers",
    "yes",
];
