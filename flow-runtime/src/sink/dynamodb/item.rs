//! Rows as items: which attribute a field is, what the key is, and the mark of the row that changed an item last.
//!
//! `bool` is a BOOL, numbers and decimals are N with all their digits, bytes B; text is S, and so are timestamps and dates, as ISO
//! 8601 of one length, so that they sort. Null is no attribute.

use crate::{
    aws::clients::{
        dynamodb::{KeyAttribute, TableDefinition},
        writes::{Attribute, Change, Scalar},
    },
    effect::{Mutant, mutant},
    plan::{FieldPlan, PortPlan},
    value::{RowReader, Type, Value},
};

/// Fields that a change can name: an expression has 300 operators at most and 4 KB ("Service, account, and table quotas in Amazon
/// DynamoDB", 2026-11-22).
const FIELDS_MAX: usize = 250;

/// How a sink's rows become items.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    fields: &'static [FieldPlan],
    key: &'static [usize],
    /// No key comes in two rows, so that items are put in batches, whole and without a mark.
    pub(super) comes_once: bool,
}

/// A row as what is written.
#[derive(Debug)]
pub(super) struct Row {
    /// The encoding of its key: equal where the key is.
    pub(super) key: Vec<u8>,
    pub(super) change: Change,
    /// Of its values, about.
    pub(super) bytes: usize,
}

/// By which load an item is changed.
#[derive(Clone, Debug)]
pub(super) struct Marker {
    /// The attribute that has the mark: each port that fills a table has its own.
    pub(super) attribute: String,
    generation: u64,
    iteration: u64,
}

impl Marker {
    pub(super) fn new(port: &str, generation: u64, iteration: u64) -> Self {
        Self { attribute: format!("flow:{port}"), generation, iteration }
    }

    /// The mark of a row: of two marks the later is the greater text.
    pub(super) fn of_row(&self, row: u64) -> String {
        let row = if mutant(Mutant::MarkWithoutRow) { 0 } else { row };
        format!("{}{row:012}", self.start())
    }

    /// Whether this load has written the mark, or another process that does the same.
    pub(super) fn has(&self, mark: &str) -> bool {
        mark.starts_with(&self.start())
    }

    fn start(&self) -> String {
        let Self { generation, iteration, .. } = self;
        format!("{generation:016}/{iteration:012}/")
    }
}

/// The table that a sink's rows need: by its key, paid by request.
pub(crate) fn definition(port: &PortPlan) -> TableDefinition {
    let mut keys = port.key.iter().filter_map(|&index| port.fields.get(index)).map(|field| KeyAttribute {
        name: field.name.to_owned(),
        kind: key_kind(field.ty).unwrap_or_default().to_owned(),
    });
    let partition_key = keys.next().unwrap_or_else(|| KeyAttribute { name: String::new(), kind: String::new() });
    TableDefinition { partition_key, sort_key: keys.next(), is_on_demand: true }
}

/// What a key attribute of this type is; none where it cannot be one.
fn key_kind(ty: Type) -> Option<&'static str> {
    match ty {
        Type::Bool | Type::F32 | Type::F64 => None,
        Type::I16 | Type::I32 | Type::I64 | Type::Decimal(..) => Some("N"),
        Type::Text | Type::Timestamp(_) | Type::Date(_) => Some("S"),
        Type::Bytes => Some("B"),
    }
}

