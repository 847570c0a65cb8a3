//! PostgreSQL for tests: the server of `flow_services`, and a proxy before it that loses connections.

mod proxy;

pub use flow_services::postgres::{Server, Session, find, server};
pub use proxy::{Cut, Proxy, When};
