//! What a process has taken so far, as Linux tells.

use std::fs;

/// How often the clock of processes ticks.
const TICKS_A_SECOND: f64 = 100.0;

/// What the processors have worked for this process, in the program and in the system.
#[must_use]
pub fn processor_seconds() -> f64 {
    // The 14th and the 15th word. The program's name, the 2nd, has no blank.
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.split(' ').skip(13).take(2).filter_map(|word| word.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS_A_SECOND
}

/// The most memory that this process has held at once.
#[must_use]
pub fn peak_megabytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    peak.and_then(|kilobytes| kilobytes.parse::<f64>().ok()).map_or(f64::NAN, |kilobytes| kilobytes * 1024.0 / 1e6)
}
