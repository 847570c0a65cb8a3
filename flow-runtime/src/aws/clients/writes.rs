//! Writing items of a table that a sink fills: changed one by one on condition, or put and deleted in batches without one.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    error::{BuildError, SdkError},
    operation::update_item::UpdateItemError,
    primitives::Blob,
    types::{AttributeValue, DeleteRequest, PutRequest, ReturnValuesOnConditionCheckFailure, WriteRequest},
};

use super::{Tables, call};
use crate::{
    aws::{Kind, Trouble},
    effect::{Mutant, mutant},
};

const UPDATE: &str = "dynamodb.update_item";
/// Writing a batch.
pub(crate) const BATCH: &str = "dynamodb.batch_write_item";

/// Nothing has changed the item, or what came before.
const LATER: &str = "attribute_not_exists(#mark) OR #mark < :mark";
const ALWAYS: &str = "attribute_not_exists(#mark) OR attribute_exists(#mark)";

/// A value of an attribute; there is none for null.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scalar {
    Text(String),
    /// In decimal digits, 38 of them at most.
    Number(String),
    Bytes(Vec<u8>),
    Bool(bool),
}

/// An attribute with its value.
pub(crate) type Attribute = (&'static str, Scalar);

/// What becomes of an item, which need not be there yet; its other attributes stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) key: Vec<Attribute>,
    pub(crate) set: Vec<Attribute>,
    /// Numbers that are added to what is there.
    pub(crate) add: Vec<Attribute>,
    pub(crate) remove: Vec<&'static str>,
}

/// By which write an item was changed last: an attribute, and a text that is greater for each later write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark<'a> {
    pub(crate) attribute: &'a str,
    pub(crate) text: &'a str,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    Now,
    /// Nothing was changed: the item has this mark, which is not smaller.
    Not(String),
}

/// Items to be put or deleted by one call; no more than [`limits::BATCH_WRITES_MAX`](crate::aws::limits::BATCH_WRITES_MAX), and
/// none of them twice.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch(Vec<WriteRequest>);

