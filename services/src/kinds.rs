//! The services: what is started, where, and how it says that it listens.

use crate::install::Family;

/// One of the services.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) family: Family,
    /// The folder to start it in, below that of its family.
    pub(crate) folder: &'static str,
    pub(crate) arguments: &'static [&'static str],
    pub(crate) environment: &'static [(&'static str, &'static str)],
    /// What it says right before the number of the port that it listens on.
    pub(crate) announcement: &'static str,
}

pub(crate) const KINESIS_LOCAL: Kind = Kind {
    name: "kinesis-local",
    family: Family::Node,
    // It looks for its certificate where it is started, and dies without it.
    folder: "node_modules/kinesis-local",
    arguments: &["main.js"],
    environment: &[
        ("KINESIS_MOCK_PLAIN_PORT", "1"),
        ("KINESIS_MOCK_TLS_PORT", "2"),
        ("SHARD_LIMIT", "10000"),
        ("LOG_LEVEL", "ERROR"),
        ("CREATE_STREAM_DURATION", "10ms"),
        ("DELETE_STREAM_DURATION", "10ms"),
        ("SPLIT_SHARD_DURATION", "10ms"),
        ("MERGE_SHARDS_DURATION", "10ms"),
        ("UPDATE_SHARD_COUNT_DURATION", "10ms"),
        ("UPDATE_STREAM_MODE_DURATION", "10ms"),
        ("REGISTER_STREAM_CONSUMER_DURATION", "10ms"),
        ("DEREGISTER_STREAM_CONSUMER_DURATION", "10ms"),
    ],
    announcement: "port 1 is ",
};

pub(crate) const KINESALITE: Kind = Kind {
    name: "kinesalite",
    family: Family::Node,
    folder: "node_modules/kinesalite",
    // Its limit of shards, all streams together, is 10 unless it is told another.
    arguments: &[
        "cli.js",
        "--port",
        "1",
        "--shardLimit",
        "10000",
        "--createStreamMs",
        "10",
        "--updateStreamMs",
        "10",
        "--deleteStreamMs",
        "10",
    ],
    environment: &[],
    announcement: "port 1 is ",
};

pub(crate) const MINISTACK: Kind = Kind {
    name: "ministack",
    family: Family::Python,
    folder: "",
    // Without workers it is one process, which one signal ends.
    arguments: &[
        "-m",
        "hypercorn",
        "ministack.app:app",
        "--bind",
        "127.0.0.1:0",
        "--workers",
        "0",
        "--keep-alive",
        "75",
    ],
    environment: &[
        ("LOG_LEVEL", "WARNING"),
        ("SFTP_ENABLED", "0"),
        ("IOT_MTLS_ENABLED", "0"),
        // At its start it would stop what it takes for leftover containers of its own.
        ("DOCKER_HOST", "unix:///nonexistent"),
    ],
    announcement: "Running on http://127.0.0.1:",
};
