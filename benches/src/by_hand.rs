//! The access-log job as good everyday Rust: `regex::bytes` captures, hashbrown, a `BufReader` of 256 KiB, threads that
//! share the file by ranges. What an able person writes in an hour, and what flow has to beat.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::Mutex,
    thread,
};

use hashbrown::HashMap;
use regex::bytes::Regex;

const BUFFER_BYTES: usize = 256 * 1024;

/// Hits of every listed host in order, those of listed hosts without any under `None`; lines that are no log lines go
/// to `bad_lines`.
///
/// # Errors
/// What reading or writing a file fails with.
pub fn access_log_counts(
    log: &Path,
    hosts: &Path,
    bad_lines: &Path,
    workers: u64,
) -> io::Result<Vec<(Option<String>, u64)>> {
    let listed = read_hosts(hosts)?;
    let trap = Mutex::new(BufWriter::new(File::create(bad_lines)?));
    let bytes = std::fs::metadata(log)?.len();
    let range = |worker: u64| (bytes * worker / workers, bytes * (worker + 1) / workers);

    let parts: Vec<io::Result<HashMap<&[u8], u64>>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers)
            .map(|worker| {
                let (listed, trap) = (&listed, &trap);
                scope.spawn(move || count_range(log, range(worker), listed, trap))
            })
            .collect();
        let died = |_| Err(io::Error::other("a worker panicked"));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(died)).collect()
    });

    let mut hits: HashMap<&[u8], u64> = HashMap::new();
    for part in parts {
        for (host, count) in part? {
            *hits.entry(host).or_default() += count;
        }
    }
    trap.lock().map_err(|_| io::Error::other("a worker panicked"))?.flush()?;
    Ok(join(&listed, &hits))
}

/// The listed hosts, and how often each stands in the list.
fn read_hosts(hosts: &Path) -> io::Result<HashMap<Vec<u8>, u64>> {
    let mut listed = HashMap::new();
    for host in BufReader::new(File::open(hosts)?).lines() {
        *listed.entry(host?.into_bytes()).or_default() += 1;
    }
    Ok(listed)
}

/// Counts the lines that begin in `start..end`.
fn count_range<'a>(
    log: &Path,
    (start, end): (u64, u64),
    listed: &'a HashMap<Vec<u8>, u64>,
    trap: &Mutex<impl Write>,
) -> io::Result<HashMap<&'a [u8], u64>> {
    let pattern = Regex::new(r#"(?-u)^([^ ]*) \S+ \S+ \[([\w:/]+\s[+\-]\d{4})\] "(.+?)" (\d{3}) ([^ ]*).*$"#)
        .map_err(io::Error::other)?;
    let mut input = BufReader::with_capacity(BUFFER_BYTES, File::open(log)?);
    let mut at = start;
    let mut line = Vec::new();
    if start > 0 {
        // The line that holds the byte before `start` is the other worker's.
        input.seek(SeekFrom::Start(start - 1))?;
        at = start - 1 + input.read_until(b'\n', &mut line)? as u64;
    }
    let mut hits: HashMap<&[u8], u64> = HashMap::new();
    while at < end {
        line.clear();
        at += input.by_ref().read_until(b'\n', &mut line)? as u64;
        let record = line.strip_suffix(b"\n").unwrap_or(&line);
        let record = record.strip_suffix(b"\r").unwrap_or(record);
        let captures = std::str::from_utf8(record).ok().and_then(|_| pattern.captures(record));
        match captures.and_then(|captures| captures.get(1)) {
            Some(host) => {
                if let Some((host, _)) = listed.get_key_value(host.as_bytes()) {
                    *hits.entry(host).or_default() += 1;
                }
            }
            None => trap.lock().map_err(|_| io::Error::other("a worker panicked"))?.write_all(&line)?,
        }
    }
    Ok(hits)
}

/// A host that is listed twice counts twice.
fn join(listed: &HashMap<Vec<u8>, u64>, hits: &HashMap<&[u8], u64>) -> Vec<(Option<String>, u64)> {
    let mut counts = Vec::new();
    let mut unmatched = 0;
    for (host, times) in listed {
        match hits.get(host.as_slice()) {
            Some(hits) => counts.push((Some(String::from_utf8_lossy(host).into_owned()), hits * times)),
            None => unmatched += times,
        }
    }
    if unmatched > 0 {
        counts.push((None, unmatched));
    }
    counts.sort();
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_workers_counts_the_sample_as_awk_does() {
        let data = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data"));
        let expected = include_str!("../../tests/data/access_log_counts.txt");
        let folder = tempfile::tempdir().unwrap();
        for workers in [1, 2, 7] {
            let bad_lines = folder.path().join("bad_lines");
            let counts =
                access_log_counts(&data.join("access.log"), &data.join("hosts.txt"), &bad_lines, workers).unwrap();
            let text: String =
                counts.iter().map(|(host, hits)| format!("{}|{hits}\n", host.as_deref().unwrap_or(""))).collect();
            assert_eq!(text, expected);
            assert_eq!(std::fs::read(bad_lines).unwrap().split(|&byte| byte == b'\n').count() - 1, 14);
        }
    }
}
