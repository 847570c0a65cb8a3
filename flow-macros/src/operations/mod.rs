//! What stands between the arrows: parsers, functions and aggregators, one file each.

pub(crate) mod pattern;
