//! What is asked of a stream: the calls of `aws/clients/kinesis.rs`, and of what stands for it in tests.

use std::fmt;

use crate::aws::{
    Trouble,
    clients::{
        consumers::{Consumer, Subscription},
        kinesis::{About, Beginning, ListedShard, Page, Stream},
    },
};

/// A stream that can be asked.
pub(super) trait Service: fmt::Debug + Send + Sync + 'static {
    type Pushed: Pushed;

    fn about(&self) -> impl Future<Output = Result<About, Trouble>> + Send;

    /// A page of its shards, and the token of the next.
    fn shards(
        &self,
        token: Option<&str>,
    ) -> impl Future<Output = Result<(Vec<ListedShard>, Option<String>), Trouble>> + Send;

    fn iterator(&self, shard: &str, from: Beginning<'_>) -> impl Future<Output = Result<String, Trouble>> + Send;

    /// So many records at most.
    fn records(&self, iterator: &str, most: i32) -> impl Future<Output = Result<Page, Trouble>> + Send;

    /// The consumer of this name, if there is one.
    fn consumer(&self, name: &str) -> impl Future<Output = Result<Option<Consumer>, Trouble>> + Send;

    /// Has the records of a shard pushed to a consumer, given by its ARN.
    fn subscribe(
        &self,
        consumer: &str,
        shard: &str,
        from: Beginning<'_>,
    ) -> impl Future<Output = Result<Self::Pushed, Trouble>> + Send;
}

/// What a shard pushes; dropped, it stops.
pub(super) trait Pushed: fmt::Debug + Send + 'static {
    /// The next of it, with the number to go on after as [`Page::next`]; nothing when the service ends it.
    fn next(&mut self) -> impl Future<Output = Result<Option<Page>, Trouble>> + Send;
}

impl Service for Stream {
    type Pushed = Subscription;

    async fn about(&self) -> Result<About, Trouble> {
        self.about().await
    }

    async fn shards(&self, token: Option<&str>) -> Result<(Vec<ListedShard>, Option<String>), Trouble> {
        self.shards(token).await
    }

    async fn iterator(&self, shard: &str, from: Beginning<'_>) -> Result<String, Trouble> {
        self.iterator(shard, from).await
    }

    async fn records(&self, iterator: &str, most: i32) -> Result<Page, Trouble> {
        self.records(iterator, most).await
    }

    async fn consumer(&self, name: &str) -> Result<Option<Consumer>, Trouble> {
        self.consumer(name).await
    }

    async fn subscribe(&self, consumer: &str, shard: &str, from: Beginning<'_>) -> Result<Subscription, Trouble> {
        self.subscribe(consumer, shard, from).await
    }
}

impl Pushed for Subscription {
    async fn next(&mut self) -> Result<Option<Page>, Trouble> {
        self.next().await
    }
}
