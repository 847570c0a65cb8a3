//! Batches of which a part is refused: every other entry, from the first on, never reaches the service.

use serde_json::{Map, Value, json};

/// A batch, parted.
pub(crate) enum Parted {
    /// Of Kinesis: what is left of the request, and how many records there were.
    Records(Value, usize),
    /// Of DynamoDB: what is left of the request, and by table what is refused, to be given back under this name.
    Tables(Value, Map<String, Value>, &'static str),
}

/// Parts the request of an operation that takes batches.
pub(crate) fn parted(operation: &str, request: &[u8]) -> Option<Parted> {
    let mut request: Value = serde_json::from_slice(request).ok()?;
    let unprocessed = match operation {
        "kinesis.put_records" => {
            let records = request["Records"].as_array_mut()?;
            let count = records.len();
            let _ = refused(records);
            return Some(Parted::Records(request, count));
        }
        "dynamodb.batch_write_item" => "UnprocessedItems",
        "dynamodb.batch_get_item" => "UnprocessedKeys",
        _ => return None,
    };
    let tables = request["RequestItems"].as_object_mut()?;
    let mut back = Map::new();
    for (table, entries) in tables.iter_mut() {
        let mut given_back = entries.clone();
        // Reads have their keys one level deeper, beside what they ask of them.
        let (kept, left) = match entries.is_array() {
            true => (entries, &mut given_back),
            false => (&mut entries["Keys"], &mut given_back["Keys"]),
        };
        *left = Value::Array(refused(kept.as_array_mut()?));
        back.insert(table.clone(), given_back);
    }
    tables.retain(|_, entries| ![&json!([]), &json!({ "Keys": [] })].contains(&&*entries));
    Some(Parted::Tables(request, back, unprocessed))
}

/// Takes out every other entry, from the first on.
fn refused(entries: &mut Vec<Value>) -> Vec<Value> {
    let numbered = std::mem::take(entries).into_iter().enumerate();
    let (refused, kept): (Vec<_>, Vec<_>) = numbered.partition(|(index, _)| index % 2 == 0);
    *entries = kept.into_iter().map(|(_, entry)| entry).collect();
    refused.into_iter().map(|(_, entry)| entry).collect()
}

impl Parted {
    /// What is asked of the service.
    pub(crate) fn rest(&self) -> Vec<u8> {
        let (Self::Records(rest, _) | Self::Tables(rest, ..)) = self;
        rest.to_string().into_bytes()
    }

    /// Whether nothing of it is left.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Records(rest, _) => rest["Records"].as_array().is_none_or(Vec::is_empty),
            Self::Tables(rest, ..) => rest["RequestItems"].as_object().is_none_or(Map::is_empty),
        }
    }

    /// What the client is told, when the service answered this to the rest. A batch of which nothing is left the service
    /// itself refuses; here it is refused whole, entry by entry.
    pub(crate) fn answer(self, answer: &[u8]) -> Vec<u8> {
        let mut answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        match self {
            Self::Records(_, count) => {
                let mut done = answer["Records"].as_array().cloned().unwrap_or_default().into_iter();
                let error = "ProvisionedThroughputExceededException";
                let entry = |index: usize| match index % 2 {
                    0 => json!({ "ErrorCode": error, "ErrorMessage": "Rate exceeded for shard shardId-000000000000" }),
                    _ => done.next().unwrap_or_default(),
                };
                let records: Vec<Value> = (0..count).map(entry).collect();
                json!({ "FailedRecordCount": count.div_ceil(2), "Records": records }).to_string().into_bytes()
            }
            Self::Tables(_, back, unprocessed) => {
                if answer["__type"].is_string() {
                    answer = json!({ "Responses": {} });
                }
                answer[unprocessed] = Value::Object(back);
                answer.to_string().into_bytes()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(operation: &str, request: &Value, answer: &Value) -> (Value, Value) {
        let parted = parted(operation, request.to_string().as_bytes()).unwrap();
        let rest = serde_json::from_slice(&parted.rest()).unwrap();
        (rest, serde_json::from_slice(&parted.answer(answer.to_string().as_bytes())).unwrap())
    }

    #[test]
    fn failed_records_stand_between_those_that_were_put() {
        let (rest, told) = answered(
            "kinesis.put_records",
            &json!({ "StreamName": "s", "Records": [1, 2, 3] }),
            &json!({ "FailedRecordCount": 0, "Records": [{ "ShardId": "a" }] }),
        );
        assert_eq!(rest, json!({ "StreamName": "s", "Records": [2] }));
        assert_eq!(told["FailedRecordCount"], 2);
        let codes: Vec<bool> = (0..3).map(|n| told["Records"][n]["ErrorCode"].is_string()).collect();
        assert_eq!(codes, [true, false, true]);
        assert_eq!(told["Records"][1]["ShardId"], "a");
    }

    #[test]
    fn of_a_batch_of_one_nothing_is_left() {
        for (operation, request, is_empty) in [
            ("kinesis.put_records", json!({ "Records": [1] }), true),
            ("kinesis.put_records", json!({ "Records": [1, 2] }), false),
            ("dynamodb.batch_write_item", json!({ "RequestItems": { "t": [1], "u": [2] } }), true),
            ("dynamodb.batch_write_item", json!({ "RequestItems": { "t": [1], "u": [2, 3] } }), false),
        ] {
            assert_eq!(parted(operation, request.to_string().as_bytes()).unwrap().is_empty(), is_empty, "{request}");
        }
    }

    #[test]
    fn items_that_are_not_written_come_back() {
        let (rest, told) =
            answered("dynamodb.batch_write_item", &json!({ "RequestItems": { "t": [1, 2], "u": [3] } }), &json!({}));
        assert_eq!(rest, json!({ "RequestItems": { "t": [2] } }));
        assert_eq!(told["UnprocessedItems"], json!({ "t": [1], "u": [3] }));
        let (rest, told) = answered(
            "dynamodb.batch_get_item",
            &json!({ "RequestItems": { "t": { "Keys": [1, 2], "ConsistentRead": true } } }),
            &json!({}),
        );
        assert_eq!(rest["RequestItems"]["t"]["Keys"], json!([2]));
        assert_eq!(told["UnprocessedKeys"]["t"], json!({ "Keys": [1], "ConsistentRead": true }));
    }
}
