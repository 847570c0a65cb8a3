//! Regular expressions as the `regex` crate runs them: for patterns that the macro does not compile itself, and filters.
//!
//! The macro has read the pattern at compile time: here it is only made again.

use regex::{CaptureLocations, Regex, RegexBuilder};

/// A regular expression and the places of its groups in the last text; each worker has its own.
///
/// It searches: a pattern without `^` may match anywhere in the text.
///
/// # Example
/// ```
/// use flow_runtime::operations::Pattern;
/// let mut pattern = Pattern::new(r"(\w+)=(\w+)?");
/// let groups = pattern.find("so a= it is").unwrap();
/// assert_eq!((groups.get(0), groups.get(1), groups.get(2)), (Some("a="), Some("a"), None));
/// assert!(pattern.find("nothing").is_none());
/// ```
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
    locations: CaptureLocations,
}

impl Pattern {
    /// Makes the pattern; however large it is, since the program's text asks for it.
    ///
    /// # Panics
    /// When it is no regular expression, which the macro refuses.
    #[must_use]
    pub fn new(pattern: &'static str) -> Self {
        match RegexBuilder::new(pattern).size_limit(usize::MAX).build() {
            Ok(regex) => Self { locations: regex.capture_locations(), regex },
            Err(error) => panic!("flow! let pass a pattern that is none: {error}"),
        }
    }

    /// Searches `text` for the first match.
    #[inline]
    pub fn find<'r>(&mut self, text: &'r str) -> Option<Groups<'_, 'r>> {
        self.regex.captures_read(&mut self.locations, text)?;
        Some(Groups { text, locations: &self.locations })
    }

    /// Whether `text` has a match.
    #[inline]
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// The groups of a match.
#[derive(Clone, Copy, Debug)]
pub struct Groups<'p, 'r> {
    text: &'r str,
    locations: &'p CaptureLocations,
}

impl<'r> Groups<'_, 'r> {
    /// What a group matched, 0 being the whole match; `None` if it took no part, or there is no such group.
    #[inline]
    #[must_use]
    pub fn get(&self, group: usize) -> Option<&'r str> {
        let (start, end) = self.locations.get(group)?;
        self.text.get(start..end)
    }
}

/// Where the first `byte` stands in `text` at or behind `from`; the end of the text if there is none.
#[inline]
#[must_use]
pub fn up_to(text: &str, from: usize, byte: u8) -> usize {
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    from + memchr::memchr(byte, rest).unwrap_or(rest.len())
}

/// Where the bytes of a class end that begin at `from`: `ascii` has a bit for each ASCII byte, and `beyond_ascii` says
/// whether the class has all other characters.
#[inline]
#[must_use]
pub fn run_of(text: &str, from: usize, ascii: u128, beyond_ascii: bool) -> usize {
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    let is_in = |byte: u8| if byte < 128 { ascii >> byte & 1 == 1 } else { beyond_ascii };
    from + rest.iter().position(|byte| !is_in(*byte)).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn groups_that_took_no_part_or_do_not_exist_are_none() {
        let mut pattern = Pattern::new("(a)|(b)");
        let groups = pattern.find("xb").unwrap();
        assert_eq!((groups.get(1), groups.get(2), groups.get(3)), (None, Some("b"), None));
    }

    #[test]
    fn what_was_found_before_is_forgotten() {
        let mut pattern = Pattern::new("(a)?b");
        assert_eq!(pattern.find("ab").unwrap().get(1), Some("a"));
        assert_eq!(pattern.find("b").unwrap().get(1), None);
        assert!(pattern.is_match("ab") && !pattern.is_match("a"));
    }

    #[test]
    fn a_pattern_may_be_larger_than_the_regex_crate_allows_by_itself() {
        let large = r"\w{400}";
        assert!(regex::Regex::new(large).is_err());
        assert!(Pattern::new(large).is_match(&"x".repeat(400)));
    }
}
