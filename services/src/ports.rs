//! A port for a program that has to be told one.

use std::{
    hash::{BuildHasher as _, RandomState},
    iter,
    net::TcpListener,
};

/// A port of 127.0.0.1 that nobody listens on. What the system gives to whoever asks for any port is no such port: it may
/// give the same one to somebody else before the program comes to it. This one lies below those that Linux gives (32768 and
/// up), so that only another of these choices can be in the way.
///
/// # Panics
/// When all that are tried are taken.
#[must_use]
#[expect(clippy::expect_used, reason = "a test cannot go on")]
pub fn free_port() -> u16 {
    let mut random = iter::repeat_with(|| RandomState::new().hash_one(()) % 20_000);
    let mut ports = random.by_ref().take(100).filter_map(|random| u16::try_from(10_000 + random).ok());
    ports.find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok()).expect("a free port")
}
