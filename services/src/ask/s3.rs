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
