//! Dates and times as ISO 8601 writes them, which Redshift takes whatever format it is told.

use super::load_error::Reason;

/// `2026-11-22`
pub(super) fn check_date(field: &[u8]) -> Result<(), Reason> {
    if is_date(field) { Ok(()) } else { Err(Reason::new(1205, "Invalid Date Format - length must be 10 or more")) }
}

/// `2026-11-22 15:16:17.123456`, with `+00` or `+00:00` after it where there may be a zone.
pub(super) fn check_timestamp(field: &[u8], may_have_zone: bool) -> Result<(), Reason> {
    let wrong = || Reason::new(1206, "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]");
    let (date, rest) = field.split_at_checked(10).ok_or_else(wrong)?;
    let is_right = match rest {
        [] => true,
        [b' ' | b'T', time @ ..] => is_time(time, may_have_zone),
        _ => false,
    };
    if is_date(date) && is_right { Ok(()) } else { Err(wrong()) }
}

fn is_date(field: &[u8]) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = field else { return false };
    let (Some(year), Some(month), Some(day)) =
        (number(&[*y1, *y2, *y3, *y4]), number(&[*m1, *m2]), number(&[*d1, *d2]))
    else {
        return false;
    };
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 0,
    };
    year > 0 && (1..=days).contains(&day)
}

fn is_time(field: &[u8], may_have_zone: bool) -> bool {
    let Some((time, rest)) = field.split_at_checked(8) else { return false };
    let [h1, h2, b':', m1, m2, b':', s1, s2] = time else { return false };
    let below = |tens: u8, ones: u8, bound: u32| number(&[tens, ones]).is_some_and(|number| number < bound);
    if !below(*h1, *h2, 24) || !below(*m1, *m2, 60) || !below(*s1, *s2, 60) {
        return false;
    }
    let rest = match rest {
        [b'.', fraction @ ..] => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=6).contains(&digits) {
                return false;
            }
            &fraction[digits..]
        }
        rest => rest,
    };
    match rest {
        [] => true,
        [b'Z'] => may_have_zone,
        [b'+' | b'-', h1, h2] => may_have_zone && below(*h1, *h2, 15),
        [b'+' | b'-', h1, h2, b':', m1, m2] => may_have_zone && below(*h1, *h2, 15) && below(*m1, *m2, 60),
        _ => false,
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0')))
}
