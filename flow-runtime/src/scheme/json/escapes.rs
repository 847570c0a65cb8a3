//! What escapes in a string stand for.

use crate::flow::Reason;

/// Gives what a string says to `each`, piece by piece; `written` is what stands between its quotes, its escapes complete.
///
/// # Errors
/// That half of a character is escaped: a surrogate without its partner is no text.
pub(super) fn unescape(written: &str, mut each: impl FnMut(&str)) -> Result<(), Reason> {
    let mut rest = written;
    while let Some((plain, escape)) = rest.split_once('\\') {
        each(plain);
        let (letter, len) = escaped(escape).ok_or_else(|| half(escape))?;
        each(letter.encode_utf8(&mut [0; 4]));
        rest = escape.get(len..).unwrap_or_default();
    }
    each(rest);
    Ok(())
}

/// Whether a string says `text`.
pub(super) fn says(written: &str, text: &str) -> bool {
    let mut rest = Some(text);
    unescape(written, |piece| rest = rest.and_then(|rest| rest.strip_prefix(piece))).is_ok() && rest == Some("")
}

/// The character at the beginning of `escape`, which follows a `\`, and how many bytes write it.
fn escaped(escape: &str) -> Option<(char, usize)> {
    let simple = match escape.as_bytes().first()? {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(escape),
        other => char::from(*other),
    };
    Some((simple, 1))
}

/// `u00e9`, or `ud83d\ude00`: what lies beyond 16 bits is written as a pair of surrogates.
fn unicode(escape: &str) -> Option<(char, usize)> {
    let first = unit(escape.get(1..5)?)?;
    if let Some(letter) = char::from_u32(first.into()) {
        return Some((letter, 5));
    }
    let second = escape.get(5..11)?.strip_prefix("\\u").and_then(unit)?;
    let letter = char::decode_utf16([first, second]).next()?.ok()?;
    Some((letter, 11))
}

fn unit(digits: &str) -> Option<u16> {
    u16::from_str_radix(digits, 16).ok()
}

#[cold]
fn half(escape: &str) -> Reason {
    let shown = escape.get(..5).unwrap_or_default();
    Reason::new(format!("`\\{shown}` is half of a character, and its other half is not there"))
}
