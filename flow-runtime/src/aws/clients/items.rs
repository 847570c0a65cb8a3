//! Items of the checkpoint table: a key of two texts, a version, and a text. Every write has a condition on the version,
//! every read is consistent; nothing is scanned.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, Put, TransactWriteItem},
};

use super::{Tables, call};
use crate::aws::{Kind, Trouble};

/// The partition key of the checkpoint table.
pub(crate) const PARTITION: &str = "partition";
/// Its sort key.
pub(crate) const SORT: &str = "sort";
const TRANSACT: &str = "dynamodb.transact_write_items";

const VERSION: &str = "version";
const BODY: &str = "body";

const CONDITION_NEW: &str = "attribute_not_exists(#p)";
const CONDITION_SAME: &str = "#v = :was";

/// Where an item is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) partition: String,
    pub(crate) sort: String,
}

/// An item as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) key: Key,
    /// From 1 on; one more with each write.
    pub(crate) version: u64,
    pub(crate) body: String,
}

/// What an item is to be, if it has not changed meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Write {
    pub(crate) key: Key,
    /// The version that it must still have; 0: that it is not there.
    pub(crate) was: u64,
    pub(crate) body: String,
}

/// Items of one partition, in the order of their sort keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span<'a> {
    pub(crate) partition: &'a str,
    /// The first sort key.
    pub(crate) from: &'a str,
    /// The last.
    pub(crate) to: &'a str,
    /// The last comes first.
    pub(crate) backwards: bool,
    /// No more than so many.
    pub(crate) limit: Option<usize>,
}

/// Items, and where to go on if there are more: after this key.
pub(crate) type Page = (Vec<Item>, Option<Key>);

impl Tables {
    /// An item.
    pub(crate) async fn get(&self, table: &str, key: &Key) -> Result<Option<Item>, Trouble> {
        let request = self.client.get_item().table_name(table).set_key(Some(attributes(key))).consistent_read(true);
        Ok(call("dynamodb.get_item", request.send()).await?.item.map(item))
    }

    /// Writes an item on its condition.
    pub(crate) async fn put(&self, table: &str, write: &Write) -> Result<(), Trouble> {
        let (condition, names, values) = condition(write);
        let request = self
            .client
            .put_item()
            .table_name(table)
            .set_item(Some(written(write)))
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(values);
        call("dynamodb.put_item", request.send()).await.map(drop)
    }

    /// Writes several items in one step, each on its condition; says whether all of them held. The same `token` is one step,
    /// however often it comes within ten minutes.
    pub(crate) async fn put_all(&self, table: &str, writes: &[Write], token: &str) -> Result<bool, Trouble> {
        let mut request = self.client.transact_write_items().client_request_token(token);
        for write in writes {
            let (condition, names, values) = condition(write);
            let put = Put::builder()
                .table_name(table)
                .set_item(Some(written(write)))
                .condition_expression(condition)
                .set_expression_attribute_names(Some(names))
                .set_expression_attribute_values(values);
            let put = put.build().map_err(|error| Trouble::new(TRANSACT, Kind::Invalid, error.to_string()))?;
            request = request.transact_items(TransactWriteItem::builder().put(put).build());
        }
        let written = async {
            match request.send().await {
                Ok(_) => Ok(true),
                Err(SdkError::ServiceError(answer)) if is_refused(answer.err()) => Ok(false),
                Err(error) => Err(error),
            }
        };
        call(TRANSACT, written).await
    }

    /// Removes an item; none is no error.
    pub(crate) async fn remove(&self, table: &str, key: &Key) -> Result<(), Trouble> {
        let request = self.client.delete_item().table_name(table).set_key(Some(attributes(key)));
        call("dynamodb.delete_item", request.send()).await.map(drop)
    }

    /// Items of a span, about a megabyte of them.
    pub(crate) async fn page(&self, table: &str, span: Span<'_>, after: Option<&Key>) -> Result<Page, Trouble> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let request = self
            .client
            .query()
            .table_name(table)
            .consistent_read(true)
            .key_condition_expression("#p = :p AND #s BETWEEN :from AND :to")
            .expression_attribute_names("#p", PARTITION)
            .expression_attribute_names("#s", SORT)
            .expression_attribute_values(":p", text(span.partition))
            .expression_attribute_values(":from", text(span.from))
            .expression_attribute_values(":to", text(span.to))
            .scan_index_forward(!span.backwards)
            .set_limit(span.limit.and_then(|limit| i32::try_from(limit).ok()))
            .set_exclusive_start_key(after.map(attributes));
        let answer = call("dynamodb.query", request.send()).await?;
        let next = answer.last_evaluated_key.map(|key| self::key(&key));
        Ok((answer.items.unwrap_or_default().into_iter().map(item).collect(), next))
    }
}

/// Whether a condition did not hold; else it collided with another transaction, or was throttled, and may be tried again.
fn is_refused(error: &TransactWriteItemsError) -> bool {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else { return false };
    cancelled.cancellation_reasons().iter().any(|reason| reason.code() == Some("ConditionalCheckFailed"))
}

type Attributes = HashMap<String, AttributeValue>;

fn condition(write: &Write) -> (&'static str, HashMap<String, String>, Option<Attributes>) {
    let names = |names: &[(&str, &str)]| names.iter().map(|(name, of)| (name.to_string(), of.to_string())).collect();
    match write.was {
        0 => (CONDITION_NEW, names(&[("#p", PARTITION)]), None),
        was => {
            let values = [(":was".to_owned(), AttributeValue::N(was.to_string()))];
            (CONDITION_SAME, names(&[("#v", VERSION)]), Some(values.into()))
        }
    }
}

fn attributes(key: &Key) -> Attributes {
    let Key { partition, sort } = key;
    [(PARTITION, partition), (SORT, sort)]
        .into_iter()
        .map(|(name, text)| (name.to_owned(), AttributeValue::S(text.clone())))
        .collect()
}

fn written(write: &Write) -> Attributes {
    let mut item = attributes(&write.key);
    item.insert(VERSION.to_owned(), AttributeValue::N((write.was + 1).to_string()));
    item.insert(BODY.to_owned(), AttributeValue::S(write.body.clone()));
    item
}

fn key(attributes: &Attributes) -> Key {
    let text = |name| attributes.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
    Key { partition: text(PARTITION), sort: text(SORT) }
}

/// An item that somebody else has written has no version; its body is refused by whoever reads it.
fn item(mut attributes: Attributes) -> Item {
    let version = attributes.get(VERSION).and_then(|value| value.as_n().ok()?.parse().ok()).unwrap_or(0);
    let body = match attributes.remove(BODY) {
        Some(AttributeValue::S(body)) => body,
        _ => String::new(),
    };
    Item { key: key(&attributes), version, body }
}
