//! How much memory this process may use: the machine's, or less where a control group (a container, a job of a scheduler) or a limit of
//! its own (`ulimit -v`) says so.

#[cfg(feature = "cli")]
mod arenas;
mod asking;
#[cfg(feature = "cli")]
mod refused;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(feature = "cli")]
pub(crate) use arenas::spare_address_space;
pub(crate) use asking::asking;
#[cfg(feature = "cli")]
pub(crate) use refused::or_end;

/// How many processes work together on this machine, this one among them.
static PROCESSES: AtomicU64 = AtomicU64::new(1);

/// Bytes that this process may have in all: its part, where it shares the machine with others.
pub(crate) fn total() -> u64 {
    let bounds = Bounds::find(Path::new("/proc/self"), Path::new("/sys/fs/cgroup"));
    bounds.iter().map(|bound| bound.most).fold(of_machine().0, u64::min) / PROCESSES.load(Ordering::Relaxed)
}

/// Has so many processes share the memory of this machine alike, this one among them.
#[cfg(feature = "cli")]
pub(crate) fn share(processes: usize) {
    PROCESSES.store(processes.max(1) as u64, Ordering::Relaxed);
}

/// Bytes that it may take besides what it has.
pub(crate) fn available() -> u64 {
    let bounds = Bounds::find(Path::new("/proc/self"), Path::new("/sys/fs/cgroup"));
    bounds.iter().map(|bound| bound.most.saturating_sub(bound.taken)).fold(of_machine().1, u64::min)
}

/// Bytes that the machine has, and those that can be taken now. Under Miri, which cannot ask it, 4 GiB.
fn of_machine() -> (u64, u64) {
    if cfg!(miri) {
        return (1 << 32, 1 << 32);
    }
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    (system.total_memory(), system.available_memory())
}

/// A bound on memory, and what is taken of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bounds {
    most: u64,
    taken: u64,
}

impl Bounds {
    /// All bounds that a process is under, as Linux tells them: of its control groups and those above, of either version, and of its
    /// address space. None elsewhere.
    fn find(process: &Path, groups: &Path) -> Vec<Bounds> {
        let mut all = Vec::new();
        for line in read(&process.join("cgroup")).lines() {
            let mut parts = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
            let (root, limit, anonymous) = match controllers {
                "" => (groups.to_owned(), "memory.max", "anon "),
                _ if controllers.split(',').any(|name| name == "memory") => {
                    (groups.join("memory"), "memory.limit_in_bytes", "total_rss ")
                }
                _ => continue,
            };
            // The group as it is seen from here may not be there, in a container that sees itself as the root; its parents are.
            let group = root.join(path.trim_start_matches('/'));
            let chain: Vec<PathBuf> =
                group.ancestors().take_while(|folder| folder.starts_with(&root)).map(Path::to_owned).collect();
            for folder in chain {
                let Ok(most) = read(&folder.join(limit)).trim().parse() else { continue };
                // Not what the system caches for it, and gives up when memory is wanted.
                let stat = read(&folder.join("memory.stat"));
                let taken = stat.lines().find_map(|line| line.strip_prefix(anonymous)?.trim().parse().ok());
                all.push(Bounds { most, taken: taken.unwrap_or(0) });
            }
        }
        all.extend(Bounds::of_addresses(&read(&process.join("limits")), &read(&process.join("status"))));
        all
    }

    /// The bound of the address space, if there is one, by the files `limits` and `status` of a process.
    fn of_addresses(limits: &str, status: &str) -> Option<Bounds> {
        let first = |line: &str, name| line.strip_prefix(name)?.split_whitespace().next()?.parse::<u64>().ok();
        let most = limits.lines().find_map(|line| first(line, "Max address space"))?;
        let size = status.lines().find_map(|line| first(line, "VmSize:"));
        Some(Bounds { most, taken: size.unwrap_or(0) << 10 })
    }
}

/// A file of the system's; nothing where there is none.
fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn found(files: &[(&str, &str)]) -> Vec<(u64, u64)> {
        let folder = folder(files);
        let bounds = Bounds::find(&folder.path().join("proc"), &folder.path().join("groups"));
        bounds.into_iter().map(|Bounds { most, taken }| (most, taken)).collect()
    }

    #[test]
    fn groups_of_both_versions_and_those_above_count() {
        let second = [
            ("proc/cgroup", "0::/job/step\n"),
            ("groups/job/memory.max", "4000\n"),
            ("groups/job/memory.stat", "anon 700\nfile 900\n"),
            ("groups/job/step/memory.max", "max\n"),
            ("groups/memory.max", "9000\n"),
        ];
        assert_eq!(found(&second), [(4000, 700), (9000, 0)]);
        let first = [
            ("proc/cgroup", "5:cpu:/a\n4:hugetlb,memory:/a\n"),
            ("groups/memory/a/memory.limit_in_bytes", "5000\n"),
            ("groups/memory/a/memory.stat", "rss 1\ntotal_rss 800\n"),
            ("groups/cpu/a/memory.limit_in_bytes", "1\n"),
        ];
        assert_eq!(found(&first), [(5000, 800)]);
        // A container that is shown the host's path, and itself as the root.
        let container = [("proc/cgroup", "0::/docker/abc\n"), ("groups/memory.max", "6000\n")];
        assert_eq!(found(&container), [(6000, 0)]);
        assert!(found(&[]).is_empty());
    }

    #[test]
    fn the_limit_of_the_address_space_counts() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max data size             7                    7                    bytes     \n\
                      Max address space         2048000              unlimited            bytes     \n";
        let files = [("proc/limits", limits), ("proc/status", "Name:\telbo\nVmSize:\t    1000 kB\nVmRSS:\t 5 kB\n")];
        assert_eq!(found(&files), [(2_048_000, 1_024_000)]);
        let free = limits.replace("2048000  ", "unlimited");
        assert!(found(&[("proc/limits", &free)]).is_empty());
        assert!(total() > 0 && available() <= total());
    }
}
