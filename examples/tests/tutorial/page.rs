//! The page, read: its commands in their order, and what it shows of their output.

use std::path::Path;

/// A command of the page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The line of the page that its block begins at.
    pub(crate) line: usize,
    pub(crate) command: String,
    /// What the page shows of its output.
    pub(crate) shown: Option<String>,
}

/// Reads the blocks that are fenced as `sh`, and those as `text` behind them.
pub(crate) fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = (1..).zip(page.lines());
    while let Some((line, text)) = lines.next() {
        let Some(language) = text.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().map(|(_, text)| text).take_while(|text| *text != "```").collect();
        let block = block.join("\n");
        match (language, steps.last_mut()) {
            ("sh", _) => steps.push(Step { line, command: block, shown: None }),
            ("text", Some(step)) if step.shown.is_none() => step.shown = Some(block),
            _ => panic!("line {line}: a block of `{language}` that nothing is done with"),
        }
    }
    steps
}

/// Whether the output is what is shown: `…` stands for any text in a line, alone for any lines.
pub(crate) fn fits(shown: &str, output: &str) -> bool {
    let (shown, output): (Vec<&str>, Vec<&str>) = (shown.lines().collect(), output.trim_end().lines().collect());
    lines_fit(&shown, &output)
}

fn lines_fit(shown: &[&str], output: &[&str]) -> bool {
    match (shown, output) {
        ([], []) => true,
        ([line, rest @ ..], _) if line.trim() == "…" => {
            (0..=output.len()).any(|left| lines_fit(rest, &output[left..]))
        }
        ([line, rest @ ..], [found, others @ ..]) => line_fits(line, found) && lines_fit(rest, others),
        _ => false,
    }
}

fn line_fits(shown: &str, found: &str) -> bool {
    let (shown, found) = (shown.trim_end(), found.trim_end());
    let mut parts = shown.split('…');
    let Some(mut rest) = parts.next().and_then(|first| found.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some((_, behind)) = rest.split_once(part) else { return false };
        rest = behind;
    }
    rest.ends_with(last)
}

/// What `cargo` is told in the page's words: the package, its features, its program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cargo<'a> {
    pub(crate) package: &'a str,
    pub(crate) features: Option<&'a str>,
    pub(crate) program: &'a str,
}

impl<'a> Cargo<'a> {
    pub(crate) fn of(command: &'a str) -> Option<Self> {
        let words: Vec<&str> = command.split_whitespace().collect();
        let ["cargo", "build" | "run", ..] = words.as_slice() else { return None };
        let option = |name| words.iter().position(|word| *word == name).and_then(|at| words.get(at + 1).copied());
        Some(Self { package: option("--package")?, features: option("--features"), program: option("--bin")? })
    }

    /// Whether there is such a program, and such features.
    pub(crate) fn is_possible(&self, root: &Path) -> bool {
        let Some(folder) = self.package.strip_prefix("flow-").map(|folder| root.join(folder)) else { return false };
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        let is_feature = |feature: &str| manifest.lines().any(|line| line.starts_with(&format!("{feature} = [")));
        folder.join(format!("src/bin/{}.rs", self.program)).exists() && self.features.is_none_or(is_feature)
    }
}

#[test]
fn a_page_is_read_as_commands_and_what_they_print() {
    let step = |line, command: &str, shown: Option<&str>| Step {
        line,
        command: command.to_owned(),
        shown: shown.map(str::to_owned),
    };
    let page = "One\n\n```sh\na \\\n  b\n```\n\nTwo\n\n```sh\nc\n```\n\n```text\nd\ne\n```\n";
    assert_eq!(steps(page), [step(3, "a \\\n  b", None), step(10, "c", Some("d\ne"))]);
}

#[test]
fn what_is_left_out_of_an_output_may_be_anything_and_nothing_else_may() {
    assert!(fits("a\nb", "a\nb\n") && !fits("a\nb", "a\nc") && !fits("a", "a\nb") && !fits("a\nb", "a"));
    assert!(fits("done in … s", "done in 0.3 s") && !fits("done in … s", "done in 0.3 m"));
    assert!(fits("a … b … c", "a 1 b 2 c") && !fits("a … b … c", "a 1 c"));
    assert!(fits("…\nb\n…", "b") && fits("…\nb\n…", "a\na\nb\nc") && !fits("…\nb\n…", "a\nc"));
}
