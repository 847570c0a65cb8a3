use regex::Regex;

use super::analyse;

const ACCESS_LOG: &str = r#"^([^ ]*) \S+ \S+ \[([\w:/]+\s[+\-]\d{4})\] "(.+?)" (\d{3}) ([^ ]*).*$"#;

/// The runtime's pattern with every group kept.
fn whole(pattern: &str) -> Regex {
    let pattern = analyse(pattern).unwrap();
    let all: Vec<usize> = (1..=pattern.groups.len()).collect();
    Regex::new(&pattern.runtime(&all)).unwrap()
}

fn captures(regex: &Regex, text: &str) -> Option<Vec<Option<String>>> {
    let groups = regex.captures(text)?;
    Some(groups.iter().map(|group| group.map(|found| found.as_str().to_owned())).collect())
}

#[test]
fn the_access_log_pattern_with_one_kept_group_stays_readable() {
    assert_eq!(
        analyse(ACCESS_LOG).unwrap().runtime(&[1]),
        r#"^([^ ]*) [[:^space:]]+ [[:^space:]]+ \[(?:[[:word:]:/]+[[:space:]][+\-][[:digit:]]{4})\] "(?:.+?)" (?:[[:digit:]]{3}) (?:[^ ]*).*$"#
    );
}

#[test]
fn a_pattern_without_groups_and_classes_stays_as_it_is() {
    for pattern in ["", "GET /é.*$", r"\.\\d\[\p{Greek}[[:alpha:]]", "(?:a|b)(?i:c)", "(?x) a # (comment) \\d\n b"] {
        assert_eq!(analyse(pattern).unwrap().runtime(&[]), pattern);
    }
}

#[test]
fn kept_groups_are_numbered_in_the_order_of_the_pattern() {
    let pattern = analyse("((?<a>a)(?P<b>b))(c)").unwrap();
    let names: Vec<_> = pattern.groups.iter().map(|group| group.name.as_deref()).collect();
    assert_eq!(names, [None, Some("a"), Some("b"), None]);
    assert_eq!(pattern.runtime(&[3, 4]), "(?:(?:a)(b))(c)");
    let found = captures(&Regex::new(&pattern.runtime(&[3, 4])).unwrap(), "abc").unwrap();
    assert_eq!(found[1..], [Some("b".to_owned()), Some("c".to_owned())]);
}

#[test]
fn a_group_that_a_match_can_do_without_is_optional() {
    for (pattern, optional) in [
        ("(a)", &[false][..]),
        ("(a)?(b)", &[true, false]),
        ("(a)*(b)+?(c)*?", &[true, false, true]),
        ("(a){0}(b){0,3}(c){1,3}(d){2}(e){0,}(f){1,}", &[true, true, false, false, true, false]),
        ("(a)|b", &[true]),
        ("(a|b)(c|)", &[false, false]),
        ("((a)|(b))+", &[false, true, true]),
        ("(?:(a)(b)?)?", &[true, true]),
        ("(?i:(a))((b))", &[false, false, false]),
        (ACCESS_LOG, &[false; 5]),
    ] {
        let found: Vec<bool> = analyse(pattern).unwrap().groups.iter().map(|group| group.optional).collect();
        assert_eq!(found, optional, "{pattern}");
    }
}

