//! The devices of a machine: which are seen, and the report on one.

use std::process::Command;

use serde_json::Value;

use crate::program::{Place, refused, text};

/// A line on a machine without drivers.
fn without_drivers(place: &Place, line: &str) -> Command {
    let mut command = place.elbo(line);
    command
        .env("VK_DRIVER_FILES", "/nonexistent")
        .env("VK_ICD_FILENAMES", "/nonexistent")
        .env("WGPU_BACKEND", "vulkan");
    command
}

#[test]
fn no_backends_named_are_all_backends() {
    let place = Place::new();
    let listed = |backends: Option<&str>| {
        let mut command = place.elbo("devices");
        match backends {
            Some(backends) => command.env("WGPU_BACKEND", backends),
            None => command.env_remove("WGPU_BACKEND"),
        };
        let output = command.output().expect("the program starts");
        assert!(output.status.success(), "{}", text(&output));
        String::from_utf8(output.stdout).expect("text")
    };
    assert_eq!(listed(Some("")), listed(None));
    let none = listed(Some("nonsense"));
    assert!(none.starts_with("No Vulkan, Metal or DX12 adapter: WGPU_BACKEND=nonsense leaves none"), "{none}");
}

#[test]
fn backends_that_leave_no_device_are_named() {
    let place = Place::new();
    let mut command = place.elbo("doctor --device gpu");
    command.env("WGPU_BACKEND", "nonsense");
    refused(&place, &mut command, "WGPU_BACKEND=nonsense", &["WGPU_BACKEND=nonsense", "vulkan, metal and dx12"]);
}

#[test]
fn a_report_is_text_or_json() {
    let place = Place::new();
    place.refused("doctor --report gpu.pdf", &["gpu.pdf", ".txt or .json"]);
    place.refused("doctor --device cpu --report gpu", &["gpu", ".txt or .json"]);
}

#[test]
fn a_report_is_written_where_there_is_no_gpu_and_names_nobody() {
    let place = Place::new();
    for name in ["none.txt", "none.json"] {
        let mut command = without_drivers(&place, &format!("doctor --report {name}"));
        command.env("HOME", place.path("")).env("USER", "ada-of-the-tests").env("ELBO_CACHE_DIR", place.path("cache"));
        let output = command.output().expect("the program starts");
        assert!(output.status.success(), "{}", text(&output));
        assert!(text(&output).contains(name), "{}", text(&output));
    }
    let [plain, json] =
        ["none.txt", "none.json"].map(|name| std::fs::read_to_string(place.path(name)).expect("a report"));
    for report in [&plain, &json] {
        assert!(report.contains(env!("CARGO_PKG_VERSION")) && report.contains("vulkan"), "{report}");
        assert!(
            !report.contains(place.path("").to_str().expect("text")) && !report.contains("ada-of-the-tests"),
            "{report}"
        );
    }
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["device"], Value::Null);
    assert_eq!(json["environment"]["WGPU_BACKEND"], "vulkan");
    assert_eq!(json["kernels"], Value::Array(vec![]));
}

#[test]
fn devices_that_cannot_share_a_training_are_named() {
    let place = Place::new();
    place.refused("train --devices 0,0 --count 50", &["`0` is named twice", "by its number"]);
    place.refused("train --devices cpu,auto --count 50", &["auto is one device"]);
    place.refused("train --devices cpu,nonesuch --count 50", &["nonesuch"]);
    place.refused("train --devices cpu,99 --count 50", &["99"]);
    place.refused("train --devices cpu, --count 50", &["give auto, cpu"]);
    place.refused("train --devices cpu,cpu --device cpu --count 50", &["--device"]);
    place.refused("train --devices cpu,cpu,cpu --batch 2 --count 50", &["batch of 2 rows", "fewer devices"]);
}

#[test]
fn several_devices_leave_the_run_of_one() {
    let place = Place::new();
    let line =
        "train --count 120 --resolution 8 --validation 20 --epochs 2 --batch 25 --seed 3 --quiet --encoder mlp:8";
    place.run(&format!("{line} --device cpu --out one"));
    place.run(&format!("{line} --devices cpu,cpu --out two"));
    let losses = |run: &str| -> Vec<f64> {
        let all = crate::records(&place, &format!("{run}/metrics.jsonl"));
        all.iter().map(|record| record["loss"].as_f64().expect("a loss")).collect()
    };
    let (one, two) = (losses("one"), losses("two"));
    // Training, validation and test rows of two epochs.
    assert!(one.len() == 6 && one.len() == two.len());
    for (one, two) in one.iter().zip(&two) {
        assert!((one / two - 1.0).abs() < 1e-5, "{one}, {two}");
    }
    assert_ne!(one[0], one[3], "what is compared moves");
    // It goes on on the devices that it had, and on others where one is named.
    let kept = || std::fs::read_to_string(place.path("two/config.toml")).expect("settings");
    assert!(kept().contains("devices = \"cpu,cpu\""), "{}", kept());
    place.run("train --resume two --epochs 3 --quiet");
    assert!(kept().contains("devices = \"cpu,cpu\""), "{}", kept());
    place.run("train --resume two --epochs 4 --device cpu --quiet");
    assert!(!kept().contains("devices"), "{}", kept());
    assert_eq!(losses("two").len(), 12);
}

/// A build with MPI joins the others instead, which `tests/mpi.sh` tries.
#[cfg(not(feature = "mpi"))]
#[test]
fn processes_that_were_started_together_need_a_build_with_mpi() {
    let place = Place::new();
    let quick = "bench --reduction --device cpu --step classic --batch 4 --seconds 0.001 --json";
    for line in ["train --count 50 --device cpu", quick] {
        for launcher in ["OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS"] {
            let words = ["3 processes", "cargo feature `mpi`", "--devices", launcher];
            refused(&place, place.elbo(line).env(launcher, "3"), line, &words);
        }
    }
    // One that was started alone shares nothing.
    let output = place.elbo(quick).env("OMPI_COMM_WORLD_SIZE", "1").output().expect("the program starts");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&report["ranks"], &report["sums"]), (&1.into(), &Value::Array(vec![])));
    assert_eq!(report["steps"][0]["share_in_sums"], 0.0);
    assert!(report["steps"][0]["samples_per_second"].as_f64().expect("a rate") > 0.0);
}
