//! What to attach to a bug report about a device: what it is, what it offers, and how its kernels fared. It says nothing of the person who
//! sends it: no names of users or machines, and no folders.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use sysinfo::{CpuRefreshKind, RefreshKind, System};

use super::doctor::Outcome;
use super::uses::{ending, write_file};
use crate::error::{Error, Result};
use crate::gpu::{Adapter, BACKENDS, Gpu, adapters, unproven_adapters};

/// Variables of the environment that choose a device or bound what is asked of it; none holds a path.
const VARIABLES: [&str; 8] = [
    BACKENDS,
    "WGPU_DX12_COMPILER",
    "WGPU_DEBUG",
    "WGPU_VALIDATION",
    "ELBO_IMMEDIATES",
    "ELBO_LARGEST_BUFFER",
    "ELBO_TUNE",
    "LP_NATIVE_VECTOR_WIDTH",
];

/// A report on a device.
#[derive(Clone, Debug, Serialize)]
pub struct DeviceReport {
    /// The version of elbo.
    pub elbo: &'static str,
    /// The operating system and its version, and the kind of processor it is for.
    pub system: String,
    /// The processor.
    pub processor: String,
    /// Variables of the environment that say something of devices, as far as they are set.
    pub environment: BTreeMap<&'static str, String>,
    /// All adapters, a line each, as `elbo devices` numbers them.
    pub adapters: Vec<String>,
    /// The device that was examined; none where there is no GPU.
    pub device: Option<Examined>,
    /// How its kernels fared, in the order in which they were tried.
    pub kernels: Vec<KernelReport>,
    /// What ended the examination before its end, if anything did.
    pub stopped: Option<String>,
}

/// A device and what it offers.
#[derive(Clone, Debug, Serialize)]
pub struct Examined {
    /// Its name, as the driver gives it.
    pub name: String,
    /// Vulkan, Metal or DX12.
    pub backend: String,
    /// Discrete, integrated, software or virtual.
    pub kind: &'static str,
    /// The driver and its version.
    pub driver: String,
    /// Whether the driver says that it passes the tests of its standard.
    pub conformant: bool,
    /// The numbers of the vendor and of the model.
    pub numbers: [u32; 2],
    /// Bytes of its memory, where the backend tells.
    pub memory: Option<u64>,
    /// How steps and sizes reach kernels.
    pub passing: &'static str,
    /// The subgroups that kernels are written for, if any are.
    pub subgroups: Option<u32>,
    /// Limits, by wgpu's names.
    pub limits: BTreeMap<&'static str, u64>,
    /// Features, by wgpu's names.
    pub features: Vec<&'static str>,
}

/// How a row of the table of kernels fared.
#[derive(Clone, Debug, Serialize)]
pub struct KernelReport {
    /// Its name.
    pub kernel: &'static str,
    /// Whether the device can be trusted with it.
    pub sound: bool,
    /// How many runs were compared.
    pub runs: usize,
    /// How many of them had errors above 4·√K·ε.
    pub unusual: usize,
    /// The largest error, as a part of what is allowed.
    pub worst: f64,
    /// Seconds that it took with compiling, and with the reference on the processor.
    pub seconds: f64,
    /// What was wrong, a line each.
    pub failures: Vec<String>,
}

impl DeviceReport {
    /// A report on a device that has still to be examined, or on there being none.
    pub fn new(gpu: Option<&Gpu>) -> DeviceReport {
        let mut all = adapters();
        all.extend(unproven_adapters(&all));
        let line = |a: &Adapter| format!("{}: {} ({}, {}, {})", a.index, a.name(), a.kind(), a.backend(), a.driver());
        let set = |name: &'static str| std::env::var(name).ok().map(|value| (name, value));
        let known = [System::long_os_version(), System::kernel_version(), Some(System::cpu_arch())];
        let cpus = System::new_with_specifics(RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing()));
        DeviceReport {
            elbo: env!("CARGO_PKG_VERSION"),
            system: known.into_iter().flatten().collect::<Vec<_>>().join(", "),
            processor: cpus.cpus().first().map_or("unknown", |cpu| cpu.brand().trim()).to_string(),
            environment: VARIABLES.into_iter().filter_map(set).collect(),
            adapters: all.iter().map(line).collect(),
            device: gpu.map(Examined::of),
            kernels: vec![],
            stopped: None,
        }
    }

    /// Adds what became of a row of the table.
    pub fn add(&mut self, kernel: &'static str, outcome: &Outcome, took: Duration) {
        self.kernels.push(KernelReport {
            kernel,
            sound: outcome.is_sound(),
            runs: outcome.runs,
            unusual: outcome.unusual,
            worst: outcome.worst,
            seconds: took.as_secs_f64(),
            failures: outcome.complaints(),
        });
    }

    /// Looks at the name of a file that a report is to be written to, before anything is examined.
    ///
    /// # Errors
    /// If its ending is neither `.txt` nor `.json`.
    pub fn check(path: &Path) -> Result<()> {
        ending(path, "a report on a device", &["txt", "json"]).map(|_| ())
    }

    /// Writes it, as JSON or as text by the ending of the name.
    ///
    /// # Errors
    /// As for [`check`](DeviceReport::check), or if the file cannot be written; then nothing is left of it.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = match ending(path, "a report on a device", &["txt", "json"])? {
            "json" => serde_json::to_string_pretty(self).map_err(Error::invalid)? + "\n",
            _ => self.to_string(),
        };
        let text = impersonal(&text, dirs::home_dir().as_deref());
        write_file(path, |file| file.write_all(text.as_bytes()).map_err(Error::io("write", path)))
    }
}

