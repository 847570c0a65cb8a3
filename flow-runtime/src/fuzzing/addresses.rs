//! Addresses, as command line and program give them.

use crate::{Address, address::without_secrets, source};

/// Any text is an address or refused, is opened or refused; and no password in it is ever shown.
pub(super) fn addresses(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(address) = text.parse::<Address>() {
        // What is shown has the same tap and options, as far as no text in them is a separator or an escape.
        assert_eq!(address.to_string(), without_secrets(&text));
        assert!(address.tap().bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let opened = source::open(&source::Input::Address(text.to_string()), "p");
        assert!(opened.is_ok() || !opened.unwrap_err().to_string().is_empty());
    }
    // The text as a password that somebody forgot to escape, and as one that he did escape.
    let password = format!("«{}»", text.replace(['«', '»'], ""));
    let escaped: String = password.bytes().map(|byte| format!("%{byte:02x}")).collect();
    for password in [password, escaped] {
        for shown in [
            shown(&format!("postgres://load:{password}@db/sales?table=a")),
            shown(&format!("s3://bucket/path?secret_key={escaped}", escaped = password.replace('&', "%26"))),
        ] {
            let is_leaked = shown.contains('«') || shown.contains('»') || shown.contains(&password);
            assert!(!is_leaked, "{password:?} is shown in {shown:?}");
        }
    }
}

/// All that people see of an address.
fn shown(text: &str) -> String {
    let parsed = match text.parse::<Address>() {
        Ok(address) => format!("{address} {address:?}"),
        Err(error) => format!("{error} {error:?}"),
    };
    format!("{} {parsed}", without_secrets(text))
}
