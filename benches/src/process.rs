//! What a process has taken so far, as Linux tells.

use std::fs;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// What the processors have worked for this process, in the program and in the system.
#[must_use]
pub fn processor_seconds() -> f64 {
    seconds(clock_gettime(ClockId::ProcessCPUTime))
}

/// A time as a number.
pub(crate) fn seconds(time: Timespec) -> f64 {
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// The most memory that this process has held at once.
#[must_use]
pub fn peak_megabytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    peak.and_then(|kilobytes| kilobytes.parse::<f64>().ok()).map_or(f64::NAN, |kilobytes| kilobytes * 1024.0 / 1e6)
}
