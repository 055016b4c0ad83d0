//! `elbo bench`: what it prints, and what it refuses. No test asserts a time.

use serde_json::Value;

use crate::program::{Place, refused};

/// Options of a measurement that takes a moment.
const QUICK: &str = "bench --device cpu --seconds 0.01 --batch 4";

fn measured(place: &Place, line: &str) -> Value {
    serde_json::from_str(&place.run(line)).expect("one JSON object and nothing else")
}

#[test]
fn a_measurement_says_all_it_should() {
    let place = Place::new();
    let report = measured(&place, &format!("{QUICK},5 --step classic --growth 20 --json"));
    let steps = report["steps"].as_array().unwrap();
    let batches: Vec<u64> = steps.iter().map(|s| s["batch"].as_u64().unwrap()).collect();
    assert_eq!(batches, [4, 5]);
    assert!(report["kernels"].as_array().unwrap().is_empty());
    for step in steps {
        assert_eq!(step["step"], "classic");
        for path in [
            "/samples_per_second",
            "/dispatches",
            "/first_step_seconds",
            "/host_microseconds_per_step",
            "/host_microseconds_per_dispatch",
            "/loss_every_step_penalty",
            "/loss/every_step",
            "/steady/steps",
            "/start/cold_seconds",
            "/start/warm_seconds",
            "/memory/predicted",
        ] {
            let number = step.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path} of {step}"));
            assert!(number > 0.0, "{path} is {number}");
        }
        // Nothing is made in the steady state, on any device; the heap is counted by the program itself.
        for path in ["/steady/buffers_per_step", "/steady/bind_groups_per_step", "/steady/pipelines_per_step"] {
            assert_eq!(step.pointer(path).and_then(Value::as_f64), Some(0.0), "{path}");
        }
        assert!(step["steady"]["allocations_per_step"].is_number());
        assert_eq!((&step["growth"]["steps"], &step["growth"]["objects"]), (&20.into(), &0.into()));
        // The CPU executor makes its buffers as the programs say them.
        assert_eq!(step["bytes"], step["memory"]["predicted"]);
    }
    let table = place.run(QUICK);
    assert!(table.contains("samples/s") && table.lines().all(|line| line.chars().count() <= 100), "{table}");
    assert!(place.files().is_empty(), "measuring leaves nothing");
}

#[test]
fn threads_are_as_many_as_are_asked_for() {
    let place = Place::new();
    for (threads, expected) in [(1, "CPU executor (1 thread)"), (3, "CPU executor (3 threads)")] {
        let report = measured(&place, &format!("--threads {threads} {QUICK} --step classic --json"));
        assert_eq!(report["device"], expected);
    }
    for wrong in ["0", "1025", "many"] {
        place.refused(&format!("{QUICK} --threads {wrong}"), &["--threads", wrong]);
    }
}

#[test]
fn a_measurement_is_compared_with_an_earlier_one() {
    let place = Place::new();
    let mut before = measured(&place, &format!("{QUICK} --json"));
    let again = |before: &Value, options: &str| {
        place.write("before.json", before.to_string());
        place.run(&format!("{QUICK} --compare before.json {options}"))
    };
    let same = again(&before, "");
    assert!(same.contains("classic, batch 4") && !same.contains("Beware"), "{same}");
    let found: Value = serde_json::from_str(&again(&before, "--json")).unwrap();
    assert!(found["comparison"]["steps"][0]["ratio"].as_f64().unwrap() > 0.0);

    // A run a thousand times as slow, of another device and version, without what later versions measure.
    for figure in ["samples_per_second", "spread/0", "spread/1"] {
        let value = before.pointer_mut(&format!("/steps/0/{figure}")).unwrap();
        *value = (value.as_f64().unwrap() / 1000.0).into();
    }
    (before["device"], before["version"]) = ("an abacus".into(), "0.0.1".into());
    assert!(before.as_object_mut().unwrap().remove("pieces").is_some());
    for later in ["steady", "start", "memory", "loss", "growth", "loss_every_step_penalty"] {
        before["steps"][0].as_object_mut().unwrap().remove(later);
    }
    let other = again(&before, "");
    assert!(other.contains("another device: an abacus") && other.contains("version 0.0.1"), "{other}");
    assert!(!other.contains("may be noise"), "{other}");
    before["steps"][0]["batch"] = 7.into();
    assert!(again(&before, "").contains("nothing in common"));
}

