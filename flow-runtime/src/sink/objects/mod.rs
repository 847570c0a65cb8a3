//! What the sinks have in common that write objects of S3: a bucket (`bucket.rs`), many calls at once (`at_once.rs`), an object
//! that grows (`object.rs`), and how it is compressed (`encoder.rs`).

mod at_once;
mod bucket;
mod encoder;
#[cfg(test)]
pub(super) mod figures;
mod object;

pub(super) use at_once::at_once;
pub(super) use bucket::{Bucket, S3Bucket};
pub(super) use encoder::Compression;
pub(super) use object::{Broken, Writing, Written};
