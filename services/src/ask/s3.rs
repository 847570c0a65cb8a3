//! What tests do with buckets. A key is written as it stands in a path: `a%20b`.

use crate::Service;

impl Service {
    /// Makes a bucket.
    ///
    /// # Panics
    /// When the service refuses.
    pub fn create_bucket(&self, bucket: &str) {
        self.s3("PUT", bucket, b"");
    }

    /// Makes an object, or puts another in its place.
    ///
    /// # Panics
    /// When the service refuses.
    pub fn put_object(&self, bucket: &str, key: &str, bytes: impl AsRef<[u8]>) {
        self.s3("PUT", &format!("{bucket}/{key}"), bytes.as_ref());
    }

    /// Begins an upload of several parts, which is no object yet: its id.
    ///
    /// # Panics
    /// When the service refuses.
    #[must_use]
    pub fn begin_upload(&self, bucket: &str, key: &str) -> String {
        let begun = String::from_utf8_lossy(&self.s3("POST", &format!("{bucket}/{key}?uploads"), b"")).into_owned();
        let id = begun.split_once("<UploadId>").and_then(|(_, rest)| rest.split_once("</UploadId>"));
        id.unwrap_or_else(|| panic!("no upload: {begun}")).0.to_owned()
    }

    /// Sends the parts of an upload and completes it: now it is an object.
    ///
    /// # Panics
    /// When the service refuses.
    pub fn complete_upload(&self, bucket: &str, key: &str, id: &str, parts: &[&str]) {
        let mut completed = String::new();
        for (part, bytes) in (1..).zip(parts) {
            let path = format!("/{bucket}/{key}?partNumber={part}&uploadId={id}");
            let answer = self.http("PUT", &path, "", bytes.as_bytes());
            let tag = answer.header("etag").unwrap_or_else(|| panic!("part {part}: {}", answer.text()));
            completed += &format!("<Part><PartNumber>{part}</PartNumber><ETag>{tag}</ETag></Part>");
        }
        let completed = format!("<CompleteMultipartUpload>{completed}</CompleteMultipartUpload>");
        self.s3("POST", &format!("{bucket}/{key}?uploadId={id}"), completed.as_bytes());
    }

    /// The bytes of an object.
    ///
    /// # Panics
    /// When it is not there.
    #[must_use]
    pub fn object(&self, bucket: &str, key: &str) -> Vec<u8> {
        self.s3("GET", &format!("{bucket}/{key}"), b"")
    }

    /// Removes an object.
    ///
    /// # Panics
    /// When the service refuses.
    pub fn delete_object(&self, bucket: &str, key: &str) {
        self.s3("DELETE", &format!("{bucket}/{key}"), b"");
    }

    /// From now on a bucket keeps all versions of its objects.
    ///
    /// # Panics
    /// When the service refuses.
    pub fn keep_versions(&self, bucket: &str) {
        let wanted = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        self.s3("PUT", &format!("{bucket}?versioning"), wanted.as_bytes());
    }

    fn s3(&self, method: &str, path: &str, body: &[u8]) -> Vec<u8> {
        let answer = self.http(method, &format!("/{path}"), "", body);
        assert!(matches!(answer.status, 200 | 204), "{method} /{path}: {} {}", answer.status, answer.text());
        answer.body
    }
}
