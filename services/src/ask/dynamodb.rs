//! What tests do with tables.

use serde_json::{Value, json};

use crate::Service;

impl Service {
    /// Calls an operation of DynamoDB by its name: `GetItem`.
    ///
    /// # Panics
    /// When the service refuses.
    pub fn dynamodb(&self, operation: &str, request: &Value) -> Value {
        self.ask(&format!("DynamoDB_20120810.{operation}"), request)
    }

    /// Makes a table on demand whose key is one text, or two.
    ///
    /// # Panics
    /// When the service refuses.
    pub fn create_table(&self, table: &str, keys: &[&str]) {
        let of = |key: &&str| json!({ "AttributeName": key, "AttributeType": "S" });
        let kinds = ["HASH", "RANGE"];
        let schema = |(key, kind): (&&str, &str)| json!({ "AttributeName": key, "KeyType": kind });
        let request = json!({
            "TableName": table,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": keys.iter().map(of).collect::<Vec<_>>(),
            "KeySchema": keys.iter().zip(kinds).map(schema).collect::<Vec<_>>(),
        });
        self.dynamodb("CreateTable", &request);
    }

    /// Puts an item, which is written as DynamoDB writes it: `{"id": {"S": "a"}}`.
    ///
    /// # Panics
    /// When the service refuses.
    pub fn put_item(&self, table: &str, item: &Value) {
        self.dynamodb("PutItem", &json!({ "TableName": table, "Item": item }));
    }

    /// All items of a table.
    ///
    /// # Panics
    /// When there is no such table.
    #[must_use]
    pub fn items(&self, table: &str) -> Vec<Value> {
        let (mut items, mut start) = (Vec::new(), Value::Null);
        loop {
            let mut request = json!({ "TableName": table, "ConsistentRead": true });
            if !start.is_null() {
                request["ExclusiveStartKey"] = start;
            }
            let mut page = self.dynamodb("Scan", &request);
            if let Value::Array(found) = page["Items"].take() {
                items.extend(found);
            }
            start = page["LastEvaluatedKey"].take();
            if start.is_null() {
                return items;
            }
        }
    }
}
