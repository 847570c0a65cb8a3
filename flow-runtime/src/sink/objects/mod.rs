//! What the sinks have in common that write objects of S3: a bucket (`bucket.rs`), an object that grows (`object.rs`), and
//! how it is compressed (`encoder.rs`).

mod bucket;
mod encoder;
mod object;

pub(super) use bucket::{Bucket, S3Bucket};
pub(super) use encoder::Compression;
pub(super) use object::{Broken, Writing, Written};
