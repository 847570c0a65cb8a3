//! S3: writing objects, whole or in parts, each on a condition or not, and deleting them. Reading is `s3.rs`.

use aws_sdk_s3::{
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier},
};
use bytes::Bytes;

use super::{
    call,
    s3::{GET, S3, quoted, unquoted},
};
use crate::{
    aws::{Kind, Trouble, limits},
    effect::network,
};

const PUT: &str = "s3.put_object";
const DELETE: &str = "s3.delete_objects";
const BEGIN: &str = "s3.create_multipart_upload";
const PART: &str = "s3.upload_part";
const COMPLETE: &str = "s3.complete_multipart_upload";
const UPLOADS: &str = "s3.list_multipart_uploads";
const ABORT: &str = "s3.abort_multipart_upload";

/// What must be so for an object to be written; else the trouble is [`Kind::ConditionFailed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum If<'a> {
    Always,
    /// There is no object of this key.
    Absent,
    /// It has this ETag.
    Is(&'a str),
}

/// An upload in parts that was begun, and is neither completed nor aborted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenUpload {
    pub(crate) key: String,
    pub(crate) id: String,
    /// When it was begun, in microseconds since the epoch of Unix, as the service lists it.
    pub(crate) begun_us: Option<i64>,
}

impl S3 {
    /// An object whole, with its ETag; `None` if there is none of this key.
    pub(crate) async fn whole(&self, bucket: &str, key: &str) -> Result<Option<(Vec<u8>, String)>, Trouble> {
        let request = self.0.get_object().bucket(bucket).key(key);
        let read = async {
            let mut answer = request.send().await.map_err(|error| super::trouble(GET, &error))?;
            let etag = answer.e_tag.as_deref().map(unquoted).ok_or_else(|| lacking(GET, "the ETag"))?;
            let mut body = Vec::new();
            loop {
                let next = tokio::time::timeout(super::s3::BODY, answer.body.try_next()).await;
                let next = next.map_err(|_| Trouble::new(GET, Kind::Passing, "the body stopped coming"))?;
                match next.map_err(|error| Trouble::new(GET, Kind::Passing, super::chain(&error)))? {
                    Some(bytes) => body.extend_from_slice(&bytes),
                    None => return Ok::<_, Trouble>((body, etag)),
                }
            }
        };
        match network::call(GET, read).await {
            Err(trouble) if trouble.kind == Kind::Missing && trouble.code.as_deref() != Some("NoSuchBucket") => {
                Ok(None)
            }
            read => read.map(Some),
        }
    }

    /// Writes an object, and says its ETag.
    pub(crate) async fn put(&self, bucket: &str, key: &str, body: Bytes, on: If<'_>) -> Result<String, Trouble> {
        let request = self.0.put_object().bucket(bucket).key(key).body(ByteStream::from(body));
        let request = match on {
            If::Always => request,
            If::Absent => request.if_none_match("*"),
            If::Is(etag) => request.if_match(quoted(etag)),
        };
        let answer = call(PUT, request.send()).await.map_err(|mut trouble| {
            // An object that is gone is not what it was.
            if on != If::Always && trouble.code.as_deref() == Some("NoSuchKey") {
                trouble.kind = Kind::ConditionFailed;
            }
            trouble
        })?;
        answer.e_tag.as_deref().map(unquoted).ok_or_else(|| lacking(PUT, "the ETag"))
    }

    /// Deletes objects, at most [`limits::DELETE_OBJECTS_MAX`] of them; those that are not there are no trouble.
    pub(crate) async fn delete(&self, bucket: &str, keys: &[String]) -> Result<(), Trouble> {
        debug_assert!(keys.len() <= limits::DELETE_OBJECTS_MAX, "{}", keys.len());
        let invalid = |error: aws_sdk_s3::error::BuildError| Trouble::new(DELETE, Kind::Invalid, error.to_string());
        let objects = keys.iter().map(|key| ObjectIdentifier::builder().key(key).build());
        let objects = objects.collect::<Result<Vec<_>, _>>().map_err(invalid)?;
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build().map_err(invalid)?;
        let answer = call(DELETE, self.0.delete_objects().bucket(bucket).delete(delete).send()).await?;
        match answer.errors.unwrap_or_default().into_iter().next() {
            None => Ok(()),
            Some(error) => {
                let kind = Kind::of_answer(error.code.as_deref(), 500);
                let cause = format!("{}: {}", error.key.unwrap_or_default(), error.message.unwrap_or_default());
                Err(Trouble::new(DELETE, kind, cause).answered(error.code, None))
            }
        }
    }

