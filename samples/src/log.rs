//! The lines of an access log, good and malformed.

use std::{fmt, io::Write};

use jiff::civil::{Date, date};

use super::{ASKING_HOSTS, random::Random};

/// One line in so many is malformed.
const LINES_PER_FLAW: u64 = 200;

const SECONDS_PER_DAY: u64 = 24 * 60 * 60;

/// The lines of a log without end.
#[derive(Debug)]
pub struct LogLines {
    random: Random,
    day: Date,
    second_of_day: u64,
    flaws: u64,
    line: Vec<u8>,
}

/// What can be wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    Empty,
    Truncated,
    NoQuotes,
    MissingField,
    BadZone,
    BadStatus,
    RandomText,
    InvalidUtf8,
}

pub(super) const FLAWS: [Flaw; 8] = [
    Flaw::Truncated,
    Flaw::Empty,
    Flaw::NoQuotes,
    Flaw::BadStatus,
    Flaw::InvalidUtf8,
    Flaw::MissingField,
    Flaw::RandomText,
    Flaw::BadZone,
];

impl LogLines {
    /// The log of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), day: date(2015, 3, 1), second_of_day: 0, flaws: 0, line: Vec::new() }
    }

    /// The next line, with its line end.
    pub fn next_line(&mut self) -> &[u8] {
        self.tick();
        self.line.clear();
        let request = Request::draw(&mut self.random);
        // Writing to a Vec cannot fail.
        let _ = if self.random.below(LINES_PER_FLAW) == 0 {
            self.flaws += 1;
            self.write_flawed(&request, FLAWS[(self.flaws - 1) as usize % FLAWS.len()])
        } else {
            let (time, zone) = (self.time(), "+0000");
            write!(self.line, "{} - - [{time} {zone}] \"{request}\" {} {}", request.host, request.status, request.size)
        };
        self.line.push(b'\n');
        &self.line
    }

    fn write_flawed(&mut self, request: &Request, flaw: Flaw) -> std::io::Result<()> {
        let time = self.time();
        let Request { host, status, size, .. } = request;
        let line = &mut self.line;
        match flaw {
            Flaw::Empty => Ok(()),
            Flaw::Truncated => {
                write!(line, "{host} - - [{time} +0000] \"{request}")?;
                line.truncate(1 + self.random.below(line.len() as u64) as usize);
                Ok(())
            }
            Flaw::NoQuotes => write!(line, "{host} - - [{time} +0000] {request} {status} {size}"),
            Flaw::MissingField => write!(line, "{host} - [{time} +0000] \"{request}\" {status} {size}"),
            Flaw::BadZone => write!(line, "{host} - - [{time} GMT] \"{request}\" {status} {size}"),
            Flaw::BadStatus => write!(line, "{host} - - [{time} +0000] \"{request}\" 20x {size}"),
            Flaw::RandomText => write!(line, "{}: {}", self.random.choose(&TOPICS), self.random.choose(&COMPLAINTS)),
            Flaw::InvalidUtf8 => {
                write!(line, "{host} - - [{time} +0000] \"GET /caf")?;
                line.write_all(b"\xe9")?; // é in Latin-1
                write!(line, " HTTP/1.0\" {status} {size}")
            }
        }
    }

    /// Zero to three seconds pass.
    fn tick(&mut self) {
        self.second_of_day += self.random.below(4);
        if self.second_of_day >= SECONDS_PER_DAY {
            self.second_of_day -= SECONDS_PER_DAY;
            self.day = self.day.tomorrow().unwrap_or(Date::MIN);
        }
    }

    fn time(&self) -> Time {
        Time { day: self.day, second: self.second_of_day }
    }
}

/// `01/Mar/2015:00:00:01`.
struct Time {
    day: Date,
    second: u64,
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let Self { day, second } = self;
        let month = MONTHS[day.month() as usize - 1];
        write!(f, "{:02}/{month}/{:04}:", day.day(), day.year())?;
        write!(f, "{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
    }
}

/// The host of this number: an address if it is even, else a name.
pub(super) struct Host(pub(super) u64);

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const PLACES: [&str; 5] = ["dialup", "library", "office", "lab", "home"];
        const DOMAINS: [&str; 4] = ["example.com", "example.net", "example.org", "physics.example.edu"];
        // Scattered by a fixed rule, so that neighbours do not look alike.
        let mixed = Random::new(self.0).next();
        if self.0.is_multiple_of(2) {
            let (a, b) = (mixed as u8, (mixed >> 8) as u8);
            // The number itself is in the last two, so that no two hosts are the same.
            write!(f, "10.{}.{}.{}", (a ^ b) % 200, self.0 / 2 / 250, self.0 / 2 % 250 + 1)
        } else {
            let (place, domain) = (PLACES[(mixed % 5) as usize], DOMAINS[(mixed >> 8) as usize % 4]);
            write!(f, "{place}{}.{domain}", self.0 / 2)
        }
    }
}

/// What a line tells of.
struct Request {
    host: Host,
    method: &'static str,
    page: u64,
    status: u16,
    size: Size,
}

/// The size of an answer; `-` if there was none.
struct Size(Option<u64>);

impl Request {
    fn draw(random: &mut Random) -> Self {
        const METHODS: [&str; 8] = ["GET", "GET", "GET", "GET", "GET", "GET", "POST", "HEAD"];
        const RARE_STATUSES: [u16; 8] = [301, 302, 304, 304, 404, 404, 403, 500];
        let host = Host(random.skewed_below(ASKING_HOSTS));
        let method = random.choose(&METHODS);
        let page = random.skewed_below(5_000);
        let status = if random.below(10) == 0 { random.choose(&RARE_STATUSES) } else { 200 };
        let size = Size((status != 304 && method != "HEAD").then(|| 100 + random.skewed_below(1_000_000)));
        Self { host, method, page, status, size }
    }
}

/// The request as it stands between the quotes.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SECTIONS: [&str; 6] = ["news", "images", "history/missions", "people", "search", "software"];
        let section = SECTIONS[(self.page % 6) as usize];
        write!(f, "{} /{section}/{:04}", self.method, self.page)?;
        match section {
            "images" => f.write_str(".gif")?,
            "search" => write!(f, "?q=orbit&page={}", self.page % 7)?,
            _ => f.write_str(".html")?,
        }
        f.write_str(if self.page.is_multiple_of(3) { " HTTP/1.1" } else { " HTTP/1.0" })
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(bytes) => write!(f, "{bytes}"),
            None => f.write_str("-"),
        }
    }
}

const TOPICS: [&str; 3] = ["kernel", "httpd[2041]", "cron"];
const COMPLAINTS: [&str; 3] = ["out of memory", "child process still did not exit", "größe überschritten"];
