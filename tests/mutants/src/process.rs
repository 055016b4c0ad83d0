//! One run of some tests of one binary, stopped at the first that fails.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::build::Binary;

/// A mutant may ask for memory without end.
const MOST_MEMORY: u64 = 8 << 30;

/// Where tests run.
#[derive(Clone, Debug)]
pub struct Place {
    /// The copy of the project.
    pub tree: PathBuf,
    /// For what the tests keep between runs; fresh for each worker.
    pub scratch: PathBuf,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Passed,
    /// A test failed by itself, or the code under test panicked: which, and the panic's first line.
    Failed {
        test: String,
        message: String,
    },
    /// The process died.
    Crashed(String),
    TimedOut,
}

enum Said {
    Out(String),
    Err(String),
    Closed,
}

/// Lists a binary's tests that are not ignored.
pub fn list(binary: &Binary, place: &Place) -> Result<Vec<String>> {
    let names = |ignored: bool| -> Result<Vec<String>> {
        let mut command = command(binary, place);
        command.args(["--list", "--format", "terse"]).args(ignored.then_some("--ignored"));
        let output = command.output().with_context(|| format!("starting {}", binary.path.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_string).collect())
    };
    let ignored = names(true)?;
    Ok(names(false)?.into_iter().filter(|name| !ignored.contains(name)).collect())
}

/// Runs these tests one after the other, with these variables, for at most so long.
pub fn run(
    binary: &Binary,
    tests: &[&str],
    variables: &[(&str, String)],
    limit: Duration,
    place: &Place,
) -> Result<(End, Duration)> {
    let mut command = command(binary, place);
    command.args(["--exact", "--test-threads=1", "--nocapture"]).args(tests);
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null());
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("starting {}", binary.path.display()))?;
    let (sender, receiver) = channel();
    listen(child.stdout.take().context("no output")?, Said::Out, sender.clone());
    listen(child.stderr.take().context("no output")?, Said::Err, sender);
    let (mut current, mut panic, mut open) = (String::new(), String::new(), 2);
    let mut take_message = false;
    let end = loop {
        match receiver.recv_timeout(limit.saturating_sub(start.elapsed())) {
            Ok(Said::Out(line)) => {
                if let Some((name, _)) = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... ")) {
                    current = name.to_string();
                }
                if line == "FAILED" || line.ends_with("... FAILED") {
                    break Some(End::Failed { test: current.clone(), message: panic.clone() });
                }
            }
            Ok(Said::Err(line)) if line.contains("panicked at ") => {
                panic = line[line.find("panicked at ").unwrap_or(0)..].to_string();
                take_message = true;
            }
            Ok(Said::Err(line)) if take_message => {
                panic = format!("{panic} {line}");
                take_message = false;
            }
            Ok(Said::Err(_)) => {}
            Ok(Said::Closed) if open > 1 => open -= 1,
            Ok(Said::Closed) | Err(RecvTimeoutError::Disconnected) => break None,
            Err(RecvTimeoutError::Timeout) => break Some(End::TimedOut),
        }
    };
    let end = match end {
        Some(end) => {
            stop(&mut child);
            end
        }
        None => {
            let status = child.wait()?;
            match (status.signal(), status.success()) {
                (_, true) => End::Passed,
                (Some(signal), _) => End::Crashed(format!("signal {signal} in {current}")),
                (None, false) => End::Crashed(format!("{status} in {current} {panic}")),
            }
        }
    };
    // Whatever a test started is not left behind.
    stop_group(child.id());
    Ok((end, start.elapsed()))
}

fn command(binary: &Binary, place: &Place) -> Command {
    let mut command = Command::new(&binary.path);
    command.current_dir(&place.tree).process_group(0);
    command.env("CARGO_MANIFEST_DIR", &place.tree).env("ELBO_NO_TINT", "1").env("RUST_BACKTRACE", "0");
    command.env("ELBO_CACHE_DIR", place.scratch.join("cache")).env("TMPDIR", &place.scratch);
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        command.env("XDG_RUNTIME_DIR", &place.scratch);
    }
    command.env_remove("ELBO_MUTANT").env_remove("ELBO_MUTANT_TRACE");
    let limit = libc::rlimit { rlim_cur: MOST_MEMORY, rlim_max: MOST_MEMORY };
    // SAFETY: setrlimit may be called between fork and exec.
    unsafe {
        command.pre_exec(move || {
            if libc::setrlimit(libc::RLIMIT_DATA, &limit) == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
        })
    };
    command
}

fn listen(stream: impl Read + Send + 'static, said: fn(String) -> Said, sender: Sender<Said>) {
    std::thread::spawn(move || {
        let (mut reader, mut bytes) = (BufReader::new(stream), Vec::new());
        while reader.read_until(b'\n', &mut bytes).is_ok_and(|n| n > 0) {
            let line = String::from_utf8_lossy(&bytes).trim_end().to_string();
            bytes.clear();
            if sender.send(said(line)).is_err() {
                return;
            }
        }
        let _ = sender.send(Said::Closed);
    });
}

fn stop(child: &mut Child) {
    stop_group(child.id());
    let _ = child.wait();
}

fn stop_group(id: u32) {
    // SAFETY: kill has no other effect than its signal; the group is the one that the child was started in.
    unsafe { libc::kill(-(id as libc::pid_t), libc::SIGKILL) };
}

/// An empty folder.
pub fn fresh(path: &Path) -> Result<()> {
    if path.exists() {
        std::fs::remove_dir_all(path)?;
    }
    std::fs::create_dir_all(path)?;
    Ok(())
}
