//! Tables of DynamoDB as a whole: made, looked at, deleted. Items of the checkpoint table are `items.rs`.

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::describe_table::DescribeTableError,
    types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableDescription, TableStatus,
    },
};

use super::{call, configuration};
use crate::{
    Error,
    aws::{Account, Trouble},
};

/// The tables of one account and region.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    pub(super) client: Client,
    /// For people and policies.
    pub(crate) region: String,
}

/// A key attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyAttribute {
    pub(crate) name: String,
    /// `S`, `N` or `B`.
    pub(crate) kind: String,
}

/// What a table is to be, or is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableDefinition {
    pub(crate) partition_key: KeyAttribute,
    pub(crate) sort_key: Option<KeyAttribute>,
    /// Whether it is paid by request; else it has a capacity that is booked, and throttles beyond it.
    pub(crate) is_on_demand: bool,
}

impl TableDefinition {
    /// The key, for people: `ip S, day N`.
    pub(crate) fn key(&self) -> String {
        let keys = std::iter::once(&self.partition_key).chain(&self.sort_key);
        keys.map(|KeyAttribute { name, kind }| format!("{name} {kind}")).collect::<Vec<_>>().join(", ")
    }
}

/// What is to be known of a table before it is used or deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableSummary {
    /// DynamoDB's own name of it, which is never given again.
    pub(crate) id: Option<String>,
    pub(crate) state: TableState,
    pub(crate) definition: TableDefinition,
    /// About; DynamoDB counts every six hours or so.
    pub(crate) items: u64,
    /// About, likewise.
    pub(crate) bytes: u64,
}

/// Whether a table can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TableState {
    Creating,
    /// Also while it changes.
    Active,
    Deleting,
    /// Archived, or without access to its key.
    Unusable,
}

impl Tables {
    /// Calls nothing yet, but for what finds credentials out.
    ///
    /// # Errors
    /// [`Error::Config`] when no region is known.
    pub(crate) async fn of(account: &Account) -> Result<Self, Error> {
        let config = configuration(account).await?;
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        Ok(Self { client: Client::new(&config), region })
    }

    /// What a table is; `None` where there is none of this name.
    pub(crate) async fn describe(&self, table: &str) -> Result<Option<TableSummary>, Trouble> {
        let described = async {
            match self.client.describe_table().table_name(table).send().await {
                Ok(answer) => Ok(answer.table),
                Err(SdkError::ServiceError(answer)) if is_missing(answer.err()) => Ok(None),
                Err(error) => Err(error),
            }
        };
        Ok(call("dynamodb.describe_table", described).await?.as_ref().map(summary))
    }

    /// Begins to make a table; it is there when it is [`TableState::Active`].
    pub(crate) async fn create(&self, table: &str, definition: &TableDefinition) -> Result<(), Trouble> {
        let TableDefinition { partition_key, sort_key, is_on_demand } = definition;
        let mode = if *is_on_demand { BillingMode::PayPerRequest } else { BillingMode::Provisioned };
        let mut request = self.client.create_table().table_name(table).billing_mode(mode);
        for (key, role) in [(Some(partition_key), KeyType::Hash), (sort_key.as_ref(), KeyType::Range)] {
            let Some(key) = key else { continue };
            let element = KeySchemaElement::builder().attribute_name(&key.name).key_type(role);
            let attribute = AttributeDefinition::builder()
                .attribute_name(&key.name)
                .attribute_type(ScalarAttributeType::from(key.kind.as_str()));
            // Both lack nothing that they need.
            if let (Ok(element), Ok(attribute)) = (element.build(), attribute.build()) {
                request = request.key_schema(element).attribute_definitions(attribute);
            }
        }
        call("dynamodb.create_table", request.send()).await.map(drop)
    }

    /// Begins to delete a table with all that is in it.
    pub(crate) async fn delete(&self, table: &str) -> Result<(), Trouble> {
        call("dynamodb.delete_table", self.client.delete_table().table_name(table).send()).await.map(drop)
    }
}

fn is_missing(error: &DescribeTableError) -> bool {
    matches!(error, DescribeTableError::ResourceNotFoundException(_))
}

fn summary(table: &TableDescription) -> TableSummary {
    let kind = |name: &str| {
        let attribute = table.attribute_definitions().iter().find(|attribute| attribute.attribute_name() == name);
        attribute.map(|attribute| attribute.attribute_type().as_str().to_owned()).unwrap_or_default()
    };
    let key = |role: &KeyType| {
        let element = table.key_schema().iter().find(|element| element.key_type() == role)?;
        let name = element.attribute_name().to_owned();
        Some(KeyAttribute { kind: kind(&name), name })
    };
    let mode = table.billing_mode_summary().and_then(|summary| summary.billing_mode());
    let state = match table.table_status() {
        Some(TableStatus::Creating) => TableState::Creating,
        Some(TableStatus::Active | TableStatus::Updating) => TableState::Active,
        Some(TableStatus::Deleting) => TableState::Deleting,
        _ => TableState::Unusable,
    };
    let count = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
    let nameless = KeyAttribute { name: String::new(), kind: String::new() };
    TableSummary {
        id: table.table_id().map(str::to_owned),
        state,
        definition: TableDefinition {
            partition_key: key(&KeyType::Hash).unwrap_or(nameless),
            sort_key: key(&KeyType::Range),
            is_on_demand: mode == Some(&BillingMode::PayPerRequest),
        },
        items: count(table.item_count()),
        bytes: count(table.table_size_bytes()),
    }
}

/// The definition of the checkpoint table, one for all flows: two texts as its key, paid by request.
pub(crate) fn checkpoint_table() -> TableDefinition {
    let text = |name: &str| KeyAttribute { name: name.to_owned(), kind: "S".to_owned() };
    TableDefinition {
        partition_key: text(super::items::PARTITION),
        sort_key: Some(text(super::items::SORT)),
        is_on_demand: true,
    }
}
