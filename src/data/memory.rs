//! How much memory there is.

/// The memory that this process may use, in bytes: the machine's, or what its control group is limited to.
pub(crate) fn memory() -> u64 {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    system.cgroup_limits().map_or(system.total_memory(), |limits| limits.total_memory.min(system.total_memory()))
}
