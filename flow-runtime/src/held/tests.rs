use super::*;

#[test]
fn every_cause_has_its_entry_and_a_way_out() {
    for (index, entry) in CAUSES.iter().enumerate() {
        assert!(entry.cause as usize == index && std::ptr::eq(entry.cause.entry(), entry), "{}", entry.cause);
        assert!(!entry.remedies.is_empty(), "{}", entry.cause);
    }
    assert_eq!(CAUSES.len(), Cause::SourceReplaced as usize + 1);
}

#[test]
fn who_is_to_empty_targets_is_told_to_copy_them_first() {
    let remedies = || CAUSES.iter().flat_map(|entry| entry.remedies);
    let empties = |remedy: &&Remedy| remedy.commands.iter().any(|command| command.contains("--empty"));
    assert!(remedies().filter(empties).all(|remedy| remedy.when.contains("COPY THE TARGET")));
    assert!(remedies().any(|remedy| empties(&remedy)));
}

#[test]
fn the_words_in_the_commands_are_known() {
    for command in CAUSES.iter().flat_map(|entry| entry.remedies).flat_map(|remedy| remedy.commands) {
        let rest = Word::ALL.iter().fold((*command).to_owned(), |rest, word| rest.replace(word.placeholder(), ""));
        assert!(!rest.contains(['{', '}']), "{command}");
    }
}

#[test]
fn a_cause_is_called_alike_in_text_and_in_json() {
    for entry in &CAUSES {
        assert_eq!(serde_json::to_value(entry.cause).unwrap(), entry.cause.to_string());
    }
}

#[test]
fn the_page_shows_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/held.md");
    if std::env::var_os("UPDATE_PAGES").is_some() {
        std::fs::write(path, page()).unwrap();
    }
    let is_current = std::fs::read_to_string(path).unwrap() == page();
    assert!(is_current, "run this test with UPDATE_PAGES=1 to write the page");
}
