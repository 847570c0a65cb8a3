//! The health document over HTTP: 200 while all is well, 503 when not, whatever path is asked for.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    sync::PoisonError,
    thread,
    time::Duration,
};

use jiff::Timestamp;

use super::{health::Health, watch::Latest};
use crate::{
    Error, Failure,
    effect::{clock, listener},
};

/// Longest request that is read; what a probe sends has some hundred bytes.
const REQUEST_BYTES_MAX: usize = 8 * 1024;

/// How long one who asks may take over it, and keep others waiting.
const PATIENCE: Duration = Duration::from_secs(1);

/// Answers on `address` until the process ends.
///
/// # Errors
/// [`Error::Config`] when the address is not free, or there is no thread to spare.
pub(super) fn start(address: &str, latest: Latest) -> Result<(), Error> {
    let cannot = |error: io::Error| {
        let failure = Failure::new("cannot listen for health probes").at(address).cause(error);
        Error::Config(failure.help("give --health-listen an address of this machine and a free port"))
    };
    let listener = listener::bind("health.listen", address).map_err(cannot)?;
    let answer = move || {
        for stream in listener.incoming().flatten() {
            let health = latest.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let now = Timestamp::from_microsecond(clock::now_us()).unwrap_or_default();
            // One who has gone away needs no answer.
            let _ = answer(stream, &response(health.as_ref(), now));
        }
    };
    thread::Builder::new().name("health".to_owned()).spawn(answer).map(drop).map_err(cannot)
}

/// What the request says does not matter, but it must have been read: else the answer may be lost with it.
fn answer(mut stream: TcpStream, response: &str) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < REQUEST_BYTES_MAX {
        match stream.read(&mut buffer)? {
            0 => break,
            read => request.extend_from_slice(&buffer[..read]),
        }
    }
    stream.write_all(response.as_bytes())
}

fn response(health: Option<&Health>, now: Timestamp) -> String {
    let (good, body) = health.map_or((false, String::new()), |health| (health.verdict(now).0, health.to_json()));
    let status = if good { "200 OK" } else { "503 Service Unavailable" };
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n{body}"
    )
}
