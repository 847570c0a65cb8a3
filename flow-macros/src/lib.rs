//! The `flow!` macro.

#[cfg_attr(not(test), expect(dead_code, reason = "the macro that calls them comes next"))]
mod operations;
