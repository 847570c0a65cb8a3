//! Text and records as a terminal shows them: on one line, and nothing in them moves the cursor.

/// How null is shown; empty text looks otherwise.
pub(crate) const NULL: &str = "∅";

/// The text, its control letters and what is no character escaped.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter.is_control() || matches!(letter, '\u{fdd0}'..='\u{fdef}' | '\u{fffe}' | '\u{ffff}') {
            true => shown.extend(letter.escape_default()),
            false => shown.push(letter),
        }
    }
    shown
}

/// The first letters of a record, `…` behind them if there are more.
pub(crate) fn beginning(record: &[u8], letters_max: usize) -> String {
    // No letter takes more than four bytes, nor does what is no letter.
    let bytes = &record[..record.len().min(4 * letters_max)];
    let text = String::from_utf8_lossy(bytes);
    let cut = text.char_indices().nth(letters_max).map_or(text.len(), |(end, _)| end);
    let more = if cut < text.len() || bytes.len() < record.len() { "…" } else { "" };
    visible(&text[..cut]) + more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_record_is_cut_between_letters_and_stays_on_one_line() {
        assert_eq!(beginning(b"a\tb\xff", 60), "a\\tb\u{fffd}");
        assert_eq!(beginning("ä".repeat(60).as_bytes(), 60), "ä".repeat(60));
        assert_eq!(beginning("aä".repeat(100_000).as_bytes(), 3), "aäa…");
        assert_eq!(beginning(b"", 60), "");
    }
}
