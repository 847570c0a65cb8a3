//! S3: listing keys, and reading objects, each as one version of it.

use std::{ops::Range, time::Duration};

use aws_config::SdkConfig;
use aws_sdk_s3::{Client, config::Builder};
use aws_types::service_config::ServiceConfigKey;

use super::{chain, configuration, trouble};
use crate::{
    Error,
    aws::{Account, Kind, Trouble},
    effect::network,
};

/// The next bytes of a body.
pub(super) const BODY: Duration = Duration::from_secs(15);

const LIST: &str = "s3.list_objects_v2";
/// Asking which version of an object there is.
pub(crate) const HEAD: &str = "s3.head_object";
/// Reading an object, or a part of it.
pub(crate) const GET: &str = "s3.get_object";

/// The calls of S3 that flow makes.
#[derive(Clone, Debug)]
pub(crate) struct S3(pub(super) Client);

/// An object as a listing tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) key: String,
    pub(crate) bytes: u64,
    /// Without its quotes.
    pub(crate) etag: String,
    /// When it was written, in microseconds since the epoch of Unix.
    pub(crate) written_us: i64,
}

/// Some of the objects that were asked for, in the order of their keys, and where to go on.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) objects: Vec<Object>,
    pub(crate) next: Option<String>,
}

/// What to read of which version of an object.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) etag: String,
    /// In a bucket that keeps versions.
    pub(crate) version: Option<String>,
}

impl S3 {
    /// A client for this account.
    ///
    /// # Errors
    /// As [`configuration`] says.
    pub(crate) async fn new(account: &Account) -> Result<Self, Error> {
        Ok(Self(client(&configuration(account).await?)))
    }

    /// Lists objects whose keys begin with `prefix`, at most `most` of them; S3 gives no more than a thousand at once.
    pub(crate) async fn list(
        &self,
        bucket: &str,
        prefix: &str,
        most: Option<u16>,
        from: Option<String>,
    ) -> Result<Page, Trouble> {
        let request = self.0.list_objects_v2().bucket(bucket).prefix(prefix).set_continuation_token(from);
        let answer = super::call(LIST, request.set_max_keys(most.map(i32::from)).send()).await?;
        let lacking = |what: &str| Trouble::new(LIST, Kind::Invalid, format!("the answer lacks {what}"));
        let next = answer.next_continuation_token.filter(|_| answer.is_truncated == Some(true));
        if next.is_none() && answer.is_truncated == Some(true) {
            return Err(lacking("the token to go on with"));
        }
        let objects = answer.contents.unwrap_or_default().into_iter().map(|object| {
            let bytes = u64::try_from(object.size?).ok()?;
            // A server that does not say when is none that anything is removed from for being old.
            let written_us = object.last_modified.map_or(i64::MAX, |time| super::kinesis::micros(&time));
            Some(Object { key: object.key?, bytes, etag: unquoted(&object.e_tag?), written_us })
        });
        let objects = objects.collect::<Option<_>>().ok_or_else(|| lacking("key, size or ETag of an object"))?;
        Ok(Page { objects, next })
    }

    /// The id of this version, if the bucket keeps versions.
    pub(crate) async fn version(&self, bucket: &str, key: &str, etag: &str) -> Result<Option<String>, Trouble> {
        let request = self.0.head_object().bucket(bucket).key(key).if_match(quoted(etag));
        let answer = super::call(HEAD, request.send()).await.map_err(|mut trouble| {
            // This answer has no body to say why; what was just listed by the same client is not asked for in a wrong way.
            if trouble.kind == Kind::Invalid && trouble.code.is_none() {
                trouble.kind = Kind::Credentials;
            }
            trouble
        })?;
        // `null` is one as well: what was there before the bucket kept any, and stays with those that came after.
        Ok(answer.version_id)
    }

    /// Reads a range of an object, or all of it, to the end of `into`: what came before something went wrong is there.
    ///
    /// Of a whole object the checksum is compared, if it has one; then what did not fit is not kept.
    pub(crate) async fn get(
        &self,
        wanted: &Wanted,
        range: Option<Range<u64>>,
        into: &mut Vec<u8>,
    ) -> Result<(), Trouble> {
        let Wanted { bucket, key, etag, version } = wanted;
        let request = self.0.get_object().bucket(bucket).key(key).if_match(quoted(etag));
        let said = range.as_ref().map(|range| format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
        let request = request.set_range(said).set_version_id(version.clone());
        network::call(GET, async {
            let mut answer = request.send().await.map_err(|error| trouble(GET, &error))?;
            let before = into.len();
            let told = answer.content_length.and_then(|length| usize::try_from(length).ok());
            let mut came = 0;
            // A server may give everything all the same (RFC 9110, 14.2).
            let mut unheeded = range.filter(|_| answer.content_range.is_none());
            loop {
                match tokio::time::timeout(BODY, answer.body.try_next()).await {
                    Ok(Ok(Some(bytes))) => {
                        came += bytes.len();
                        into.extend_from_slice(match &mut unheeded {
                            None => &bytes,
                            Some(range) => within(range, &bytes),
                        });
                    }
                    Ok(Ok(None)) => return Ok(()),
                    Ok(Err(error)) => {
                        // All of it came, and it is not what its checksum says.
                        if told == Some(came) {
                            into.truncate(before);
                        }
                        return Err(Trouble::new(GET, Kind::Passing, chain(&error)));
                    }
                    Err(_) => return Err(Trouble::new(GET, Kind::Passing, "the body stopped coming")),
                }
            }
        })
        .await
    }
}

/// Of the next bytes of a body those that a range means; the range then goes on behind them.
fn within<'b>(range: &mut Range<u64>, bytes: &'b [u8]) -> &'b [u8] {
    let length = bytes.len() as u64;
    let (start, end) = (range.start.min(length), range.end.min(length));
    *range = range.start - start..range.end - end;
    let place = |offset: u64| usize::try_from(offset).unwrap_or(bytes.len());
    &bytes[place(start)..place(end)]
}

/// A client of S3, wherever that is.
pub(super) fn client(config: &SdkConfig) -> Client {
    let key = ServiceConfigKey::builder().service_id("S3").env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let of_service = config.service_config().zip(key.ok()).and_then(|(said, key)| said.load_config(key));
    // What stands in for S3 seldom has a name for each bucket.
    let is_elsewhere = config.endpoint_url().is_some() || of_service.is_some();
    Client::from_conf(Builder::from(config).force_path_style(is_elsewhere).build())
}

pub(super) fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

pub(super) fn unquoted(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_that_was_not_heeded_is_cut_out_of_the_body() {
        for (range, expected) in [(0..8, "abcdefgh"), (2..5, "cde"), (3..4, "d"), (6..99, "gh"), (8..9, "")] {
            let mut range = range;
            let cut: Vec<u8> =
                [&b"abc"[..], b"", b"def", b"gh"].iter().flat_map(|part| within(&mut range, part).to_vec()).collect();
            assert_eq!(String::from_utf8(cut).unwrap(), expected);
        }
    }
}