#[test]
fn pieces_are_measured_beside_the_plain_step() {
    let place = Place::new();
    const PIECES: &str = "bench --device cpu --seconds 0.002 --batch 4 --pieces";
    let report = measured(&place, &format!("{PIECES} --json"));
    assert!(report["steps"].as_array().unwrap().is_empty());
    let pieces = report["pieces"].as_array().unwrap();
    let of = |name: &str| pieces.iter().find(|p| p["piece"] == name).unwrap_or_else(|| panic!("{name} is not there"));
    assert_eq!(pieces[0]["piece"], "vae");
    assert_eq!((pieces[0]["cost"].as_f64(), pieces[0]["cost_spread"].to_string()), (Some(1.0), "[1.0,1.0]".into()));
    for piece in pieces {
        assert_eq!((&piece["step"], &piece["batch"]), (&"classic".into(), &4.into()));
        for figure in ["dispatches", "samples_per_second", "cost"] {
            assert!(piece[figure].as_f64().unwrap() > 0.0, "{figure} of {piece}");
        }
        // Nothing is made and nothing waited for inside a step, whatever the piece.
        assert_eq!((&piece["waits_per_step"], &piece["objects_per_step"]), (&0.0.into(), &0.0.into()), "{piece}");
    }
    // A flow has more to do than the plain posterior, in more kernels.
    assert!(of("planar")["dispatches"].as_u64() > pieces[0]["dispatches"].as_u64());
    assert_eq!(of("vampprior:components=500")["kind"], "prior");
    assert_eq!(of("gumbel-softmax")["beside"], serde_json::json!([["prior", "uniform-categorical"]]));

    place.write("before.json", report.to_string());
    let table = place.run(&format!("{PIECES} --compare before.json"));
    assert!(table.contains("posterior   planar") && table.contains("stands beside"), "{table}");
    assert!(table.contains("classic, batch 4, prior maf") && !table.contains("Beware"), "{table}");
    assert!(table.lines().filter(|line| !line.contains(", batch ")).all(|line| line.chars().count() <= 100), "{table}");
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let place = Place::new();
    place.write("text", "no report at all");
    place.write("other.json", "{\"epoch\": 1}");
    for (options, words) in [
        ("--batch 0", &["--batch", "0"][..]),
        ("--batch 128,0", &["--batch", "0"]),
        ("--batch 99999999", &["--batch", "99999999", "1048576"]),
        ("--batch many", &["--batch", "many"]),
        ("--batch -1", &["-1"]),
        ("--step wied", &["--step", "wied", "wide"]),
        ("--seconds 0", &["--seconds", "0.001"]),
        ("--seconds nan", &["--seconds", "0.001"]),
        ("--growth 0", &["--growth", "0"]),
        ("--pieces --batch 1", &["batch of 1", "--batch of 2"]),
        ("--pieces --growth 5", &["--pieces", "--growth"]),
        ("--compare nowhere.json", &["nowhere.json"]),
        ("--compare text", &["text", "elbo bench --json"]),
        ("--compare other.json", &["other.json", "elbo bench --json"]),
        ("--compare .", &["."]),
    ] {
        place.refused(&format!("bench --device cpu {options}"), words);
    }
    place.refused("bench --device no-such-name", &["no-such-name", "`device` (--device) cpu"]);
}

#[cfg(unix)]
#[test]
fn a_batch_beyond_the_memory_is_refused() {
    let place = Place::new();
    for step in ["classic", "wide"] {
        let line = format!(
            "ulimit -v 4194304; exec {} bench --device cpu --step {step} --batch 1048576",
            env!("CARGO_BIN_EXE_elbo")
        );
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &line]).current_dir(place.path(""));
        refused(&place, &mut command, &line, &["1048576", "memory", "--batch"]);
    }
}
