//! What is asked of a stream: the calls of `aws/clients/kinesis.rs`, and of what stands for it in tests.

use std::fmt;

use crate::aws::{
    Trouble,
    clients::kinesis::{About, Beginning, ListedShard, Page, Stream},
};

/// A stream that can be asked.
pub(super) trait Service: fmt::Debug + Send + Sync + 'static {
    fn about(&self) -> impl Future<Output = Result<About, Trouble>> + Send;

    /// A page of its shards, and the token of the next.
    fn shards(
        &self,
        token: Option<&str>,
    ) -> impl Future<Output = Result<(Vec<ListedShard>, Option<String>), Trouble>> + Send;

    fn iterator(&self, shard: &str, from: Beginning<'_>) -> impl Future<Output = Result<String, Trouble>> + Send;

    fn records(&self, iterator: &str) -> impl Future<Output = Result<Page, Trouble>> + Send;
}

impl Service for Stream {
    async fn about(&self) -> Result<About, Trouble> {
        self.about().await
    }

    async fn shards(&self, token: Option<&str>) -> Result<(Vec<ListedShard>, Option<String>), Trouble> {
        self.shards(token).await
    }

    async fn iterator(&self, shard: &str, from: Beginning<'_>) -> Result<String, Trouble> {
        self.iterator(shard, from).await
    }

    async fn records(&self, iterator: &str) -> Result<Page, Trouble> {
        self.records(iterator).await
    }
}
