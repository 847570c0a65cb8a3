//! Sizes, counts and times as people write and read them: `1GiB`, `1_000_000`, `1h30m`; `1,234,567`, `85.3 MB`.

use std::time::Duration;

use jiff::SignedDuration;

/// What a size may end with; without any it is in bytes.
const UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// Reads a count of at least one: `1000000`, `1_000_000`.
pub(super) fn parse_count(text: &str) -> Result<u64, String> {
    match text.replace('_', "").parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(count) => Ok(count),
        Err(_) => Err("not a count; write it as 1000000 or 1_000_000".to_owned()),
    }
}

/// Reads a size of at least one byte: `512`, `10MB`, `1.5 GiB`.
pub(super) fn parse_bytes(text: &str) -> Result<u64, String> {
    let end = text.find(|letter: char| !letter.is_ascii_digit() && !"._".contains(letter)).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (number, unit) = (number.replace('_', ""), unit.trim());
    let Some(factor) = factor_of(unit) else {
        let units: Vec<&str> = UNITS.iter().map(|(name, _)| *name).collect();
        return Err(format!("`{unit}` is no unit of size; there are {}", units.join(", ")));
    };
    let bytes = match number.parse::<u64>() {
        Ok(whole) => whole.checked_mul(factor),
        // A fraction of a byte means nothing, so rounding down is right; what is too large saturates.
        Err(_) => number.parse::<f64>().ok().map(|number| (number * factor as f64) as u64).filter(|&n| n < u64::MAX),
    };
    match bytes {
        Some(0) => Err("must be at least 1 byte".to_owned()),
        Some(bytes) => Ok(bytes),
        None => Err("not a size; write it as 10MB or 1GiB".to_owned()),
    }
}

fn factor_of(unit: &str) -> Option<u64> {
    if unit.is_empty() {
        return Some(1);
    }
    UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(_, factor)| *factor)
}

/// Reads a time that is longer than nothing: `30s`, `5m`, `1h30m`, `500ms`.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let advice = "write it as 30s, 5m or 1h30m";
    let duration: SignedDuration = text.parse().map_err(|_| format!("not a time; {advice}"))?;
    match Duration::try_from(duration) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(format!("must be longer than nothing; {advice}")),
    }
}

/// `1,234,567`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1,234,567 records`, `1 record`.
pub(super) fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// `240 B`, `85.3 MB`, in decimal units.
pub(super) fn bytes(number: u64) -> String {
    let (unit, factor) = UNITS[..5].iter().rev().find(|(_, factor)| number >= *factor).unwrap_or(&UNITS[0]);
    match factor {
        1 => format!("{number} B"),
        _ => format!("{:.1} {unit}", number as f64 / *factor as f64),
    }
}

/// `0.42 s`, `2 min 5 s`, `1 h 2 min`.
pub(super) fn elapsed(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.2} s", time.as_secs_f64()),
        seconds @ 60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// `85.3 MB/s`.
pub(super) fn rate(bytes: u64, time: Duration) -> String {
    let seconds = time.as_secs_f64().max(1e-6);
    format!("{:.1} MB/s", bytes as f64 / 1e6 / seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_take_decimal_and_binary_units() {
        for (text, bytes) in [
            ("512", 512),
            ("10MB", 10_000_000),
            ("1GiB", 1 << 30),
            ("1.5 gib", 3 << 29),
            ("1_000 kB", 1_000_000),
            ("2b", 2),
        ] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn a_size_that_is_none_is_refused_with_advice() {
        for (text, part) in [
            ("", "10MB or 1GiB"),
            ("ten", "no unit of size"),
            ("10 parsecs", "`parsecs` is no unit of size; there are B, kB"),
            ("-1", "no unit of size"),
            ("0", "at least 1 byte"),
            ("0.2", "at least 1 byte"),
            ("1..5", "not a size"),
            ("99999999999TB", "not a size"),
            ("99999999999.5TB", "not a size"),
        ] {
            let error = parse_bytes(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn counts_take_underscores_and_are_never_nothing() {
        assert_eq!(parse_count("1_000_000"), Ok(1_000_000));
        assert_eq!(parse_count("0").unwrap_err(), "must be at least 1");
        assert!(parse_count("many").is_err());
    }

    #[test]
    fn times_are_written_with_their_units() {
        for (text, seconds) in [("30s", 30.0), ("5m", 300.0), ("1h30m", 5400.0), ("1h 30m", 5400.0), ("500ms", 0.5)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "30", "0s", "-5m", "soon"] {
            assert!(parse_duration(text).unwrap_err().ends_with("write it as 30s, 5m or 1h30m"), "{text}");
        }
    }

    #[test]
    fn large_numbers_are_written_with_separators() {
        let written: Vec<String> = [0, 999, 1_000, 1_234_567, u64::MAX].map(count).into();
        assert_eq!(written, ["0", "999", "1,000", "1,234,567", "18,446,744,073,709,551,615"]);
        assert_eq!((counted(1, "record"), counted(2_000, "record")), ("1 record".into(), "2,000 records".into()));
    }

    #[test]
    fn bytes_and_times_are_written_in_the_unit_that_fits() {
        assert_eq!([0, 999, 1_000, 85_300_000, 1 << 40].map(bytes), ["0 B", "999 B", "1.0 kB", "85.3 MB", "1.1 TB"]);
        let times = [0.42, 59.999, 125.0, 3_725.0].map(|seconds| elapsed(Duration::from_secs_f64(seconds)));
        assert_eq!(times, ["0.42 s", "60.00 s", "2 min 5 s", "1 h 2 min"]);
        assert_eq!(rate(85_300_000, Duration::from_secs(1)), "85.3 MB/s");
        assert_eq!(rate(0, Duration::ZERO), "0.0 MB/s");
    }
}
