//! Records of a stream under attack.

use md5::{Digest as _, Md5};
use prost::Message as _;

use super::aggregate::{Content, content};
use crate::{aws::kpl, fuzzing::Input};

/// Any record is itself, or has magic and digest and is taken apart; what was taken apart is the same when it is put together
/// and taken apart again.
pub(crate) fn aggregates(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let hash_keys = input.flag().then_some((0, u128::MAX / 2));
    let data = if input.flag() { input.rest().to_vec() } else { closed(input.rest()) };
    let taken = content(&data, hash_keys);
    assert!(taken == Content::Plain || is_closed(&data));
    match taken {
        Content::Plain => {}
        Content::Aggregate(aggregate) => {
            assert_eq!(content(&closed(&aggregate.encode_to_vec()), hash_keys), Content::Aggregate(aggregate));
        }
        Content::Elsewhere(records) => {
            let Content::Aggregate(aggregate) = content(&data, None) else { panic!("it is one, wherever it belongs") };
            assert!(hash_keys.is_some() && aggregate.records.len() == records);
        }
    }
}

/// A message between magic and digest.
fn closed(message: &[u8]) -> Vec<u8> {
    [&kpl::MAGIC[..], message, &Md5::digest(message)[..]].concat()
}

fn is_closed(data: &[u8]) -> bool {
    let message = data.len().checked_sub(kpl::DIGEST_BYTES).and_then(|end| data.get(kpl::MAGIC.len()..end));
    message.is_some_and(|message| closed(message) == data)
}
