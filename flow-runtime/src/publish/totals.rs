//! What became of the records that were to be published; the counts add up.

/// Counts of a publication. Every record that was read was sent or has failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Totals {
    /// Records that were taken to be sent.
    pub(crate) read: u64,
    /// Records that the stream has acknowledged.
    pub(crate) sent: u64,
    /// Records that it has not.
    pub(crate) failed: u64,
    /// How many times a record was sent again.
    pub(crate) retried: u64,
    /// Of those that were sent, the ones that may be in the stream twice: the answer to an earlier attempt was lost.
    pub(crate) maybe_twice: u64,
    /// Bytes of the records that were sent, without their keys.
    pub(crate) bytes: u64,
    /// Calls of the service.
    pub(crate) requests: u64,
    /// Records of the stream that hold those that were sent: fewer, where they are aggregated.
    pub(crate) stream_records: u64,
}

impl Totals {
    /// Whether nothing was lost track of.
    pub(crate) fn add_up(&self) -> bool {
        self.read == self.sent + self.failed && self.maybe_twice <= self.sent
    }
}
