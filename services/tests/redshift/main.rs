//! The stand-in for Redshift adds what Redshift has, takes away what it has not, and breaks what it is told to.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod broken;
mod client;
mod copies;
mod isolation;
mod secured;
mod tables;
