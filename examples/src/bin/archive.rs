//! Keeps the requests that failed: a web server's log in, files of a few columns out, by day where they are objects of S3.
//!
//! `cargo run --bin archive` runs it on the sample data, from any folder. With an address like
//! `--failed 's3://archive/failed?partition=day'` (feature `aws`) the rows of each day go to a folder of their own, as gzipped text.

use std::process::ExitCode;

use flow_runtime::{Sink, Source, Trap, flow};

flow! {
    /// Requests that failed, by day.
    pub flow Archive {
        source log { data: &str };
        sink   failed { day: Date("%Y-%m-%d"), time: &str, ip: &str, path: &str, response: i16 };
        trap   bad_lines;

        log
            -> Each(data => RegexParser(r#"^(\S+) \S+ \S+ \[([^:\]]+):(\d\d:\d\d:\d\d) [^\]]*\] "\S+ (\S+).*" (\d{3}) "#)
                    => ip, day: Date("%d/%b/%Y"), time, path, response: i16)
            -> Filter(response >= 400)
            -> Retain(day, time, ip, path, response)
            -> failed;
    }
}

fn main() -> ExitCode {
    flow_runtime::main(Archive {
        log: Source::at(concat!("file:", env!("CARGO_MANIFEST_DIR"), "/data/access.log")),
        failed: Sink::at("file:failed_requests.csv").append(),
        bad_lines: Trap::at("file:bad_lines.csv"),
    })
}
