//! Items that change: read, decided upon, written if nobody has changed them meanwhile; else once more.

use serde::{Serialize, de::DeserializeOwned};

use super::{
    head::{FORMAT, FlowItem, Head},
    items::{Items, Key, Write},
};
use crate::{Error, Failure};

/// How often a write is decided upon anew because others write, too. Each time somebody else has got on.
const COLLISIONS_MAX: u32 = 100;

/// Bytes of a head, with room to the limit of an item.
const HEAD_BYTES_MAX: usize = 380_000;

/// An item as it was read; version 0 where there is none.
#[derive(Debug)]
pub(super) struct Read<T> {
    pub(super) value: T,
    pub(super) version: u64,
}

/// Where the item of a flow is.
pub(super) fn flow_key(flow: &str) -> Key {
    Key { partition: flow.to_owned(), sort: "flow".to_owned() }
}

/// Where everything of an epoch is.
pub(super) fn partition(flow: &str, epoch: &str) -> String {
    format!("{flow}#{epoch}")
}

fn head_key(partition: &str) -> Key {
    Key { partition: partition.to_owned(), sort: "head".to_owned() }
}

/// The item of a flow, if its logical name is known.
pub(super) fn read_flow(items: &dyn Items, flow: &str) -> Result<Option<Read<FlowItem>>, Error> {
    let Some(item) = items.get(&flow_key(flow))? else { return Ok(None) };
    let value: FlowItem = parse(items, &item.key, &item.body)?;
    if value.format != FORMAT {
        return Err(Error::Store(
            Failure::new("cannot open the checkpoint store")
                .at(items.place().to_owned())
                .cause(format!("its format is {}, this program knows {FORMAT}", value.format))
                .help("use a program built with the same version of flow"),
        ));
    }
    Ok(Some(Read { value, version: item.version }))
}

/// The head of an epoch; one that nobody has written yet is empty.
pub(super) fn read_head(items: &dyn Items, partition: &str) -> Result<Read<Head>, Error> {
    let key = head_key(partition);
    match items.get(&key)? {
        None => Ok(Read { value: Head::default(), version: 0 }),
        Some(item) => Ok(Read { value: parse(items, &key, &item.body)?, version: item.version }),
    }
}

pub(super) fn write_of_flow(items: &dyn Items, flow: &str, value: &FlowItem, was: u64) -> Result<Write, Error> {
    let key = flow_key(flow);
    Ok(Write { body: text(items, &key, value)?, key, was })
}

pub(super) fn write_of_head(items: &dyn Items, partition: &str, value: &Head, was: u64) -> Result<Write, Error> {
    let key = head_key(partition);
    let body = text(items, &key, value)?;
    if body.len() > HEAD_BYTES_MAX {
        return Err(Error::Store(
            Failure::new("what changes of a flow does not fit an item of DynamoDB")
                .at(items.place().to_owned())
                .cause(format!("{} bytes, {HEAD_BYTES_MAX} is the most", body.len()))
                .help("bind fewer or shorter addresses to its outputs, or keep its iterations in sqlite:PATH"),
        ));
    }
    Ok(Write { key, was, body })
}

/// Changes the head of an epoch by a decision, which is made again whenever somebody else was faster; one that changes
/// nothing writes nothing. So a decision may find that it has come through already: its write took place, and the reply was
/// lost.
pub(super) fn change_head<T>(
    items: &dyn Items,
    partition: &str,
    mut decide: impl FnMut(&mut Head) -> Result<T, Error>,
) -> Result<T, Error> {
    for _ in 0..COLLISIONS_MAX {
        let Read { value: before, version } = read_head(items, partition)?;
        let mut head = before.clone();
        let result = decide(&mut head)?;
        if head == before || items.put(&[write_of_head(items, partition, &head, version)?])? {
            return Ok(result);
        }
    }
    Err(Error::Store(
        Failure::new("others change the checkpoint store all the time")
            .at(items.place().to_owned())
            .cause(format!("a write came too late {COLLISIONS_MAX} times"))
            .help("see who uses it, and run again"),
    ))
}

pub(super) fn text<T: Serialize>(items: &dyn Items, key: &Key, value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| strange(items, key, &error))
}

pub(super) fn parse<T: DeserializeOwned>(items: &dyn Items, key: &Key, body: &str) -> Result<T, Error> {
    serde_json::from_str(body).map_err(|error| strange(items, key, &error))
}

fn strange(items: &dyn Items, key: &Key, error: &serde_json::Error) -> Error {
    Error::Store(
        Failure::new("an item of the checkpoint store is not flow's")
            .at(format!("{}, {} {}", items.place(), key.partition, key.sort))
            .cause(error)
            .help("give --checkpoint a table of its own, or restore this one from a backup, together with the targets"),
    )
}