impl Examined {
    fn of(gpu: &Gpu) -> Examined {
        let adapter = gpu.adapter();
        Examined {
            name: adapter.name().to_string(),
            backend: adapter.backend(),
            kind: adapter.kind(),
            driver: adapter.driver(),
            conformant: adapter.is_conformant,
            numbers: adapter.numbers(),
            memory: adapter.memory(),
            passing: gpu.passing(),
            subgroups: gpu.traits().subgroup_size,
            limits: adapter.limits().into_iter().collect(),
            features: adapter.features(),
        }
    }
}

/// Text in which the folder of a user is `~`, also as JSON writes it: drivers may put paths into what they say.
fn impersonal(text: &str, home: Option<&Path>) -> String {
    let Some(home) = home.map(|home| home.display().to_string()).filter(|home| home.len() > 1) else {
        return text.to_string();
    };
    text.replace(&home.replace('\\', "\\\\"), "~").replace(&home, "~")
}

impl fmt::Display for DeviceReport {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut line = |name: &str, value: &dyn fmt::Display| writeln!(f, "{name:37} {value}");
        line("elbo", &self.elbo)?;
        line("system", &self.system)?;
        line("processor", &self.processor)?;
        for (name, value) in &self.environment {
            line(name, value)?;
        }
        for adapter in &self.adapters {
            line("adapter", adapter)?;
        }
        if let Some(device) = &self.device {
            line("\nexamined", &device.name)?;
            line("backend", &device.backend)?;
            line("kind", &device.kind)?;
            line("driver", &device.driver)?;
            line("conformant", &device.conformant)?;
            line("vendor and model", &format_args!("{:#06x} {:#06x}", device.numbers[0], device.numbers[1]))?;
            line("memory, bytes", &device.memory.map_or("unknown".to_string(), |bytes| bytes.to_string()))?;
            line("given to kernels", &device.passing)?;
            line("subgroups of kernels", &device.subgroups.map_or("none".to_string(), |size| size.to_string()))?;
            for (name, value) in &device.limits {
                line(name, value)?;
            }
            line("features", &device.features.join(" "))?;
            writeln!(f, "\nkernel         runs  unusual  error / bound  seconds")?;
        }
        for row in &self.kernels {
            let verdict = if row.sound { "ok" } else { "wrong" };
            writeln!(
                f,
                "{:13} {:5} {:8} {:14.3} {:8.2}  {verdict}",
                row.kernel, row.runs, row.unusual, row.worst, row.seconds
            )?;
        }
        let failures =
            self.kernels.iter().flat_map(|row| row.failures.iter().map(move |failure| (row.kernel, failure)));
        for (kernel, failure) in failures {
            writeln!(f, "{kernel}: {failure}")?;
        }
        match &self.stopped {
            Some(why) => writeln!(f, "\nstopped: {why}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_users_are_left_out() {
        let home = Some(Path::new("/home/ada"));
        assert_eq!(impersonal("cannot read /home/ada/.cache/x", home), "cannot read ~/.cache/x");
        assert_eq!(impersonal(r#"{"a": "C:\\Users\\ada\\x"}"#, Some(Path::new(r"C:\Users\ada"))), r#"{"a": "~\\x"}"#);
        assert_eq!(impersonal("/ is a root", Some(Path::new("/"))), "/ is a root");
        assert_eq!(impersonal("a", None), "a");
    }

    #[test]
    fn a_failure_is_told_with_its_kernel() {
        let mut report = DeviceReport::new(None);
        let outcome = Outcome { runs: 4, unusual: 1, worst: 2.5, failures: vec!["word 3 is 1".to_string()] };
        report.add("map", &outcome, Duration::from_millis(1500));
        report.add("norm", &Outcome { runs: 1, worst: 0.25, ..Outcome::default() }, Duration::ZERO);
        report.stopped = Some("device lost".to_string());
        let text = report.to_string();
        assert!(text.contains("map               4        1          2.500     1.50  wrong\n"), "{text}");
        assert!(text.contains("norm              1        0          0.250     0.00  ok\n"), "{text}");
        assert!(text.ends_with("map: word 3 is 1\n\nstopped: device lost\n"), "{text}");
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["kernels"][0]["failures"][0], "word 3 is 1");
        assert_eq!(json["device"], serde_json::Value::Null);
    }

    #[test]
    fn what_is_neither_text_nor_json_is_refused() {
        assert!(
            DeviceReport::check(Path::new("gpu.TXT")).is_ok() && DeviceReport::check(Path::new("gpu.json")).is_ok()
        );
        let error = DeviceReport::check(Path::new("gpu.pdf")).unwrap_err().to_string();
        assert!(error.contains("gpu.pdf") && error.contains(".txt or .json"), "{error}");
    }
}
