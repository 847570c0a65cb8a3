//! How much memory there is: the machine's, or what the process' control groups allow of it (Linux tells both in files).

use std::path::{Path, PathBuf};

use crate::effect::disk;

/// What tables may hold where nobody knows how much memory there is.
const UNKNOWN_SHARE_BYTES: u64 = 1 << 30;

/// What tables may hold by default: half of the memory. The other half is for buffers, for what tables take for a moment
/// while they grow, and for everybody else.
pub(super) fn share_bytes() -> u64 {
    memory_bytes(Path::new("/proc"), Path::new("/sys/fs/cgroup")).map_or(UNKNOWN_SHARE_BYTES, |bytes| bytes / 2)
}

/// The least of what limits the process.
pub(super) fn memory_bytes(proc: &Path, cgroups: &Path) -> Option<u64> {
    let machine = disk::read_to_string("machine", &proc.join("meminfo")).ok().and_then(|text| mem_total(&text));
    let groups = disk::read_to_string("machine", &proc.join("self/cgroup")).unwrap_or_default();
    let files = groups.lines().flat_map(|line| limit_files(cgroups, line));
    // Without a limit the file says `max`, or a number that is larger than any memory.
    let limits = files.filter_map(|file| disk::read_to_string("machine", &file).ok()?.trim().parse().ok());
    limits.chain(machine).min()
}

/// `MemTotal:       24639260 kB`
fn mem_total(meminfo: &str) -> Option<u64> {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = total.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// The files that say how much a group and all groups above it may have. Of a line of `/proc/self/cgroup`: `0::/a/b`, or,
/// where groups are of the first version, `9:memory:/a/b`.
fn limit_files(cgroups: &Path, line: &str) -> Vec<PathBuf> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (root, name) = match parts.next() {
        Some("") => (cgroups.to_owned(), "memory.max"),
        Some(kinds) if kinds.split(',').any(|kind| kind == "memory") => {
            (cgroups.join("memory"), "memory.limit_in_bytes")
        }
        _ => return Vec::new(),
    };
    let group = Path::new(parts.next().unwrap_or_default().trim_start_matches('/'));
    group.ancestors().map(|group| root.join(group).join(name)).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// What is known of the memory where these files are.
    fn known(files: &[(&str, &str)]) -> Option<u64> {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        memory_bytes(&root.path().join("proc"), &root.path().join("cgroup"))
    }

    const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal:       24639260 kB\nMemFree:         1024 kB\n");

    #[test]
    fn without_a_limit_it_is_the_machines() {
        assert_eq!(known(&[MEMINFO]), Some(24_639_260 * 1024));
        assert_eq!(
            known(&[MEMINFO, ("proc/self/cgroup", "0::/\n"), ("cgroup/memory.max", "max\n")]),
            known(&[MEMINFO])
        );
        assert_eq!(known(&[]), None);
    }

    #[test]
    fn a_limit_of_the_group_or_of_one_above_it_counts() {
        let group = ("proc/self/cgroup", "0::/jobs/flow\n");
        assert_eq!(known(&[MEMINFO, group, ("cgroup/jobs/flow/memory.max", "4096\n")]), Some(4096));
        let above = ("cgroup/jobs/memory.max", "2048\n");
        assert_eq!(known(&[MEMINFO, group, above, ("cgroup/jobs/flow/memory.max", "max\n")]), Some(2048));
    }

    #[test]
    fn groups_of_the_first_version_count_too() {
        let group = ("proc/self/cgroup", "12:cpu,cpuacct:/a\n9:memory:/docker/0a\n1:name=systemd:/a\n");
        // In a container the group is mounted as the root.
        let limit = ("cgroup/memory/memory.limit_in_bytes", "1073741824\n");
        assert_eq!(known(&[MEMINFO, group, limit]), Some(1 << 30));
        let unlimited = ("cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(known(&[MEMINFO, group, unlimited]), Some(24_639_260 * 1024));
    }
}
