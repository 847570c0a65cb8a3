//! Whatever stands between the braces of a `flow!`, the macro does not panic, and prints items of Rust: in an editor it sees
//! every state that a flow goes through while it is written.
//!
//! Flows of `tests/` are cut off behind every token, and their tokens deleted, doubled, swapped and replaced. More of it:
//! `PROPTEST_CASES=20000 cargo test -p flow-macros soup`.

use std::{fs, iter::Peekable, path::PathBuf};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use proptest::{prelude::*, sample::Index, test_runner::TestRunner};
use syn::visit::{self, Visit};

/// A token, with the delimiters of groups as tokens of their own.
#[derive(Clone, Debug)]
enum Token {
    Open(Delimiter),
    Close,
    Tree(TokenTree),
}

/// What is done to a flow.
#[derive(Clone, Debug)]
enum Mutation {
    Delete(Index),
    Double(Index),
    Swap(Index, Index),
    /// A word of the language takes the place of a token.
    Replace(Index, Index),
}

const WORDS: &str = r##"
    flow source table sink trap for key on add as pub type ALL REPLACE NotNull Option i64 Decimal Timestamp TextLine
    TextDelimited JsonLine Assert Discard Each Every Filter GroupBy HashJoin Insert Merge Rename Retain RegexParser Count Sum
    InnerJoin OuterJoin log hits ip r#in _ self 0 7u8 -1 1.5 "" "|" "%Y" r"(\w+)(" r#"(?<ip>\S+)"# 'a' b"x" b'x' true 'static
    -> => = == : :: ; , . .. # ! ? & | * < > - + |x| move return break
    () {} [] (10, 2) (a, b) (ip => x) { a: &str, b: Option<i64> } #[doc = "text"] $
"##;

/// The flows of the files in a folder of `tests/`.
fn flows(folder: &str) -> Vec<TokenStream> {
    struct Flows(Vec<TokenStream>);
    impl<'ast> Visit<'ast> for Flows {
        fn visit_macro(&mut self, found: &'ast syn::Macro) {
            if found.path.segments.last().is_some_and(|last| last.ident == "flow") {
                self.0.push(found.tokens.clone());
            }
            visit::visit_macro(self, found);
        }
    }
    let mut flows = Flows(Vec::new());
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
    files.sort();
    for file in files {
        flows.visit_file(&syn::parse_file(&fs::read_to_string(file).unwrap()).unwrap());
    }
    flows.0
}

fn flatten(tokens: TokenStream, flat: &mut Vec<Token>) {
    for tree in tokens {
        match tree {
            TokenTree::Group(group) => {
                flat.push(Token::Open(group.delimiter()));
                flatten(group.stream(), flat);
                flat.push(Token::Close);
            }
            other => flat.push(Token::Tree(other)),
        }
    }
}

fn flat(tokens: TokenStream) -> Vec<Token> {
    let mut flat = Vec::new();
    flatten(tokens, &mut flat);
    flat
}

/// The tokens as a stream; groups that are open at the end are closed, and delimiters that close nothing are left out.
fn stream(tokens: Vec<Token>) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut whole = TokenStream::new();
    while tokens.peek().is_some() {
        whole.extend(group(&mut tokens));
    }
    whole
}

fn group(tokens: &mut Peekable<impl Iterator<Item = Token>>) -> TokenStream {
    let mut inner = TokenStream::new();
    while let Some(token) = tokens.next() {
        match token {
            Token::Open(delimiter) => inner.extend([TokenTree::Group(Group::new(delimiter, group(&mut *tokens)))]),
            Token::Close => break,
            Token::Tree(tree) => inner.extend([tree]),
        }
    }
    inner
}

fn mutate(tokens: &mut Vec<Token>, words: &[TokenTree], mutation: &Mutation) {
    if tokens.is_empty() {
        return;
    }
    let at = |index: &Index| index.index(tokens.len());
    match mutation {
        Mutation::Delete(index) => {
            let at = at(index);
            tokens.remove(at);
        }
        Mutation::Double(index) => {
            let at = at(index);
            tokens.insert(at, tokens[at].clone());
        }
        Mutation::Swap(one, other) => {
            let (one, other) = (at(one), at(other));
            tokens.swap(one, other);
        }
        Mutation::Replace(index, word) => {
            let at = at(index);
            tokens[at] = Token::Tree(word.get(words).clone());
        }
    }
}

fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let index = any::<Index>;
    let mutation = prop_oneof![
        index().prop_map(Mutation::Delete),
        index().prop_map(Mutation::Double),
        (index(), index()).prop_map(|(one, other)| Mutation::Swap(one, other)),
        (index(), index()).prop_map(|(at, word)| Mutation::Replace(at, word)),
    ];
    proptest::collection::vec(mutation, 1..6)
}

/// Compiles a flow, which must not panic, and holds that items come out.
fn assert_prints_items(flow: TokenStream) {
    let printed = crate::compile(flow.clone());
    if let Err(error) = syn::parse2::<syn::File>(printed.clone()) {
        panic!("{error}\n\nof the flow\n{flow}\n\nbecame\n{printed}");
    }
}

#[test]
fn token_soup_of_a_flow_cut_off_anywhere_is_no_panic() {
    for flow in flows("flows") {
        let tokens = flat(flow);
        for length in 0..=tokens.len() {
            assert_prints_items(stream(tokens[..length].to_vec()));
        }
    }
}

#[test]
fn token_soup_is_no_panic() {
    let words: Vec<TokenTree> = WORDS.parse::<TokenStream>().unwrap().into_iter().collect();
    let flows: Vec<Vec<Token>> = flows("flows").into_iter().chain(flows("compile/compile_pass")).map(flat).collect();
    let result = TestRunner::default().run(&(any::<Index>(), mutations()), |(flow, mutations)| {
        let mut tokens = flow.get(&flows).clone();
        for mutation in &mutations {
            mutate(&mut tokens, &words, mutation);
        }
        assert_prints_items(stream(tokens));
        Ok(())
    });
    result.unwrap();
}
