//! The first step in a process of its own: how long a person waits for it, with the driver's caches and without, and how
//! much memory the process comes to hold.
//!
//! The parent starts the program twice with all shader caches pointing into one new folder, which is empty the first time
//! and filled the second. The child prints a line when its first step has ended, takes a few steps more, and prints its
//! memory. A cache that cannot be pointed elsewhere (Metal's, DX12's) is warm both times.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::memory::{MemoryFigures, resident};
use super::steps::{Bench, StartFigures};
use super::workload::Workload;
use crate::error::{Error, Result};
use crate::program::Executor;

/// Where drivers, and this program, keep compiled shaders: Mesa, NVIDIA, ours.
const CACHES: [&str; 3] = ["MESA_SHADER_CACHE_DIR", "__GL_SHADER_DISK_CACHE_PATH", "ELBO_CACHE_DIR"];

/// Measures both starts of a command that runs [`run_start`], and the memory of the second.
///
/// # Errors
/// If the process cannot be started, or fails: then what it said.
pub fn measure_start(command: impl Fn() -> Result<Command>) -> Result<(StartFigures, MemoryFigures)> {
    let folder = tempfile::tempdir().map_err(Error::io("create a folder in", &std::env::temp_dir()))?;
    for name in CACHES {
        let path = folder.path().join(name);
        std::fs::create_dir(&path).map_err(Error::io("create", &path))?;
    }
    let (cold_seconds, _) = start(command()?, folder.path())?;
    let (warm_seconds, memory) = start(command()?, folder.path())?;
    Ok((StartFigures { cold_seconds, warm_seconds }, memory))
}

fn start(mut command: Command, caches: &Path) -> Result<(f64, MemoryFigures)> {
    for name in CACHES {
        command.env(name, caches.join(name));
    }
    // As many as here, however that came to be.
    command.env("RAYON_NUM_THREADS", rayon::current_num_threads().to_string());
    let failed = |what: String| Error::Device(format!("the first step in a process of its own failed: {what}"));
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| failed(e.to_string()))?;
    let mut out = BufReader::new(child.stdout.take().ok_or_else(|| failed("it has no output".to_string()))?);
    let mut line = String::new();
    let read = out.read_line(&mut line);
    let seconds = started.elapsed().as_secs_f64();
    let mut rest = String::new();
    let read = read.and_then(|_| out.read_to_string(&mut rest));
    let output = child.wait_with_output().map_err(|e| failed(e.to_string()))?;
    read.map_err(|e| failed(e.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_string()));
    }
    let memory = serde_json::from_str(&rest).map_err(|e| failed(format!("it said {line:?}, then {rest:?} ({e})")))?;
    Ok((seconds, memory))
}

/// What the child does: opens the device, takes one step, says so, takes up to a second of others, and says what memory it
/// holds, as JSON.
///
/// # Errors
/// If the device fails, or nobody listens.
pub fn run_start(
    workload: &Workload,
    batch: usize,
    open: impl FnOnce() -> Result<Box<dyn Executor>>,
    out: &mut dyn Write,
) -> Result<()> {
    let said = |result: std::io::Result<()>| result.map_err(Error::io("write to", Path::new("the standard output")));
    let at_start = resident();
    let mut bench = Bench::new(workload, batch, open()?)?;
    bench.trainer.steps(1)?;
    said(writeln!(out, "first step").and_then(|()| out.flush()))?;
    let (started, mut sends) = (Instant::now(), 0);
    while sends < 8 && started.elapsed() < Duration::from_secs(1) {
        bench.trainer.send(4)?;
        sends += 1;
    }
    bench.trainer.settle()?;
    let memory = MemoryFigures::of(&bench.trainer.session, at_start);
    said(writeln!(out, "{}", serde_json::to_string(&memory).map_err(Error::invalid)?))
}
