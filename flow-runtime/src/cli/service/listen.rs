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

/// How long one who asks may take over the whole request, and then over the answer, and keep others waiting.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long to wait before the next is let in, when one could not be: the process may have too many files open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

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
        for stream in listener.incoming() {
            let Ok(stream) = stream else {
                clock::sleep(ACCEPT_PAUSE);
                continue;
            };
            let health = latest.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let now = Timestamp::from_microsecond(clock::now_us()).unwrap_or_default();
            // One who has gone away needs no answer.
            let _ = answer(stream, &response(health.as_ref(), now));
        }
    };
    thread::Builder::new().name("health".to_owned()).spawn(answer).map(drop).map_err(cannot)
}

fn answer(mut stream: TcpStream, response: &str) -> io::Result<()> {
    read_request(|buffer, patience| {
        stream.set_read_timeout(Some(patience))?;
        stream.read(buffer)
    })?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(response.as_bytes())
}

/// What the request says does not matter, but it must have been read: else the answer may be lost with it.
///
/// `read` is told how long it may still take.
fn read_request(mut read: impl FnMut(&mut [u8], Duration) -> io::Result<usize>) -> io::Result<()> {
    let began = clock::elapsed();
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < REQUEST_BYTES_MAX {
        let left = PATIENCE.saturating_sub(clock::elapsed().saturating_sub(began));
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match read(&mut buffer, left)? {
            0 => break,
            read => request.extend_from_slice(&buffer[..read]),
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    use super::*;
    use crate::effect::{World, in_world};

    /// A clock that is set by the test, in milliseconds.
    #[derive(Debug, Default)]
    struct Clock(AtomicU64);

    impl World for Clock {
        fn elapsed(&self) -> Duration {
            Duration::from_millis(self.0.load(Ordering::Relaxed))
        }
    }

    /// Reads a request that comes byte by byte, one each `pause_ms`; says how it ended, and how long that took.
    fn trickled(request: &str, pause_ms: u64) -> (io::Result<()>, u64) {
        let clock = Arc::new(Clock::default());
        let mut bytes = request.bytes();
        let read = in_world(Arc::clone(&clock) as Arc<dyn World>, || {
            read_request(|buffer, patience| {
                let Some(byte) = bytes.next() else { return Ok(0) };
                let waited_ms = pause_ms.min(u64::try_from(patience.as_millis()).unwrap());
                clock.0.fetch_add(waited_ms, Ordering::Relaxed);
                buffer[0] = byte;
                Ok(1)
            })
        });
        (read, clock.0.load(Ordering::Relaxed))
    }

    #[test]
    fn one_who_trickles_a_request_keeps_others_waiting_no_longer_than_one_who_says_nothing() {
        let (read, took_ms) = trickled("GET / HTTP/1.1\r\n\r\n", 300);
        assert_eq!((read.unwrap_err().kind(), took_ms), (io::ErrorKind::TimedOut, 1_000));
        let (read, took_ms) = trickled("GET / HTTP/1.1\r\n\r\nmore", 10);
        assert_eq!((read.unwrap(), took_ms), ((), 180));
    }
}
