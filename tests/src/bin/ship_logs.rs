//! A program whose log lines go to a stream, its first argument; it logs as many as its second says, at every level there is.

use std::{env, error::Error};

use flow_runtime::publish::{LogStream, WhenFull};
use tracing_subscriber::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(address), Some(count)) = (arguments.next(), arguments.next()) else { return Err("ADDRESS COUNT".into()) };
    let count: u64 = count.parse()?;
    let (log, guard) = LogStream::to(address).when_full(WhenFull::Block).buffer(100).start()?;
    // No filter: what the SDK writes for its developers would be shipped too, if it were not left out.
    tracing_subscriber::registry().with(log.layer()).init();
    (0..count).for_each(|number| tracing::trace!(number, "a line"));
    println!("{}", guard.finish());
    Ok(())
}
