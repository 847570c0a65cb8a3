//! Buckets of S3 as a whole: made, looked at, deleted. Their objects are `s3.rs`.

use aws_sdk_s3::{
    Client,
    types::{BucketLocationConstraint, CreateBucketConfiguration},
};

use super::{call, configuration, s3};
use crate::{
    Error,
    aws::{Account, Kind, Trouble},
};

/// The region whose buckets name none.
const FIRST_REGION: &str = "us-east-1";

/// The buckets of one account and region.
#[derive(Clone, Debug)]
pub(crate) struct Buckets {
    client: Client,
    /// For people and policies.
    pub(crate) region: String,
}

impl Buckets {
    /// Calls nothing yet, but for what finds credentials out.
    ///
    /// # Errors
    /// As [`configuration`].
    pub(crate) async fn of(account: &Account) -> Result<Self, Error> {
        let config = configuration(account).await?;
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        Ok(Self { client: s3::client(&config), region })
    }

    /// Whether there is a bucket of this name that may be used; one of somebody else's is [`Kind::Denied`].
    pub(crate) async fn is_there(&self, bucket: &str) -> Result<bool, Trouble> {
        match call("s3.head_bucket", self.client.head_bucket().bucket(bucket).send()).await {
            Ok(_) => Ok(true),
            Err(trouble) if trouble.kind == Kind::Missing => Ok(false),
            Err(trouble) => Err(trouble),
        }
    }

    /// Whether there is no object in it.
    pub(crate) async fn is_empty(&self, bucket: &str) -> Result<bool, Trouble> {
        let answer = self.client.list_objects_v2().bucket(bucket).max_keys(1).send();
        Ok(call("s3.list_objects_v2", answer).await?.contents().is_empty())
    }

    /// Makes a bucket.
    pub(crate) async fn create(&self, bucket: &str) -> Result<(), Trouble> {
        let mut request = self.client.create_bucket().bucket(bucket);
        if self.region != FIRST_REGION {
            let place = BucketLocationConstraint::from(self.region.as_str());
            let place = CreateBucketConfiguration::builder().location_constraint(place).build();
            request = request.create_bucket_configuration(place);
        }
        call("s3.create_bucket", request.send()).await.map(drop)
    }

    /// Deletes a bucket, which must be empty.
    pub(crate) async fn delete(&self, bucket: &str) -> Result<(), Trouble> {
        call("s3.delete_bucket", self.client.delete_bucket().bucket(bucket).send()).await.map(drop)
    }
}
