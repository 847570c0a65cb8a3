//! The least policy that a flow can run with, made of what its addresses say and of which calls are made of what (`calls.rs`).

mod calls;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

pub(crate) use calls::Purpose;
use calls::{By, CALLS, Call, On};

use super::resources::Resource;
use crate::{
    Address,
    plan::{PortKind, PortPlan},
};

/// A policy of IAM.
#[derive(Debug, Serialize)]
pub(crate) struct Policy {
    #[serde(rename = "Version")]
    version: &'static str,
    #[serde(rename = "Statement")]
    statements: Vec<Value>,
}

/// What a flow uses: a thing, and of a bucket the keys.
#[derive(Clone, Debug)]
pub(crate) struct Used {
    pub(crate) resource: Resource,
    /// What the keys begin with; only for buckets.
    pub(crate) prefix: String,
    /// Whether the flow writes to it.
    pub(crate) is_written: bool,
    /// The reader's own name, where it is pushed its records.
    pub(crate) consumer: Option<String>,
}

impl Used {
    /// What the address of a port uses, if it is on AWS; of one whose rows are loaded from S3, where they are staged.
    pub(crate) fn of_port(port: &PortPlan, address: &Address) -> Option<Self> {
        if let Some(staging) = address.staging() {
            return Self::of_port(port, &staging);
        }
        let resource = Resource::of_port(port, address)?;
        let is_written = matches!(port.kind, PortKind::Sink | PortKind::Trap);
        let keys = address.path().trim_start_matches('/').split_once('/').map_or("", |(_, keys)| keys);
        let mut prefix = keys.split(['*', '?', '[', '{']).next().unwrap_or_default().to_owned();
        // Rows are written below a prefix as below a folder.
        if is_written && !prefix.is_empty() {
            prefix = format!("{}/", prefix.trim_matches('/'));
        }
        Some(Self { resource, prefix, is_written, consumer: address.option("consumer").map(str::to_owned) })
    }

    /// What remembers what was published there, if that is a table of its own.
    pub(crate) fn ledger(&self) -> Option<Self> {
        Some(Self { resource: self.resource.ledger()?, ..self.clone() })
    }

    /// What keeps iterations uses, if it is on AWS.
    pub(crate) fn of_checkpoint(address: &Address) -> Option<Self> {
        let resource = Resource::of_checkpoint(address)?;
        Some(Self { resource, prefix: String::new(), is_written: true, consumer: None })
    }
}

/// The least policy of each identity: of the one that runs the flow, which is `None`, and of every role that it takes on.
pub(crate) fn policies(uses: &[Used], purpose: Purpose) -> Vec<(Option<String>, Policy)> {
    let mut identities: BTreeMap<Option<&String>, Vec<Value>> = BTreeMap::from([(None, Vec::new())]);
    for used in uses {
        let role = used.resource.account.role.as_ref();
        identities.entry(role).or_default().extend(statements(used, purpose));
    }
    let roles: Vec<&String> = identities.keys().copied().flatten().collect();
    if !roles.is_empty() {
        let own = json!({ "Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": roles });
        identities.entry(None).or_default().push(own);
    }
    let policy = |(role, statements): (Option<&String>, Vec<Value>)| {
        (role.cloned(), Policy { version: "2012-10-17", statements })
    };
    identities.into_iter().map(policy).filter(|(role, _)| role.is_none() || !roles.is_empty()).collect()
}

/// What those need by whom COPY of Redshift reads what a port stages: the role that the address names, or the cluster's
/// default; of several, of which each takes on the next, the last (Amazon Redshift Database Developer Guide, "Permissions to
/// access other AWS resources" and "Chaining IAM roles", read 2026-11-22). Nothing where COPY has the keys of who stages, who may
/// read what he writes.
pub(crate) fn copy_policies(port: &PortPlan, address: &Address) -> Vec<(String, Policy)> {
    let Some(roles) = address.option("role") else { return Vec::new() };
    let Some(staging) = address.staging().and_then(|staging| Used::of_port(port, &staging)) else { return Vec::new() };
    let policy = |statements| Policy { version: "2012-10-17", statements };
    let roles: Vec<&str> = roles.split(',').collect();
    let mut policies: Vec<(String, Policy)> = Vec::new();
    for pair in roles.windows(2) {
        let next = json!({ "Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": [pair[1]] });
        policies.push((pair[0].to_owned(), policy(vec![next])));
    }
    let mut list = json!({ "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": name(&staging, On::Bucket) });
    if !staging.prefix.is_empty() {
        list["Condition"] = json!({ "StringLike": { "s3:prefix": format!("{}*", staging.prefix) } });
    }
    let read = json!({ "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": name(&staging, On::Objects) });
    let whose = match roles.last() {
        Some(&"default") | None => "the cluster's default role".to_owned(),
        Some(role) => (*role).to_owned(),
    };
    policies.push((whose, policy(vec![list, read])));
    policies
}

/// One for each kind of thing that is called.
fn statements(used: &Used, purpose: Purpose) -> Vec<Value> {
    let mut actions: BTreeMap<On, Vec<&str>> = BTreeMap::new();
    let is_made = |call: &&Call| {
        let is_by = match call.by {
            By::All => true,
            By::Reader => !used.is_written,
            By::Writer => used.is_written,
            By::Consumer => used.consumer.is_some(),
        };
        call.what == used.resource.what && call.purposes.contains(&purpose) && is_by
    };
    for call in CALLS.iter().filter(is_made) {
        actions.entry(call.on).or_default().extend(call.actions);
    }
    let statement = |(on, mut actions): (On, Vec<&str>)| {
        actions.sort_unstable();
        actions.dedup();
        let mut statement = json!({ "Effect": "Allow", "Action": actions, "Resource": name(used, on) });
        // Whoever looks into a bucket before it is made or deleted asks for all of it.
        if on == On::Bucket && purpose == Purpose::Run && !used.prefix.is_empty() {
            statement["Condition"] = json!({ "StringLike": { "s3:prefix": format!("{}*", used.prefix) } });
        }
        statement
    };
    actions.into_iter().map(statement).collect()
}

/// The resource's name, with what is not known as `*`.
fn name(used: &Used, on: On) -> String {
    let Resource { name, account, .. } = &used.resource;
    let region = account.known_region().unwrap_or_else(|| "*".to_owned());
    let mut role = account.role.iter().flat_map(|role| role.split(':').skip(1));
    let partition = role.next().map_or_else(|| partition(&region).to_owned(), str::to_owned);
    let number = role.nth(2).filter(|number| !number.is_empty()).unwrap_or("*");
    match on {
        On::Stream => format!("arn:{partition}:kinesis:{region}:{number}:stream/{name}"),
        On::Consumer => {
            let consumer = used.consumer.as_deref().unwrap_or("*");
            format!("arn:{partition}:kinesis:{region}:{number}:stream/{name}/consumer/{consumer}:*")
        }
        On::Bucket | On::Uploads => format!("arn:{partition}:s3:::{name}"),
        On::Objects => format!("arn:{partition}:s3:::{name}/{}*", used.prefix),
        On::Table => format!("arn:{partition}:dynamodb:{region}:{number}:table/{name}"),
    }
}

/// What comes first in names of a region.
fn partition(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

#[cfg(test)]
mod tests;