#[test]
fn on_ascii_text_the_runtime_pattern_captures_what_the_ascii_original_does() {
    let texts = [
        "",
        "a",
        " ",
        "abc_9 def",
        "\t\x0B\x0C\r\n x",
        "x1-y2.z3",
        "--__--",
        "K k s S",
        r#"10.1.1.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 23"#,
        r#"10.1.1.1 - - [10/Oct/2000:13:55:36] "GET / HTTP/1.0" 200 23"#,
    ];
    for pattern in [
        ACCESS_LOG,
        r"(\w+)\s(\w+)",
        r"(?i)(\w+)\W+([k\d\s]+)",
        r"\b([\w.-]+)\b",
        r"(\B.)(\w)?",
        r"([\s\w--[_\d]]+)",
        r"((?x) \w [\d \s] )",
        r"\<(\d*)\b{end}",
    ] {
        // Without Unicode, and on ASCII text, a regex over bytes has no code points to split.
        let original = regex::bytes::Regex::new(&format!("(?-u){pattern}")).unwrap();
        for text in texts {
            let expected = original.captures(text.as_bytes()).map(|groups| {
                let text = |found: regex::bytes::Match<'_>| String::from_utf8(found.as_bytes().to_vec()).unwrap();
                groups.iter().map(|group| group.map(text)).collect::<Vec<_>>()
            });
            assert_eq!(captures(&whole(pattern), text), expected, "{pattern} on {text:?}");
        }
    }
}

#[test]
fn classes_and_boundaries_are_ascii_and_still_match_whole_code_points() {
    for (pattern, text, matched) in [
        (r"^\d$", "٣", false),
        (r"^\D$", "٣", true),
        (r"^\w$", "é", false),
        (r"^\W$", "é", true),
        (r"^\s$", "\u{a0}", false),
        (r"^\S$", "\u{a0}", true),
        (r"^[\d\w\s]$", "é", false),
        (r"^[^\w]$", "é", true),
        (r"^[\W]$", "é", true),
        (r"^.$", "é", true),
        (r"a\b", "aé", true),
        (r"é\b", "é", false),
        (r"^é\B$", "é", true),
        (r"^\Bé\B$", "é", true),
        (r"(?i)^\w$", "\u{212a}", false),
        (r"(?i)^\W$", "\u{212a}", true),
        (r"(?i)É", "é", true),
    ] {
        assert_eq!(whole(pattern).is_match(text), matched, "{pattern} on {text}");
    }
}

#[test]
fn unicode_classes_hold_where_they_are_asked_for_and_no_further() {
    for (pattern, runtime) in [
        (r"(?u)\w\b[\d]", r"(?u)\w\b[\d]"),
        (r"(?u:\w)\w", r"(?u:\w)[[:word:]]"),
        (r"((?u)\w|\d)\d", r"(?:(?u)\w|\d)[[:digit:]]"),
        (r"(?u)\w(?-u)\d", r"(?u)\w(?-u)[[:digit:]]"),
        (r"(?iu)\w(?s)\w", r"(?iu)\w(?s)\w"),
        (r"(?i)\w(?-i)\w", r"(?i)(?-i:[[:word:]])(?-i)[[:word:]]"),
    ] {
        assert_eq!(analyse(pattern).unwrap().runtime(&[]), runtime);
        assert!(Regex::new(runtime).is_ok());
    }
}

#[test]
fn a_pattern_that_cannot_be_compiled_is_refused_where_it_is_wrong() {
    for (pattern, message, at) in [
        ("a(b", "unclosed group", 1..2),
        ("a)b", "unopened group", 1..2),
        ("é[a", "unclosed character class", 2..3),
        ("*a", "repetition operator missing expression", 0..0),
        ("a{2,1}", "invalid repetition count range, the start must be <= the end", 1..6),
        (r"a\q", "unrecognized escape sequence", 1..3),
        (r"(a)\1", "backreferences are not supported", 3..5),
        ("(?=a)", "look-around, including look-ahead and look-behind, is not supported", 0..3),
        ("(?<n>a)(?<n>b)", "duplicate capture group name", 10..11),
        (r"\p{Klingon}", "Unicode property not found", 0..11),
        (r"(?-u)\xFF", "pattern can match invalid UTF-8", 5..9),
        ("a*+", "a quantifier right after a quantifier (possessive ones are not supported)", 2..3),
    ] {
        let error = analyse(pattern).unwrap_err();
        assert_eq!((error.message.as_str(), error.at), (message, at), "{pattern}");
    }
}
