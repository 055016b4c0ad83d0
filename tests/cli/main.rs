//! The program itself: what it does with bad input, and what a good run leaves.
//!
//! Whatever is refused is refused with a message that names what was found, without a panic, and without a trace in
//! the folder.

mod adversarial;
mod augment;
mod bench;
mod board;
mod codes;
#[path = "../common/mod.rs"]
mod common;
mod compare;
mod data;
mod devices;
mod ensemble;
mod exact;
mod export;
mod first;
mod import;
mod kernels;
mod labels;
mod layers;
mod lists;
mod missing;
mod networks;
mod own_data;
mod program;
mod refusals;
mod reliability;
mod report;
mod rows;
mod score;
mod stages;
mod swag;
mod tables;
mod uses;

use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

use program::{Place, small};
use serde_json::Value;

/// Lines of JSON.
fn records(place: &Place, path: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(place.path(path)).expect("a file");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn a_run_leaves_all_its_files() {
    let place = Place::new();
    place.run("train --epochs 1 --count 500 --validation 50 --device cpu --out run");
    let mut names: Vec<String> = std::fs::read_dir(place.path("run"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let expected = [
        ".elbo-lock",
        // Of the start, the only one before the last.
        "checkpoint.previous.safetensors",
        "checkpoint.safetensors",
        "config.toml",
        "latent.png",
        "loss.png",
        "metrics.csv",
        "metrics.jsonl",
        "reconstructions.png",
        "report.html",
        "samples.png",
        "steps.csv",
        "steps.jsonl",
    ];
    assert_eq!(names, expected);
    for picture in names.iter().filter(|name| name.ends_with(".png")) {
        let image = image::open(place.path("run").join(picture)).unwrap();
        assert!(image.width() >= 100 && image.height() >= 60, "{picture}");
    }
    let splits: Vec<Value> = records(&place, "run/metrics.jsonl").iter().map(|r| r["split"].clone()).collect();
    assert_eq!(splits, ["train", "validation", "test"]);
    assert!(!records(&place, "run/steps.jsonl").is_empty());
    for csv in ["run/metrics.csv", "run/steps.csv"] {
        let text = std::fs::read_to_string(place.path(csv)).unwrap();
        let columns: Vec<usize> = text.lines().map(|line| line.split(',').count()).collect();
        assert!(columns.len() > 1 && columns.iter().all(|&n| n == columns[0]), "{csv}:\n{text}");
    }
}

#[test]
fn runs_leave_the_pictures_that_their_codes_are_worth() {
    let place = Place::new();
    for (name, options, expected) in [
        ("plain", "", [true, false]),
        ("plain-3", "--latent 3", [false, false]),
        ("autoencoder", "--model ae", [true, false]),
        ("mixture", "--prior mixture", [true, true]),
        ("mixture-1", "--prior mixture --latent 1", [false, true]),
        ("planar-3", "--posterior planar --latent 3", [false, true]),
        (
            "discrete",
            "--posterior gumbel-softmax:categories=2 --prior uniform-categorical:categories=2",
            [false, false],
        ),
    ] {
        place.train(name, options);
        let found = ["manifold.png", "prior.png"].map(|picture| place.path(name).join(picture).is_file());
        assert_eq!(found, expected, "{name}");
    }
    // Rows of features are no images.
    let rows: Vec<f32> = (0..120).flat_map(|i| [(i % 7) as f32 / 7.0, (i % 5) as f32 / 5.0, 0.5]).collect();
    place.write_npy("rows.npy", 3, &rows);
    place.run("train --device cpu --data rows.npy --hidden 8 --latent 2 --batch 8 --epochs 1 --out features");
    assert!(!place.path("features/manifold.png").exists() && place.path("features/latent.png").is_file());
}

/// Sets that are held out may be smaller than a batch, each in its own way.
#[test]
fn held_out_sets_of_any_size() {
    let place = Place::new();
    for (count, validation) in [(300, 10), (100, 3), (200, 40)] {
        let name = format!("run-{count}");
        place.train(&name, &format!("--count {count} --validation {validation}"));
        place.run(&format!("evaluate {name} --device cpu --samples 2"));
    }
}

#[test]
fn a_trained_model_can_be_used() {
    let place = Place::new();
    place.train("run", "");
    let line = place.run("evaluate run --device cpu --json");
    let found: Value = serde_json::from_str(&line).expect("one JSON object and nothing else");
    let number = |key: &str| found[key].as_f64().unwrap_or_else(|| panic!("{key} of {line}"));
    assert!((number("elbo") + number("reconstruction") + number("kl")).abs() < 1e-9);
    // The very figures of the training's last epoch.
    let last = records(&place, "run/metrics.jsonl").into_iter().rfind(|r| r["split"] == "test").unwrap();
    assert_eq!(found["elbo"], last["elbo"]);
    assert!(place.run("evaluate run --device cpu").contains("ELBO"));

    place.run("sample run --device cpu --count 9 --out new.png");
    place.run("sample run --device cpu --count 9 --out again.png");
    place.run("sample run --device cpu --count 9 --seed 1 --out other.png");
    place.run("reconstruct run --device cpu --count 4 --out pairs.png");
    let bytes = |name: &str| std::fs::read(place.path(name)).unwrap();
    assert!(bytes("new.png") == bytes("again.png"));
    assert!(bytes("new.png") != bytes("other.png"));
    assert!(!bytes("pairs.png").is_empty());

    // The ending says the format: the same rows as a picture with a little loss and as numbers.
    place.run("sample run --device cpu --count 9 --out new.jpg");
    assert!(bytes("new.jpg").starts_with(b"\xff\xd8\xff"));
    place.run("sample run --device cpu --count 9 --out new.npy");
    let shape = &bytes("new.npy")[..128];
    assert!(String::from_utf8_lossy(shape).contains("'shape': (9, "), "{shape:?}");
    place.run("reconstruct run --device cpu --count 4 --out pairs.csv");
    assert_eq!(String::from_utf8(bytes("pairs.csv")).unwrap().lines().count(), 5);
    for (line, words) in [
        ("sample run --out new.bmp", &["new.bmp", "ends in .png"][..]),
        ("sample run --out run/loss.png", &["loss.png", "a file of the run", "--force"]),
    ] {
        place.refused(&format!("{line} --device cpu"), words);
    }
    place.run("sample run --device cpu --out run/loss.png --force");
}

#[test]
fn reports_say_how_the_kl_was_computed() {
    let place = Place::new();
    for (name, options, json, words) in [
        ("plain", "", Some("closed form"), "nats per example, closed form"),
        ("planar", "--posterior planar", Some("Monte Carlo"), "nats per example, Monte Carlo"),
        ("autoencoder", "--model ae", None, "cross-entropy of grey values"),
    ] {
        let said = place.run(&format!("train {} --out {name}", small(options)));
        assert_eq!(json.is_some_and(|words| said.contains(&format!("KL: {words}\n"))), json.is_some(), "{said}");
        assert!(json.is_some() || !said.contains("KL"), "{said}");
        let line = place.run(&format!("evaluate {name} --device cpu --json --quick"));
        let found: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(found.get("kl_estimator").and_then(Value::as_str), json, "{line}");
        let report = place.run(&format!("evaluate {name} --device cpu --quick"));
        assert!(report.contains(words), "{report}");
        assert!(json.is_some() || !(report.contains("closed form") || report.contains("Monte Carlo")), "{report}");
    }
}

/// Figures are called what they are: squared errors are no nats, grey values have no probability under a Bernoulli, and a figure
/// from a few codes is not relied on.
#[test]
fn figures_are_called_what_they_are() {
    let place = Place::new();
    let report = |name: &str, options: &str, samples: usize| {
        let said = place.run(&format!("train {} --out {name}", small(options)));
        let report = place.run(&format!("evaluate {name} --device cpu --samples {samples}"));
        let json = place.run(&format!("evaluate {name} --device cpu --json --samples {samples}"));
        let json: Value = serde_json::from_str(&json).expect("JSON");
        (said, report, json)
    };
    let (said, told, json) = report("squared", "--model ae --likelihood mse", 2);
    assert!(said.contains("loss: squared error\n"), "{said}");
    assert!(told.contains("loss, squared error") && told.contains("squared error per example"), "{told}");
    assert!(!told.contains("nats") && !told.contains("bits") && json["measure"] == "squared-error", "{told}");

    let (said, told, json) = report("grey", "", 2);
    assert!(said.contains("reconstruction: cross-entropy of grey values; KL: closed form"), "{said}");
    assert!(told.contains("reconstruction, cross-entropy of grey values") && !told.contains("  bits"), "{told}");
    assert!(told.contains("-ln p(x), bound for grey values") && told.contains("Note: The rows are grey"), "{told}");
    assert!(json["measure"] == "cross-entropy" && json.get("bits_per_dimension").is_none(), "{json}");
    assert!(told.contains("mean over rows: not reliable") && told.contains("Note: -ln p(x) is not reliable"), "{told}");
    assert!(json["importance"]["reliable"] == false && json["importance"]["bias"].is_number(), "{json}");

    let (_, told, json) = report("drawn", "--binarise dynamic --latent 2", 1000);
    assert!(
        told.contains("greys drawn black and white once, by seed 0") && told.contains("bits per dimension"),
        "{told}"
    );
    assert!(told.contains("reconstruction, -ln p(x|z)") && !told.contains("The rows are grey"), "{told}");
    assert!(json["measure"] == "probability" && json["binarisation_seed"] == 0, "{json}");

    let relaxed = "--latent 6 --posterior gumbel-softmax:categories=3 --prior uniform-categorical:categories=3";
    let (_, told, _) = report("relaxed", relaxed, 2);
    assert!(told.contains("Note: Codes are relaxed categories"), "{told}");

    let (said, told, json) = report("classes", "--model classifier", 2);
    assert!(said.contains("3 classes") && !said.contains("latent"), "{said}");
    assert!(told.contains("loss, -ln q(y|x)") && !told.contains("latent") && !told.contains("active"), "{told}");
    assert!(json.get("latent").is_none() && json.get("active_units").is_none(), "{json}");
}

#[test]
fn a_report_that_cannot_be_kept_is_still_printed() {
    let place = Place::new();
    place.train("run", "");
    let report = |line: &str| {
        let output = place.elbo(line).output().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.code(), out, err)
    };
    // All but the file's name, and what a clock measured.
    let figures = |text: &str| {
        let clock =
            text.split_inclusive([',', '\n']).filter(|part| !part.contains("seconds") && !part.contains("per_second"));
        clock.collect::<String>().split("\nReport:").next().unwrap_or_default().trim_end().to_string()
    };
    let [words, json] = ["evaluate run --device cpu --quick", "evaluate run --device cpu --quick --json"];
    let whole = [report(words), report(json)];
    // Where the file should go stands a folder: even root, who may write anywhere, cannot write that.
    std::fs::remove_file(place.path("run/evaluation.json")).unwrap();
    std::fs::create_dir(place.path("run/evaluation.json")).unwrap();
    for ((fine, printed, _), line) in whole.into_iter().zip([words, json]) {
        let (code, out, said) = report(line);
        assert_eq!((fine, code), (Some(0), Some(1)), "{said}");
        assert_eq!(figures(&out), figures(&printed));
        assert!(figures(&out).len() > 100, "{out}");
        assert!(said.contains("figures above") && said.contains("evaluation.json was not written"), "{said}");
        assert!(!out.contains("Report:"), "{out}");
    }
}

#[test]
fn settings_can_be_printed_and_used_again() {
    let place = Place::new();
    let text = place.run("train --preset classic --latent 7 --learning-rate 2e-3 --print-config");
    assert!(text.contains("latent = 7") && text.contains("learning-rate = 0.002"), "{text}");
    assert!(place.files().is_empty(), "printing trains nothing");
    place.write("again.toml", &text);
    assert_eq!(place.run("train --config again.toml --print-config"), text);
}

#[test]
fn a_run_goes_on_to_more_epochs() {
    let place = Place::new();
    place.train("shorter", "--schedule constant");
    place.train("run", "--schedule constant");
    place.run("train --resume run --epochs 3");
    place.train("whole", "--schedule constant --epochs 3");
    let bytes = |name: &str| std::fs::read(place.path(name)).unwrap();
    assert!(bytes("run/checkpoint.safetensors") == bytes("whole/checkpoint.safetensors"));
    assert!(bytes("run/checkpoint.safetensors") != bytes("shorter/checkpoint.safetensors"));
    assert_eq!(records(&place, "run/metrics.jsonl").len(), 9);
}

#[cfg(unix)]
#[test]
fn ctrl_c_saves_and_the_run_goes_on() {
    let place = Place::new();
    let line = format!("train {} --out run", small("--count 4000 --hidden 256 --batch 8 --epochs 1000"));
    let mut child = place.elbo(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let started = Instant::now();
    while !place.path("run/metrics.jsonl").metadata().is_ok_and(|found| found.len() > 0) {
        assert!(started.elapsed() < Duration::from_secs(60), "no epoch ends");
        std::thread::sleep(Duration::from_millis(20));
    }
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let status = child.wait().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(status.code(), Some(130), "{said}");
    assert!(said.contains("--resume run"), "{said}");
    let done = records(&place, "run/metrics.jsonl").last().unwrap()["epoch"].as_u64().unwrap();
    place.run(&format!("train --resume run --epochs {}", done + 1));
    assert_eq!(records(&place, "run/metrics.jsonl").last().unwrap()["epoch"].as_u64(), Some(done + 1));
    place.run("evaluate run --device cpu --json");
}

#[cfg(target_os = "linux")]
#[test]
fn closed_streams_do_no_harm() {
    let place = Place::new();
    place.train("run", "");
    let shell = |line: &str| {
        let program = env!("CARGO_BIN_EXE_elbo");
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &line.replace("elbo", program)]).current_dir(place.path(""));
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let fine = shell(&format!("elbo train {} --out without-input <&-", small("")));
    assert_eq!(fine.0, Some(0), "{}", fine.1);
    // A reader that leaves, a full disk: no panic, and training goes on, since the run is kept in files.
    for line in [
        "elbo evaluate run --device cpu >/dev/full".to_string(),
        "elbo train --print-config >/dev/full".to_string(),
        "elbo devices >/dev/full".to_string(),
        "sh -c 'elbo evaluate run --device cpu; echo $? >code' | true; exit $(cat code)".to_string(),
    ] {
        let (code, said) = shell(&line);
        assert!(code != Some(101) && !said.contains("panicked"), "{line}: {code:?}\n{said}");
    }
    let (code, said) = shell(&format!("elbo train {} --out without-output >/dev/full", small("")));
    assert!(code == Some(1) && said.contains("the standard output"), "{code:?}\n{said}");
    assert!(place.path("without-output/loss.png").is_file());
}

#[test]
fn a_patient_run_says_whose_weights_it_keeps() {
    let place = Place::new();
    let line = small("--learning-rate 0.05 --epochs 40 --patience 1");
    let said = place.run(&format!("train {line} --out run"));
    let validation = |r: &Value| (r["split"] == "validation").then(|| r["loss"].as_f64().unwrap());
    let losses: Vec<f64> = records(&place, "run/metrics.jsonl").iter().filter_map(validation).collect();
    let (best, loss) = (1..).zip(&losses).min_by(|a, b| a.1.total_cmp(b.1)).unwrap();
    assert!(losses.len() == best + 1 && losses.len() < 40, "{losses:?}");
    let whose = format!("weights are those of epoch {best}, the best by the loss of the validation rows ({loss:.2})");
    assert!(said.contains(&whose) && said.contains(&format!("Epochs {} to 40 were left out", best + 2)), "{said}");
    for command in ["sample run --device cpu", "reconstruct run --device cpu", "evaluate run --device cpu --quick"] {
        let said = place.run(command);
        assert!(said.contains(&format!("Weights: of epoch {best}, the best")), "{command}: {said}");
    }
    let found: Value = serde_json::from_str(&place.run("evaluate run --device cpu --quick --json")).unwrap();
    assert_eq!(found["epoch"], best as u64);
    // Waiting longer goes on; keeping no best, or to begin with it, does not.
    assert!(place.run("train --resume run --patience 2").contains("Going on after epoch"));
    place.train("plain", "");
    place.refused("train --resume plain --patience 2", &["patience", "keeps its settings"]);
    place.refused(&format!("train {} --out other", small("--validation 0 --patience 2")), &["`validation`"]);
}
