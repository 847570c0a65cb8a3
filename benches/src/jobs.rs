//! The jobs that are measured, and the files that they read.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use flow_examples::generate::{Amount, write_hosts, write_log};
use flow_runtime::flow;

/// Hosts that are listed.
const HOSTS: u64 = 40;

flow! {
    /// Hits of every listed host.
    pub flow AccessLogCounts {
        source log { data: &str };
        table  hosts: TextDelimited(delimiter = "|") { ip: Option<&str> };
        sink   counts key(ip) { ip: Option<&str>, count: i64 add };
        trap   bad_lines for hits;

        hits = log
            -> Assert(NotNull)
            -> Each(data => RegexParser(r#"^([^ ]*) \S+ \S+ \[([\w:/]+\s[+\-]\d{4})\] "(.+?)" (\d{3}) ([^ ]*).*$"#)
                    => ip, time, request, response, size)
            -> Retain(ip);

        listed = hosts -> Rename(ip => userip);

        HashJoin(hits on ip, listed on userip, RightJoin)
            -> Discard(userip)
            -> GroupBy(ip)
            -> Every(Count => count)
            -> counts;
    }
}

flow! {
    /// Who got what: all lines but those of pages that have moved, or are not there.
    pub flow Served {
        source log { data: &str };
        sink   served { ip: &str, time: &str, request: &str, response: i32 };
        trap   bad_lines;

        log -> Each(data => RegexParser(r#"^([^ ]*) \S+ \S+ \[([\w:/]+\s[+\-]\d{4})\] "(.+?)" (\d{3}) ([^ ]*).*$"#)
                => ip, time, request, response: i32, size)
            -> Filter(response < 300)
            -> served;
    }
}

flow! {
    /// As [`Served`], but no row is left at the end.
    pub flow ServedToNobody {
        source log { data: &str };
        sink   served { ip: &str, time: &str, request: &str, response: i32 };
        trap   bad_lines;

        log -> Each(data => RegexParser(r#"^([^ ]*) \S+ \S+ \[([\w:/]+\s[+\-]\d{4})\] "(.+?)" (\d{3}) ([^ ]*).*$"#)
                => ip, time, request, response: i32, size)
            -> Filter(response < 300)
            -> Filter(ip.len() + time.len() + request.len() == 0)
            -> served;
    }
}

flow! {
    /// How often each line occurs: nearly as many groups as there are lines.
    pub flow Lines {
        source log { data: &str };
        sink   counts key(data) { data: &str, count: i64 add };
        trap   bad_lines;

        log -> GroupBy(data) -> Every(Count => count) -> counts;
    }
}

/// A folder for what a job reads and writes; dropped, it is removed.
#[derive(Debug)]
pub struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    /// A folder with a list of hosts.
    ///
    /// # Errors
    /// What making or writing a file fails with.
    pub fn new() -> io::Result<Self> {
        let files = Self { folder: tempfile::tempdir()? };
        write_hosts(&mut File::create(files.hosts())?, HOSTS, 1)?;
        Ok(files)
    }

    /// The path of what has this name.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The list of hosts.
    #[must_use]
    pub fn hosts(&self) -> PathBuf {
        self.path("hosts.txt")
    }

    /// Writes an access log of this size.
    ///
    /// # Errors
    /// What writing it fails with.
    pub fn log(&self, megabytes: u64) -> io::Result<PathBuf> {
        let path = self.path(&format!("{megabytes}.log"));
        let mut log = BufWriter::with_capacity(1 << 18, File::create(&path)?);
        write_log(&mut log, Amount::Bytes(megabytes * 1_000_000), 1)?;
        log.flush()?;
        Ok(path)
    }

    /// An empty folder, whatever was in it.
    ///
    /// # Errors
    /// What removing or making it fails with.
    pub fn emptied(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.path(name);
        if path.exists() {
            std::fs::remove_dir_all(&path)?;
        }
        std::fs::create_dir(&path)?;
        Ok(path)
    }
}

/// The address of a file.
#[must_use]
pub fn file(path: &Path) -> String {
    format!("file:{}", path.display())
}