impl Layout {
    /// # Errors
    /// What DynamoDB cannot do for such a sink, and what to do.
    pub(super) fn of(port: &'static PortPlan, comes_once: bool) -> Result<Self, (String, &'static str)> {
        let layout = Self { fields: port.fields, key: port.key, comes_once };
        let keys: Vec<&FieldPlan> = layout.key_fields().collect();
        if !(1..=2).contains(&keys.len()) {
            let what =
                format!("the sink has a key of {} fields, and a table of DynamoDB one of one or two", keys.len());
            return Err((
                what,
                "declare `key(partition)` or `key(partition, sort)`; make one field of several before it",
            ));
        }
        if let Some(field) = keys.iter().find(|field| key_kind(field.ty).is_none()) {
            let what = format!("`{}` is of type {}, which no key of DynamoDB can be", field.name, field.ty);
            return Err((what, "make it text or a whole number before it, as with Insert"));
        }
        if let Some(field) = port.fields.iter().find(|field| comes_once && field.add) {
            let what = format!("`{}` is added to what is there, and with keys=once nothing is there", field.name);
            return Err((what, "leave keys=once out"));
        }
        let is_float = |ty| matches!(ty, Type::F32 | Type::F64);
        if let Some(field) = port.fields.iter().find(|field| field.add && is_float(field.ty)) {
            let what = format!("`{}` is added to what is there, and its type is {}", field.name, field.ty);
            return Err((
                what,
                "make it a decimal or a whole number before it: sums of DynamoDB have 38 digits, all exact",
            ));
        }
        if port.fields.len() > FIELDS_MAX {
            let what = format!("the sink has {} fields, and an item can be changed in {FIELDS_MAX}", port.fields.len());
            return Err((what, "leave some out"));
        }
        Ok(layout)
    }

    fn key_fields(&self) -> impl Iterator<Item = &'static FieldPlan> {
        self.key.iter().filter_map(|&index| self.fields.get(index))
    }

    /// The names of the key's attributes.
    pub(super) fn keys(&self) -> Vec<&'static str> {
        self.key_fields().map(|field| field.name).collect()
    }

    /// What a row changes.
    pub(super) fn row(&self, mut values: RowReader<'_>) -> Row {
        let bytes = values.rest().len();
        let (mut key, mut change) = (vec![Vec::new(); self.key.len()], Change::default());
        for (index, field) in self.fields.iter().enumerate() {
            let encoded = values.clone().encoded([field.ty]);
            let value = values.value(field.ty);
            if let Some(at) = self.key.iter().position(|&key| key == index) {
                key[at] = encoded.to_vec();
                change.key.extend(scalar(value, field.ty).map(|scalar| (field.name, scalar)));
                continue;
            }
            match scalar(value, field.ty) {
                Some(scalar) if field.add => change.add.push((field.name, scalar)),
                Some(scalar) => change.set.push((field.name, scalar)),
                // Null adds nothing.
                None if field.add => {}
                None => change.remove.push(field.name),
            }
        }
        Row { key: key.concat(), change, bytes }
    }
}

impl Row {
    /// The item that is put whole.
    pub(super) fn item(&self) -> Vec<Attribute> {
        [self.change.key.as_slice(), &self.change.set].concat()
    }

    /// The item's key for people, its beginning where it is long.
    pub(super) fn shown_key(&self) -> String {
        let attribute = |(name, scalar): &Attribute| match scalar {
            Scalar::Text(text) | Scalar::Number(text) => {
                let shown: String = text.chars().take(KEY_SHOWN).collect();
                let rest = if shown.len() < text.len() { "…" } else { "" };
                format!("{name}={}{rest}", shown.escape_debug())
            }
            Scalar::Bytes(bytes) => format!("{name} of {} bytes", bytes.len()),
            Scalar::Bool(value) => format!("{name}={value}"),
        };
        self.change.key.iter().map(attribute).collect::<Vec<_>>().join(", ")
    }
}

/// Letters of a key that an error shows.
const KEY_SHOWN: usize = 60;

fn scalar(value: Value<'_>, ty: Type) -> Option<Scalar> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => Scalar::Bool(value),
        Value::Int(value) => Scalar::Number(value.to_string()),
        // The shortest digits that read back as the same float.
        Value::Float(value) if matches!(ty, Type::F32) => Scalar::Number(format!("{:E}", value as f32)),
        Value::Float(value) => Scalar::Number(format!("{value:E}")),
        Value::Text(value) => Scalar::Text(value.to_owned()),
        Value::Bytes(value) => Scalar::Bytes(value.to_owned()),
        Value::Timestamp(value) => Scalar::Text(format!("{value:.6}")),
        Value::Date(value) => Scalar::Text(value.to_string()),
        Value::Decimal(value) => Scalar::Number(value.to_string()),
    })
}
