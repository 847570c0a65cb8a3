//! A digest of a flow's tokens: it changes when the program does, and with nothing else: not with comments, white space,
//! compilers or machines.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// FNV-1a, 64 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>), over the tokens; doc comments do not count.
pub(super) fn digest(tokens: TokenStream) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    add(tokens, &mut hash);
    hash
}

fn add(tokens: TokenStream, hash: &mut u64) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' && tokens.peek().is_some_and(is_doc) => {
                tokens.next();
            }
            TokenTree::Group(group) => {
                let [open, close] = match group.delimiter() {
                    Delimiter::Parenthesis => ["(", ")"],
                    Delimiter::Brace => ["{", "}"],
                    Delimiter::Bracket => ["[", "]"],
                    Delimiter::None => ["", ""],
                };
                add_text(open, hash);
                add(group.stream(), hash);
                add_text(close, hash);
            }
            other => add_text(&other.to_string(), hash),
        }
    }
}

fn is_doc(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket
        && matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(word)) if word == "doc"))
}

/// Adds a token and its end, so that `ab c` is not `a bc`.
fn add_text(text: &str, hash: &mut u64) {
    for byte in text.bytes().chain([0]) {
        *hash = (*hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
}