    /// Begins an upload in parts, of which nothing is to be seen before it is completed; says its id.
    pub(crate) async fn begin_upload(&self, bucket: &str, key: &str) -> Result<String, Trouble> {
        let answer = call(BEGIN, self.0.create_multipart_upload().bucket(bucket).key(key).send()).await?;
        answer.upload_id.ok_or_else(|| lacking(BEGIN, "the id of the upload"))
    }

    /// Uploads a part, from number 1 on, and says its ETag.
    pub(crate) async fn upload_part(
        &self,
        bucket: &str,
        upload: &OpenUpload,
        number: i32,
        body: Bytes,
    ) -> Result<String, Trouble> {
        let request = self.0.upload_part().bucket(bucket).key(&upload.key).upload_id(&upload.id);
        let request = request.part_number(number).body(ByteStream::from(body));
        call(PART, request.send()).await?.e_tag.ok_or_else(|| lacking(PART, "the ETag of the part"))
    }

    /// Makes an object of parts, by their ETags from the first on, and says its own.
    pub(crate) async fn complete_upload(
        &self,
        bucket: &str,
        upload: &OpenUpload,
        parts: &[String],
    ) -> Result<String, Trouble> {
        let part = |(number, etag): (i32, &String)| CompletedPart::builder().part_number(number).e_tag(etag).build();
        let parts = (1..).zip(parts).map(part).collect();
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self.0.complete_multipart_upload().bucket(bucket).key(&upload.key).upload_id(&upload.id);
        let answer = call(COMPLETE, request.multipart_upload(parts).send()).await?;
        answer.e_tag.as_deref().map(unquoted).ok_or_else(|| lacking(COMPLETE, "the ETag"))
    }

    /// Some of the uploads that are open to keys that begin with `prefix`, and the last of them, to go on from.
    pub(crate) async fn uploads(
        &self,
        bucket: &str,
        prefix: &str,
        from: Option<OpenUpload>,
    ) -> Result<(Vec<OpenUpload>, Option<OpenUpload>), Trouble> {
        let (key, id) = from.map(|from| (from.key, from.id)).unzip();
        let request = self.0.list_multipart_uploads().bucket(bucket).prefix(prefix);
        let request = request.set_key_marker(key).set_upload_id_marker(id);
        let answer = call(UPLOADS, request.send()).await?;
        let next = answer.next_key_marker.zip(answer.next_upload_id_marker);
        let next =
            next.filter(|_| answer.is_truncated == Some(true)).map(|(key, id)| OpenUpload { key, id, begun_us: None });
        let open = answer.uploads.unwrap_or_default().into_iter();
        let open = open.map(|open| {
            let begun_us = open.initiated.as_ref().map(super::kinesis::micros);
            Some(OpenUpload { key: open.key?, id: open.upload_id?, begun_us })
        });
        let open = open.collect::<Option<_>>().ok_or_else(|| lacking(UPLOADS, "key or id of an upload"))?;
        Ok((open, next))
    }

    /// Throws an upload and its parts away; one that is not there is no trouble.
    pub(crate) async fn abort_upload(&self, bucket: &str, upload: &OpenUpload) -> Result<(), Trouble> {
        let request = self.0.abort_multipart_upload().bucket(bucket).key(&upload.key).upload_id(&upload.id);
        match call(ABORT, request.send()).await {
            Err(trouble) if trouble.kind == Kind::Missing && trouble.code.as_deref() != Some("NoSuchBucket") => Ok(()),
            answer => answer.map(drop),
        }
    }
}

fn lacking(call: &'static str, what: &str) -> Trouble {
    Trouble::new(call, Kind::Invalid, format!("the answer lacks {what}"))
}
