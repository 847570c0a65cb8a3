//! The SDK of AWS, and nothing else knows it: configuration, and a file for each service with a function for each call that
//! flow makes. They take and give flow's own types.

pub(crate) mod buckets;
pub(crate) mod consumers;
pub(crate) mod dynamodb;
pub(crate) mod items;
pub(crate) mod kinesis;
pub(crate) mod objects;
pub(crate) mod s3;
pub(crate) mod scan;
pub(crate) mod streams;
#[cfg(test)]
mod tests;
pub(crate) mod writes;

use std::{
    collections::HashMap,
    error::Error as StdError,
    sync::{LazyLock, Mutex, PoisonError},
    time::Duration,
};

use aws_config::{
    BehaviorVersion, Region, SdkConfig,
    environment::EnvironmentVariableRegionProvider,
    meta::region::RegionProviderChain,
    profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider},
    provider_config::ProviderConfig,
    retry::RetryConfig,
    sts::AssumeRoleProvider,
    timeout::TimeoutConfig,
};
use aws_sdk_kinesis::{
    config::{ProvideCredentials as _, SharedCredentialsProvider, SharedHttpClient, http::HttpResponse},
    error::{ProvideErrorMetadata, SdkError},
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_types::origin::Origin;

pub(crate) use dynamodb::Tables;

use super::{Account, Kind, Trouble};
use crate::{
    Error, Failure,
    effect::{network, patience},
};

/// A server that does not even accept is not there.
const CONNECT: Duration = Duration::from_secs(4);
/// The first byte of an answer; the slowest service here, DynamoDB, gives up by itself after less.
const READ: Duration = Duration::from_secs(15);
/// One call with its whole answer, bodies that are streamed apart.
const CALL: Duration = Duration::from_secs(30);

static HTTP: LazyLock<SharedHttpClient> =
    LazyLock::new(|| Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https());

/// What was found out for each account. Credentials are kept in there until they end: a run that makes clients again and
/// again asks for them as seldom as one that makes them once.
static KNOWN: Mutex<Option<HashMap<Account, SdkConfig>>> = Mutex::new(None);

/// The configuration that clients of this account are made of. Nothing is called yet, but for what finds credentials out,
/// and once only.
///
/// # Errors
/// [`Error::Config`] when no region is known.
pub(crate) async fn configuration(account: &Account) -> Result<SdkConfig, Error> {
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(config) = known().as_ref().and_then(|known| known.get(account)) {
        return Ok(config.clone());
    }
    let config = found_out(account).await?;
    // Whoever was faster has perhaps credentials already.
    Ok(known().get_or_insert_default().entry(account.clone()).or_insert(config).clone())
}

/// The region of an account, as far as it is known without a call: the machine itself is not asked.
pub(crate) async fn region(account: &Account) -> Option<String> {
    if account.region.is_some() {
        return account.region.clone();
    }
    let of_profile = match &account.profile {
        Some(profile) => ProfileFileRegionProvider::builder().profile_name(profile).build(),
        None => ProfileFileRegionProvider::new(),
    };
    let found = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new()).or_else(of_profile);
    found.region().await.map(|region| region.to_string())
}

async fn found_out(account: &Account) -> Result<SdkConfig, Error> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(HTTP.clone())
        // Of those who give credentials, which the SDK asks by itself.
        .retry_config(RetryConfig::standard())
        .timeout_config(timeouts());
    if let Some(region) = &account.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &account.profile {
        loader = loader.profile_name(profile);
    }
    let config = loader.load().await;
    if config.region().is_none() {
        return Err(Error::Config(
            Failure::new("no AWS region is known").help("set AWS_REGION, or add ?region=eu-central-1 to the address"),
        ));
    }
    let mut calls = identified(config, account).await.into_builder().retry_config(RetryConfig::disabled());
    if let Some(endpoint) = &account.endpoint {
        // Not before: who gives credentials is elsewhere. It goes before what the environment says of a service.
        calls = calls.endpoint_url(endpoint);
        calls.insert_origin("endpoint_url", Origin::shared_config());
    }
    Ok(calls.build())
}

/// The credentials of an account, as a service takes them that calls for somebody.
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: String,
    /// Of those that end.
    pub(crate) token: Option<String>,
}