impl Batch {
    /// Items that are put whole, in place of those of the same key.
    pub(crate) fn of_items(items: impl IntoIterator<Item = Vec<Attribute>>) -> Result<Self, Trouble> {
        let request = |item| {
            let put = PutRequest::builder().set_item(Some(attributes(item))).build().map_err(invalid)?;
            Ok(WriteRequest::builder().put_request(put).build())
        };
        items.into_iter().map(request).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Tables {
    /// Changes an item, unless it has this mark or a later one.
    pub(crate) async fn update(&self, table: &str, change: &Change, mark: Mark<'_>) -> Result<Changed, Trouble> {
        let Expression { update, names, values } = expression(change, mark);
        let request = self
            .client
            .update_item()
            .table_name(table)
            .set_key(Some(attributes(change.key.clone())))
            .update_expression(update)
            .condition_expression(if mutant(Mutant::ItemsUnconditional) { ALWAYS } else { LATER })
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let changed = async {
            match request.send().await {
                Ok(_) => Ok(Changed::Now),
                Err(SdkError::ServiceError(answer)) if answer.err().is_conditional_check_failed_exception() => {
                    Ok(Changed::Not(found(answer.err(), mark.attribute)))
                }
                Err(error) => Err(error),
            }
        };
        call(UPDATE, changed).await
    }

    /// Writes a batch, and gives back what of it was not written, for want of capacity.
    pub(crate) async fn write(&self, table: &str, batch: &Batch) -> Result<Batch, Trouble> {
        let request = self.client.batch_write_item().request_items(table, batch.0.clone());
        let mut left = call(BATCH, request.send()).await?.unprocessed_items.unwrap_or_default();
        Ok(Batch(left.remove(table).unwrap_or_default()))
    }

    /// Some keys of a table, as they are in its items, to be deleted; at most `most`. None: the table is empty, or what comes
    /// is on another page.
    pub(crate) async fn some_to_delete(
        &self,
        table: &str,
        keys: &[&str],
        from: Option<Place>,
        most: usize,
    ) -> Result<(Batch, Option<Place>), Trouble> {
        let names = keys.iter().enumerate().map(|(index, key)| (format!("#k{index}"), (*key).to_owned()));
        let projection: Vec<String> = (0..keys.len()).map(|index| format!("#k{index}")).collect();
        let request = self
            .client
            .scan()
            .table_name(table)
            .consistent_read(true)
            .projection_expression(projection.join(", "))
            .set_expression_attribute_names(Some(names.collect()))
            .set_exclusive_start_key(from.map(|Place(key)| key))
            .limit(i32::try_from(most).unwrap_or(i32::MAX));
        let answer = call(super::scan::SCAN, request.send()).await?;
        let request = |key| {
            let delete = DeleteRequest::builder().set_key(Some(key)).build().map_err(invalid)?;
            Ok(WriteRequest::builder().delete_request(delete).build())
        };
        let batch = answer.items.unwrap_or_default().into_iter().map(request).collect::<Result<_, Trouble>>()?;
        Ok((Batch(batch), answer.last_evaluated_key.map(Place)))
    }
}

/// Where a scan goes on.
#[derive(Clone, Debug)]
pub(crate) struct Place(HashMap<String, AttributeValue>);

fn invalid(error: BuildError) -> Trouble {
    Trouble::new(BATCH, Kind::Invalid, error.to_string())
}

/// The mark of the item that was not changed.
fn found(error: &UpdateItemError, attribute: &str) -> String {
    let UpdateItemError::ConditionalCheckFailedException(failed) = error else { return String::new() };
    let mark = failed.item().and_then(|item| item.get(attribute)?.as_s().ok());
    mark.cloned().unwrap_or_default()
}

/// An update as DynamoDB takes it. Names of attributes may be words of its own, so none stands in it as it is.
struct Expression {
    update: String,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

fn expression(change: &Change, mark: Mark<'_>) -> Expression {
    let mut names = HashMap::from([("#mark".to_owned(), mark.attribute.to_owned())]);
    let mut values = HashMap::from([(":mark".to_owned(), AttributeValue::S(mark.text.to_owned()))]);
    let (mut set, mut add, mut remove) = (vec!["#mark = :mark".to_owned()], Vec::new(), Vec::new());
    let mut name = |attribute: &str, of: char, index: usize| {
        let name = format!("#{of}{index}");
        names.insert(name.clone(), attribute.to_owned());
        name
    };
    for (clause, of, attributes) in [(&mut set, 's', &change.set), (&mut add, 'a', &change.add)] {
        for (index, (attribute, scalar)) in attributes.iter().enumerate() {
            let (name, value) = (name(attribute, of, index), format!(":{of}{index}"));
            clause.push(if of == 's' { format!("{name} = {value}") } else { format!("{name} {value}") });
            values.insert(value, self::value(scalar.clone()));
        }
    }
    remove.extend(change.remove.iter().enumerate().map(|(index, attribute)| name(attribute, 'r', index)));
    let clauses = [("SET", set), ("ADD", add), ("REMOVE", remove)];
    let clauses = clauses.into_iter().filter(|(_, parts)| !parts.is_empty());
    let update = clauses.map(|(verb, parts)| format!("{verb} {}", parts.join(", "))).collect::<Vec<_>>().join(" ");
    Expression { update, names, values }
}

fn attributes(of: Vec<Attribute>) -> HashMap<String, AttributeValue> {
    of.into_iter().map(|(name, scalar)| (name.to_owned(), value(scalar))).collect()
}

fn value(scalar: Scalar) -> AttributeValue {
    match scalar {
        Scalar::Text(text) => AttributeValue::S(text),
        Scalar::Number(digits) => AttributeValue::N(digits),
        Scalar::Bytes(bytes) => AttributeValue::B(Blob::new(bytes)),
        Scalar::Bool(is) => AttributeValue::Bool(is),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_names_no_attribute_in_its_text() {
        let number = |digits: &str| Scalar::Number(digits.to_owned());
        let change = Change {
            key: vec![("id", number("1"))],
            set: vec![("size", number("2")), ("name", Scalar::Text("x".to_owned()))],
            add: vec![("count", number("3"))],
            remove: vec!["at"],
        };
        let of = expression(&change, Mark { attribute: "flow hits/counts", text: "m" });
        assert_eq!(of.update, "SET #mark = :mark, #s0 = :s0, #s1 = :s1 ADD #a0 :a0 REMOVE #r0");
        let mut names: Vec<String> = of.names.iter().map(|(name, of)| format!("{name}={of}")).collect();
        names.sort_unstable();
        assert_eq!(names, ["#a0=count", "#mark=flow hits/counts", "#r0=at", "#s0=size", "#s1=name"]);
        assert_eq!(of.values[":a0"], AttributeValue::N("3".to_owned()));
        assert_eq!(of.values.len(), 4);
    }

    #[test]
    fn an_item_of_a_key_alone_has_its_mark() {
        let of = expression(&Change::default(), Mark { attribute: "flow", text: "m" });
        assert_eq!((of.update.as_str(), of.names.len(), of.values.len()), ("SET #mark = :mark", 1, 1));
    }
}
