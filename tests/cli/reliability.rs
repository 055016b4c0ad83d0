//! Runs that are started together, stopped, killed, and short of room on the disk.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use elbo::engine::training::checkpoint::Checkpoint;
use elbo::engine::training::metrics::{read_epochs, read_retries};

use super::program::{Place, small, text};

/// Waits until a run in the background has saved something.
fn wait_for(path: &Path, child: &mut Child) {
    let started = Instant::now();
    while !path.is_file() {
        assert!(child.try_wait().unwrap().is_none(), "it has ended");
        assert!(started.elapsed() < Duration::from_secs(120), "{} does not come", path.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn in_background(place: &Place, line: &str) -> Child {
    place.elbo(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

#[test]
fn runs_that_start_together_have_folders_of_their_own() {
    let place = Place::new();
    let children: Vec<Child> = (0..4)
        .map(|seed| in_background(&place, &format!("train {} --seed {seed}", small("--epochs 2 --log-every 1"))))
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
    }
    let mut seeds = vec![];
    for entry in fs::read_dir(place.path("runs")).unwrap() {
        let folder = entry.unwrap().path();
        let settings = fs::read_to_string(folder.join("config.toml")).unwrap();
        let seed = settings.lines().find_map(|line| line.strip_prefix("seed = ")).unwrap().to_string();
        // It is the run that this seed gives by itself.
        place.train(&format!("alone-{seed}"), &format!("--epochs 2 --log-every 1 --seed {seed}"));
        let weights = |folder: &Path| fs::read(folder.join("checkpoint.safetensors")).unwrap();
        assert!(weights(&folder) == weights(&place.path(&format!("alone-{seed}"))), "{}", folder.display());
        let epochs: Vec<u64> = read_epochs(&folder.join("metrics.jsonl")).unwrap().iter().map(|r| r.epoch).collect();
        assert_eq!(epochs, [1, 1, 1, 2, 2, 2], "{}", folder.display());
        seeds.push(seed);
    }
    seeds.sort();
    assert_eq!(seeds, ["0", "1", "2", "3"]);
}

#[cfg(unix)]
#[test]
fn a_run_has_one_writer_and_signals_end_it_in_good_order() {
    let place = Place::new();
    let options = small("--epochs 100000 --count 60");
    for signal in ["TERM", "HUP", "INT"] {
        let mut child = in_background(&place, &format!("train {options} --out {signal}"));
        wait_for(&place.path(signal).join("checkpoint.safetensors"), &mut child);
        place.refused_beside(&format!("train --resume {signal} --device cpu"), &["is being written by process"]);
        place.refused_beside(&format!("train {options} --out {signal}"), &["holds a run already"]);
        let asked = Instant::now();
        assert!(
            Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap().success()
        );
        let output = child.wait_with_output().unwrap();
        assert!(asked.elapsed() < Duration::from_secs(20), "SIG{signal} is not heard");
        assert_eq!(output.status.code(), Some(130), "SIG{signal}: {}", text(&output));
        assert!(text(&output).contains("Everything is saved"), "{}", text(&output));
        // What was saved is what was measured.
        let folder = place.path(signal);
        let done = Checkpoint::load(&folder.join("checkpoint.safetensors")).unwrap().metadata_u64("epoch").unwrap();
        let told = read_epochs(&folder.join("metrics.jsonl")).unwrap().last().map_or(0, |record| record.epoch);
        assert_eq!(done, told, "SIG{signal}");
        place.run(&format!("train --resume {signal} --device cpu --epochs {}", done + 2));
    }
}

#[test]
fn a_run_that_was_killed_at_its_start_is_begun_anew() {
    let place = Place::new();
    place.train("whole", "");
    for name in [".elbo-lock", "metrics.jsonl", ".elbo-1a2b.partial", "run/config.toml"] {
        let name = name.trim_start_matches("run/");
        place.write(&format!("run/{name}"), if name == "config.toml" { &b"torn"[..] } else { b"" });
    }
    place.train("run", "");
    assert!(!place.path("run/.elbo-1a2b.partial").exists());
    let weights = |name: &str| fs::read(place.path(name).join("checkpoint.safetensors")).unwrap();
    assert!(weights("run") == weights("whole"));
    // Settings that somebody else put there are not written over.
    place.write("theirs/config.toml", "mine");
    place.refused(&format!("train {} --out theirs", small("")), &["theirs holds a run already"]);
}

/// A few of the kills of `tests/attacks/kills.sh`, one of each command that writes.
#[cfg(target_os = "linux")]
#[test]
fn what_is_killed_at_a_random_moment_is_done_again() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks/kills.sh");
    let run = |program: &str| {
        Command::new("bash").arg(&script).arg("10").env("ELBO", program).env_remove("KEEP").output().expect("bash")
    };
    let output = run(env!("CARGO_BIN_EXE_elbo"));
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("survived") && text(&output).contains("second-stage"), "{}", text(&output));
    // Something that does not write what it should is noticed.
    assert!(!run("/bin/true").status.success());
}

#[cfg(unix)]
#[test]
fn a_disk_that_is_full_ends_a_run_and_loses_nothing() {
    let place = Place::new();
    let options = small("--epochs 400 --hidden 4 --log-every 1");
    // Files may have 64 kB: enough for the checkpoint, too little for the steps.
    let limited = |line: &str| {
        let program = place.elbo(line);
        let words: Vec<String> = program.get_args().map(|word| format!("'{}'", word.to_string_lossy())).collect();
        let script = format!(
            "trap '' XFSZ; ulimit -f 64; exec '{}' {}",
            program.get_program().to_string_lossy(),
            words.join(" ")
        );
        let mut command = Command::new("bash");
        command.args(["-c", &script]).current_dir(place.path("")).env("ELBO_CACHE_DIR", "");
        command.output().unwrap()
    };
    let output = limited(&format!("train {options} --out run"));
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("cannot write") && text(&output).contains("steps."), "{}", text(&output));
    for name in ["steps.jsonl", "steps.csv", "metrics.jsonl", "metrics.csv"] {
        let text = fs::read_to_string(place.path("run").join(name)).unwrap();
        assert!(text.ends_with('\n'), "{name} ends within a line");
    }
    place.run("train --resume run --device cpu");
    let mut epochs: Vec<u64> =
        read_epochs(&place.path("run/metrics.jsonl")).unwrap().iter().map(|record| record.epoch).collect();
    epochs.dedup();
    assert_eq!(epochs, (1..=400).collect::<Vec<u64>>());
}

#[cfg(unix)]
#[test]
fn links_and_pipes_in_a_strangers_folder_do_no_harm() {
    let place = Place::new();
    place.train("run", "--epochs 2");
    place.write("precious", "mine");
    for name in ["metrics.csv", "steps.csv", "config.toml", "samples.png", "checkpoint.previous.safetensors"] {
        let path = place.path("run").join(name);
        if name == "config.toml" {
            fs::copy(&path, place.path("settings")).unwrap();
        }
        let _ = fs::remove_file(&path);
        let target = if name == "config.toml" { "settings" } else { "precious" };
        std::os::unix::fs::symlink(place.path(target), &path).unwrap();
    }
    let settings = fs::read(place.path("settings")).unwrap();
    place.run("train --resume run --device cpu --epochs 4");
    assert_eq!(fs::read(place.path("precious")).unwrap(), b"mine");
    assert!(fs::read(place.path("settings")).unwrap() == settings);
    let metrics = place.path("run/metrics.jsonl");
    fs::remove_file(&metrics).unwrap();
    assert!(Command::new("mkfifo").arg(&metrics).status().unwrap().success());
    place.refused_beside("train --resume run --device cpu --epochs 5", &["metrics.jsonl", "a device or a pipe"]);
}

#[test]
fn the_checkpoint_before_the_last_is_kept_and_can_be_gone_on_with() {
    let place = Place::new();
    place.train("run", "--epochs 3");
    let (last, previous) =
        (place.path("run/checkpoint.safetensors"), place.path("run/checkpoint.previous.safetensors"));
    let epoch = |path: &Path| Checkpoint::load(path).unwrap().metadata_u64("epoch").unwrap();
    assert_eq!((epoch(&previous), epoch(&last)), (2, 3));
    let before = fs::read(&last).unwrap();
    // Weights that are no numbers are told of, wherever they are asked for.
    let mut spoilt = Checkpoint::load(&last).unwrap();
    spoilt.tensors[0].2[0] = f32::NAN;
    spoilt.save(&last).unwrap();
    place.refused("sample run --device cpu --count 2 --out a.png", &["checkpoint.safetensors", "not finite numbers"]);
    place.refused("train --resume run --device cpu --epochs 4", &["checkpoint.safetensors", "not finite numbers"]);
    place.run("sample run/checkpoint.previous.safetensors --device cpu --count 2 --out a.png");
    place.run("train --resume run/checkpoint.previous.safetensors --device cpu");
    assert!(fs::read(&last).unwrap() == before, "it is another run than the unbroken one");
}

#[test]
fn what_a_terminal_would_obey_is_shown_and_not_sent() {
    let place = Place::new();
    let output = place.elbo("train --device cpu").args(["--data", "a\u{1b}[31mb"]).output().unwrap();
    assert!(!output.status.success());
    assert!(!output.stderr.contains(&0x1b) && !output.stdout.contains(&0x1b), "{}", text(&output));
    assert!(text(&output).contains("a?[31mb"), "{}", text(&output));
}

#[test]
fn a_run_that_goes_back_says_so() {
    let place = Place::new();
    let line = format!(
        "train {} --out run",
        small("--optimiser sgd --learning-rate 20 --retries 6 --epochs 3 --warmup-steps 0 --schedule constant")
    );
    let output = place.elbo(&line).output().unwrap();
    let said = text(&output);
    assert!(output.status.success() && said.contains("Back to the checkpoint of step 0"), "{said}");
    assert!(said.contains("with 0.25 times the learning rate (retry 1 of 6)"), "{said}");
    let retries = read_retries(&place.path("run/retries.jsonl")).unwrap();
    assert!(!retries.is_empty());
    let lines = place.run(&format!("{} --json", line.replace("--out run", "--out told")));
    assert_eq!(lines.matches("\"event\":\"retry\"").count(), retries.len(), "{lines}");
    // Given up, with what to do, and the status says it.
    let output =
        place.elbo(&line.replace("--retries 6", "--retries 0").replace("--out run", "--out once")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("a smaller `learning-rate` (--learning-rate)"), "{}", text(&output));
}

/// Of steps that are far too large, the first checkpoint comes when the numbers have begun to run away, and is not far enough outside to be
/// left out: what is gone back to is the one before it.
#[test]
fn a_checkpoint_that_is_not_sound_is_not_gone_back_to() {
    let place = Place::new();
    let usual = "train --device cpu --epochs 4 --count 200 --resolution 8 --validation 20 --hidden 24,16 --latent 3 --batch 32 \
                 --warmup-steps 0 --schedule constant --kl-warmup-epochs 3 --retries 6";
    for (name, options) in
        [("sgd", "--optimiser sgd --learning-rate 5"), ("adam", "--optimiser adam --learning-rate 10")]
    {
        place.run(&format!("{usual} {options} --out {name}"));
        let retries = read_retries(&place.path(name).join("retries.jsonl")).unwrap();
        assert!(!retries.is_empty(), "{name} does not run away");
        let last = read_epochs(&place.path(name).join("metrics.jsonl")).unwrap().pop().unwrap();
        assert!(last.loss < 20.0, "{name} ends at {}", last.loss);
    }
}

#[test]
fn a_collapse_is_told_while_it_happens() {
    let place = Place::new();
    let run = |options: &str, name: &str| {
        let usual = "--epochs 8 --kl-warmup-epochs 0 --count 300 --validation 30";
        place.run(&format!("train {} --out {name}", small(&format!("{usual} {options}"))))
    };
    let said = run("--beta 500", "collapsed");
    assert_eq!(said.matches("posterior collapse").count(), 1, "{said}");
    assert!(said.contains("a smaller `beta` (--beta)") && said.contains("free-bits"), "{said}");
    // One that speaks, one whose weight grows until the end, and one without a KL.
    for (options, name) in
        [("--beta 0.01", "speaks"), ("--beta 500 --kl-warmup-epochs 8", "grows"), ("--model ae", "without")]
    {
        let usual = "--epochs 8 --count 300 --validation 30";
        let warm_up = if options.contains("warmup") || name == "without" { "" } else { "--kl-warmup-epochs 0" };
        let said = place.run(&format!("train {} --out {name}", small(&format!("{usual} {warm_up} {options}"))));
        assert!(!said.contains("say nothing"), "{options}: {said}");
    }
}

#[cfg(unix)]
#[test]
fn a_report_is_not_written_beside_another_writer() {
    let place = Place::new();
    let mut child = in_background(&place, &format!("train {} --out run", small("--epochs 100000 --count 60")));
    wait_for(&place.path("run/checkpoint.safetensors"), &mut child);
    let output = place.elbo("evaluate run --device cpu --quick").output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("the figures above are whole") && said.contains("is being written by process"), "{said}");
    assert!(said.contains("ELBO") && !place.path("run/evaluation.json").exists(), "{said}");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    place.run("evaluate run --device cpu --quick");
    assert!(place.path("run/evaluation.json").is_file());
}

/// A second stage that is stopped and resumed leaves the pictures of the unbroken one, to the byte.
#[test]
fn a_resumed_second_stage_leaves_the_same_pictures() {
    let place = Place::new();
    place.train("first", "--epochs 3");
    let line = |epochs: usize, name: &str| {
        format!(
            "train --second-stage first --device cpu --schedule constant --kl-warmup-epochs 0 --hidden 8 --epochs {epochs} --out {name}"
        )
    };
    place.run(&line(4, "whole"));
    place.run(&line(2, "broken"));
    place.run("train --resume broken --device cpu --epochs 4");
    place.run(&line(3, "other"));
    let bytes = |name: &str, picture: &str| fs::read(place.path(name).join(picture)).unwrap();
    for picture in ["latent.png", "samples.png", "reconstructions.png", "manifold.png", "prior.png"] {
        if !place.path("whole").join(picture).exists() {
            assert_eq!(picture, "prior.png", "a run leaves {picture}");
            continue;
        }
        assert!(bytes("broken", picture) == bytes("whole", picture), "{picture}");
        assert!(bytes("other", picture) != bytes("whole", picture), "{picture} does not tell runs apart");
    }
}