/// The keys of an account, as they are now.
///
/// # Errors
/// [`Error::Config`] when there are none.
pub(crate) async fn keys(account: &Account) -> Result<Keys, Error> {
    let config = configuration(account).await?;
    let none = |cause: String| Error::Config(Failure::new("no AWS credentials").cause(cause).help(LOOKED_FOR));
    let provider = config.credentials_provider().ok_or_else(|| none("nobody gives any".to_owned()))?;
    let found = provider.provide_credentials().await.map_err(|error| none(chain(&error)))?;
    let token = found.session_token().map(str::to_owned);
    Ok(Keys { id: found.access_key_id().to_owned(), secret: found.secret_access_key().to_owned(), token })
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(patience(READ))
        .operation_attempt_timeout(patience(CALL))
        .operation_timeout(patience(CALL))
        .build()
}

/// With the credentials that the account asks for.
async fn identified(mut config: SdkConfig, account: &Account) -> SdkConfig {
    if let Some(profile) = &account.profile {
        // The SDK would rather take the keys of the environment than those of any profile.
        let whence = ProviderConfig::without_region()
            .with_http_client(HTTP.clone())
            .with_region(config.region().cloned())
            .with_timeout_config(timeouts());
        let provider = ProfileFileCredentialsProvider::builder().configure(&whence).profile_name(profile).build();
        config = config.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build();
    }
    if let Some(role) = &account.role {
        let provider = AssumeRoleProvider::builder(role).session_name("flow").configure(&config).build().await;
        config = config.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build();
    }
    config
}

/// Makes a call under the name of its effect.
async fn call<T, E: ProvideErrorMetadata + StdError + Send + Sync + 'static>(
    name: &'static str,
    answer: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<T, Trouble> {
    network::call(name, async { answer.await.map_err(|error| trouble(name, &error)) }).await
}

fn trouble<E: ProvideErrorMetadata + StdError + Send + Sync + 'static>(
    name: &'static str,
    error: &SdkError<E, HttpResponse>,
) -> Trouble {
    let told = chain(error);
    match error {
        SdkError::ServiceError(answer) => {
            let (code, raw) = (answer.err().code(), answer.raw());
            let header = |name| raw.headers().get(name).map(str::to_owned);
            let status = raw.status().as_u16();
            // An answer to HEAD has no body.
            let cause = answer.err().message().map_or_else(|| format!("HTTP status {status}"), str::to_owned);
            Trouble::new(name, Kind::of_answer(code, status), cause)
                .answered(code.map(str::to_owned), header("x-amzn-requestid").or_else(|| header("x-amz-request-id")))
        }
        SdkError::TimeoutError(_) => Trouble::new(name, Kind::Passing, "no answer in time"),
        SdkError::ResponseError(_) => Trouble::new(name, Kind::Passing, told),
        SdkError::ConstructionFailure(_) | SdkError::DispatchFailure(_) if lacks_credentials(error) => {
            Trouble::new(name, Kind::Credentials, format!("no AWS credentials: {told}; {LOOKED_FOR}"))
        }
        SdkError::DispatchFailure(_) => Trouble::new(name, Kind::Passing, told),
        _ => Trouble::new(name, Kind::Invalid, told),
    }
}

/// What the SDK tries, in its order.
const LOOKED_FOR: &str = "looked for in the environment (AWS_ACCESS_KEY_ID), the profile (AWS_PROFILE, ~/.aws), its SSO \
                          login, a web identity, the container, and the role of this machine";

/// An error with its causes, in their own words, each once. What the SDK prints for developers has whole answers in it, and
/// whatever secret may be in those.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let said = error.to_string();
        if !words.iter().any(|word| word.contains(&said)) {
            words.push(said);
        }
        next = error.source();
    }
    words.join(": ")
}

/// Whether the call was not made because nobody knows as whom, and it would be the same in a moment: those who give
/// credentials could be asked.
fn lacks_credentials(error: &(dyn StdError + 'static)) -> bool {
    let mut causes = std::iter::successors(error.source(), |error| (*error).source()).map(ToString::to_string);
    let asked = causes.find(|cause| cause.to_lowercase().contains("credential"));
    asked.is_some_and(|cause| !cause.contains("timed out"))
        && !causes.any(|cause| ["dispatch failure", "request has timed out", "response error"].contains(&&*cause))
}
