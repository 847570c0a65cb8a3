//! What the Kinesis Producer Library makes of several records, written by its description and without flow's own code.

use md5::{Digest as _, Md5};

/// One record of a stream that has these in it: each under the partition key `key`, so that they belong where it goes.
#[must_use]
pub fn aggregate(key: &str, records: &[&[u8]]) -> Vec<u8> {
    let mut message = field(1, key.as_bytes());
    for data in records {
        // The first of the keys.
        let index = [1 << 3, 0];
        message.extend(field(3, &[&index[..], &field(3, data)].concat()));
    }
    let digest = Md5::digest(&message);
    [&b"\xf3\x89\x9a\xc2"[..], &message, &digest[..]].concat()
}

/// A field of so many bytes, as protobuf writes it.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut written = vec![number << 3 | 2];
    let mut left = bytes.len();
    while left > 0x7f {
        written.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    written.push(left as u8);
    written.extend(bytes);
    written
}
