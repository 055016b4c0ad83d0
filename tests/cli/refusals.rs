//! What the program refuses.

use std::io::Write;

use crate::program::{Place, images, labels, refused, small, with};

/// A data folder with some images of a size.
fn data(place: &Place, name: &str, rows: u32, size: u32) {
    place.write(&format!("{name}/train-images-idx3-ubyte"), images(rows, size, size, (rows * size * size) as usize));
}

#[test]
fn bad_data() {
    let place = Place::new();
    std::fs::create_dir(place.path("empty")).unwrap();
    place.write("text", "these are no numbers at all");
    place.write("cut/train-images-idx3-ubyte", images(50, 8, 8, 3000));
    place.write("short-header", [0, 0, 8, 3, 0, 0]);
    place.write("huge/train-images-idx3-ubyte", images(u32::MAX, u32::MAX, u32::MAX, 100));
    data(&place, "disagree", 50, 8);
    place.write("disagree/train-labels-idx1-ubyte", labels(49));
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    zip.write_all(&images(500, 8, 8, 500 * 64)).unwrap();
    let zip = zip.finish().unwrap();
    place.write("torn/train-images-idx3-ubyte.gz", &zip[..zip.len() / 2]);
    for (path, words) in [
        ("nowhere", &["nowhere", "no such file or folder", "sprites"][..]),
        ("empty", &["empty", "train-images-idx3-ubyte"]),
        ("text", &["text", "in no known data format"]),
        ("short-header", &["short-header"]),
        ("cut", &["train-images-idx3-ubyte", "3000"]),
        ("huge", &["train-images-idx3-ubyte", "4294967295"]),
        ("disagree", &["49 labels", "50 images"]),
        ("torn", &["train-images-idx3-ubyte.gz"]),
        ("/dev/zero", &["/dev/zero", "device"]),
    ] {
        place.refused(&format!("train --device cpu --data {path} --out run"), words);
    }
}

#[test]
fn bad_settings() {
    let place = Place::new();
    for (options, words) in [
        ("--latent 0", &["`latent`", "0"][..]),
        ("--hidden 0", &["`hidden`", "0"]),
        ("--hidden 16,,8", &["--hidden"]),
        ("--batch 0", &["`batch`", "0"]),
        ("--learning-rate 0", &["`learning-rate`", "0"]),
        ("--learning-rate -1", &["`learning-rate`", "-1"]),
        ("--learning-rate nan", &["`learning-rate`", "NaN"]),
        ("--learning-rate inf", &["`learning-rate`", "inf"]),
        ("--learning-rate 1e300", &["`learning-rate`"]),
        ("--beta -1", &["`beta`", "-1"]),
        ("--beta nan", &["`beta`"]),
        ("--clip-norm 0", &["`clip-norm`", "0"]),
        ("--beta2 1", &["`beta2`", "1"]),
        ("--sigma 0 --likelihood gaussian", &["`sigma`", "0"]),
        ("--epochs 0", &["`epochs`", "0"]),
        ("--network-weights sure", &["there is no distribution of weights `sure`", "point, bayes-by-backprop"]),
        ("--network-weights bayes-by-backprop:share=1", &["`share`", "1"]),
        ("--network-weights bayes-by-backprop --optimiser adamw", &["adamw", "spread of every weight"]),
        (
            "--model classifier --network-weights bayes-by-backprop:scope=decoder",
            &["none of the weights that `network-weights` is about"],
        ),
        ("--resolution 7", &["`resolution`", "7"]),
        ("--count 99999999999", &["`count`"]),
        ("--count 0", &["`count`", "0"]),
        ("--validation 100000", &["100000 rows for validation"]),
        ("--seed -1", &["--seed"]),
        ("--activation gloo", &["gloo", "gelu"]),
        ("--device 99", &["99", "`device` (--device) cpu"]),
        ("--device no-such-name", &["no-such-name", "`device` (--device) cpu"]),
        ("--model ae --likelihood gaussian-learned", &["`ae`", "density `gaussian-learned`"]),
        ("--likelihood categorical:levels=10", &["the likelihood categorical:levels=10", "10 values", "levels=256"]),
        ("--likelihood categorical:levels=1", &["`levels`", "1", "from 2 to 1024"]),
        ("--likelihood student-t:nu=0", &["`nu`", "0", "from 1 to 1000"]),
        ("--likelihood nonsense", &["likelihood `nonsense`", "bernoulli", "elbo models"]),
        ("--likelihood gaussian:sigma", &["write it as name=value"]),
        ("--likelihood gaussian:nu=3", &["no setting `nu`", "sigma"]),
        ("--objective nonsense", &["objective `nonsense`", "beta-tcvae"]),
        ("--objective iwae:samples=0", &["`samples`", "0", "from 1 to 1024"]),
        ("--objective iwae:samples=2.5", &["`samples`", "2.5", "whole number"]),
        ("--objective beta-vae:beta=-1", &["`beta`", "-1"]),
        ("--objective beta-vae --beta 2", &["`beta` is given twice"]),
        ("--objective wae --beta 2", &["`beta` has no part in the objective `wae`"]),
        ("--objective free-bits --model ae", &["has no objective to choose", "free-bits"]),
        ("--objective info-vae --batch 1", &["compares the rows of a batch", "2 or more"]),
        ("--objective beta-tcvae --batch 1", &["compares the rows of a batch"]),
        ("--kl-cycle-epochs 4", &["`kl-cycle-epochs` is 4", "warm-up"]),
        ("--latnt 3", &["--latnt", "--latent"]),
    ] {
        let words: Vec<&str> = words.iter().map(|word| if *word == "`ae`" { "ae" } else { word }).collect();
        let options = with("--count 100 --validation 10 --device cpu", options);
        place.refused(&format!("train --out run {options}"), &words);
    }
}

#[test]
fn bad_configuration_files() {
    let place = Place::new();
    place.write("unknown.toml", "[model]\nlatnt = 3\n");
    place.write("table.toml", "[modle]\nlatent = 3\n");
    place.write("type.toml", "[model]\nlatent = \"three\"\n");
    place.write("torn.toml", "[model\nlatent = 3\n");
    place.write("value.toml", "[training]\nlearning-rate = -1.0\n");
    place.write("binary.toml", [0, 255, 254, 1]);
    for (name, words) in [
        ("unknown", &["unknown.toml", "latnt", "latent"][..]),
        ("table", &["table.toml", "modle"]),
        ("type", &["type.toml", "line 2", "three"]),
        ("torn", &["torn.toml", "line 1"]),
        ("value", &["learning-rate", "-1"]),
        ("binary", &["binary.toml", "not text"]),
        ("absent", &["absent.toml"]),
    ] {
        place.refused(&format!("train --device cpu --config {name}.toml --out run"), words);
    }
}

#[test]
fn places_that_cannot_be_written() {
    let place = Place::new();
    place.write("file", "in the way");
    place.train("run", "");
    place.refused(&format!("train {} --out file", small("")), &["file"]);
    place.refused(&format!("train {} --out file/run", small("")), &["file"]);
    place.refused(&format!("train {} --out run", small("")), &["run", "--resume run", "--out"]);
    place.refused("sample run --device cpu --out missing/new.png", &["missing", "does not exist"]);
    place.refused("sample run --device cpu --out run", &["run", "a folder"]);
    place.refused("reconstruct run --device cpu --out missing/new.png", &["missing", "does not exist"]);
}

#[test]
fn what_is_no_run() {
    let place = Place::new();
    std::fs::create_dir(place.path("empty")).unwrap();
    place.write("file", "no folder");
    for command in ["evaluate", "sample", "reconstruct", "train --resume"] {
        for (name, words) in [("empty", &["empty", "config.toml"][..]), ("nowhere", &["nowhere"]), ("file", &["file"])]
        {
            place.refused(&format!("{command} {name} --device cpu"), words);
        }
    }
    place.train("plain", "--model ae");
    place.refused("sample plain --device cpu", &["cannot draw new rows", "elbo reconstruct"]);
    place.refused("train --resume plain --latent 5", &["latent", "keeps its settings"]);
}

/// A checkpoint with other metadata.
fn with_metadata(checkpoint: &[u8], change: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>)) -> Vec<u8> {
    let length = u64::from_le_bytes(checkpoint[..8].try_into().unwrap()) as usize;
    let mut header: serde_json::Value = serde_json::from_slice(&checkpoint[8..8 + length]).unwrap();
    change(header["__metadata__"].as_object_mut().unwrap());
    let mut header = serde_json::to_vec(&header).unwrap();
    header.resize(header.len().next_multiple_of(8), b' ');
    [&(header.len() as u64).to_le_bytes()[..], &header, &checkpoint[8 + length..]].concat()
}

/// A checkpoint with another entry in its metadata.
fn with_entry(checkpoint: &[u8], key: &str, value: &str) -> Vec<u8> {
    with_metadata(checkpoint, |metadata| {
        assert!(metadata.insert(key.to_string(), value.into()).is_some(), "no entry {key}");
    })
}

/// Runs that were made before rows had a schema say the shape of a picture, and open as ever.
#[test]
fn a_run_without_a_schema_is_one_of_pictures() {
    let place = Place::new();
    place.train("run", "");
    let expected = place.run("evaluate run --device cpu --quick --json");
    let path = "run/checkpoint.safetensors";
    let old = with_metadata(&std::fs::read(place.path(path)).unwrap(), |metadata| {
        assert!(metadata.remove("schema").is_some() && metadata.remove("gaps").is_some());
        for (key, size) in [("height", "8"), ("width", "8"), ("channels", "1")] {
            metadata.insert(key.to_string(), size.into());
        }
    });
    place.write(path, old);
    let elbo = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()["elbo"].clone();
    assert_eq!(elbo(&place.run("evaluate run --device cpu --quick --json")), elbo(&expected));
    place.run("train --resume run --device cpu --epochs 2");
}

#[test]
fn bad_checkpoints() {
    let place = Place::new();
    place.train("run", "");
    place.train("other", "--hidden 17");
    let good = std::fs::read(place.path("run/checkpoint.safetensors")).unwrap();
    let config = std::fs::read(place.path("run/config.toml")).unwrap();
    let with_length = |length: u64| [&length.to_le_bytes(), &good[8..]].concat();
    let garbage: Vec<u8> = (0..20_000u64).map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect();
    let mut odd_number = good.clone();
    let text = String::from_utf8_lossy(&good).find(r#"\"height\":8"#).expect("the shape is in the header") + 11;
    odd_number[text] = b'x';
    let cases: [(&str, Vec<u8>); 9] = [
        ("nothing", vec![]),
        ("one byte", vec![7]),
        ("cut off", good[..good.len() - 5].to_vec()),
        ("cut in the header", good[..100].to_vec()),
        ("longer", [good.clone(), vec![0; 64]].concat()),
        ("a huge header", with_length(u64::MAX)),
        ("a long header", with_length(1 << 40)),
        ("garbage", garbage),
        ("a shape of letters", odd_number),
    ];
    for (name, bytes) in cases {
        place.write("bad/config.toml", &config);
        place.write("bad/checkpoint.safetensors", bytes);
        for command in ["evaluate", "sample", "reconstruct", "train --resume"] {
            let line = format!("{command} bad --device cpu");
            refused(&place, &mut place.elbo(&line), &format!("{line}, {name}"), &["checkpoint"]);
        }
    }
    // Counters and sizes that cannot be: each is a sound file.
    let schema = |height: usize, width: usize| {
        let shape = format!(r#"{{"height":{height},"width":{width},"channels":1}}"#);
        format!(r#"{{"fields":[{{"name":"x","kind":{{"image":{shape}}},"role":"input"}}]}}"#)
    };
    for (key, value) in [
        ("epoch", "18446744073709551615"),
        ("epoch", "-1"),
        ("step", "18446744073709551615"),
        ("step", "1"),
        ("batch", "7"),
        ("batch", "many"),
        ("sums", "zz"),
        ("sums_rows", ""),
        ("schema", ""),
        ("schema", r#"{"fields":[]}"#),
        ("schema", &schema(8, 0)),
        ("schema", &schema(usize::MAX, 8)),
        ("schema", &schema(1_000_000, 64)),
        ("schema", &schema(8, 9)),
    ] {
        place.write("bad/checkpoint.safetensors", with_entry(&good, key, value));
        let line = "train --resume bad --device cpu --epochs 2";
        let word = if value == schema(8, 9) { "8×9" } else { "checkpoint" };
        refused(&place, &mut place.elbo(line), &format!("{line}, {key} = {value}"), &[word]);
    }
    // Of another architecture.
    place.write("bad/checkpoint.safetensors", std::fs::read(place.path("other/checkpoint.safetensors")).unwrap());
    for command in ["evaluate", "sample", "train --resume"] {
        place.refused(&format!("{command} bad --device cpu"), &["checkpoint", "config.toml"]);
    }
}

#[test]
fn values_that_a_likelihood_cannot_explain() {
    let place = Place::new();
    let values: Vec<f32> = (0..80).map(|i| i as f32 * 0.1).collect();
    place.write_npy("wide.npy", 2, &values);
    let line = "train --device cpu --data wide.npy --hidden 8 --latent 2 --batch 8 --epochs 1 --out run";
    let bernoulli = format!("{line} --likelihood bernoulli");
    place.refused(&bernoulli, &["wide.npy", "bernoulli", "from 0 to 1", "gaussian"]);
    place.refused(&format!("{line} --likelihood continuous-bernoulli"), &["from 0 to 1"]);
    place.refused(&format!("{line} --likelihood discretized-logistic"), &["values 0, 1/255"]);
    place.run(&format!("{line} --likelihood laplace"));
    // Of forty rows that are fine and one that is not, wherever it comes to stand, none is trained or measured on.
    let mut fine: Vec<f32> = (0..80).map(|i| i as f32 / 100.0).collect();
    place.write_npy("fine.npy", 2, &fine);
    let one = bernoulli.replace("wide.npy", "one.npy").replace("--out run", "--out one");
    for at in 0..40 {
        let before = std::mem::replace(&mut fine[2 * at], 1.5);
        place.write_npy("one.npy", 2, &fine);
        place.refused(&one, &["one.npy", "holds 1.5", "bernoulli"]);
        fine[2 * at] = before;
    }
    place.run(&bernoulli.replace("wide.npy", "fine.npy").replace("--out run", "--out fine"));
    for command in ["evaluate", "reconstruct"] {
        place.refused(&format!("{command} fine --device cpu --data one.npy"), &["one.npy", "holds 1.5", "from 0 to 1"]);
    }
    place.refused("evaluate run --device cpu --factors", &["which factors"]);
}

#[test]
fn data_of_another_size() {
    let place = Place::new();
    place.train("run", "");
    data(&place, "larger", 60, 9);
    place.refused("evaluate run --device cpu --data larger", &["9×9", "8×8"]);
    place.refused("reconstruct run --device cpu --data larger", &["9×9", "8×8"]);
    // The sprites' own settings are not for data from files.
    place.refused("train --resume run --epochs 2 --data larger", &["count"]);
    data(&place, "images", 60, 8);
    place.run(
        "train --device cpu --epochs 1 --data images --validation 6 --hidden 8 --latent 2 --batch 16 --out on-images",
    );
    for line in
        ["evaluate on-images --device cpu", "reconstruct on-images --device cpu", "train --resume on-images --epochs 2"]
    {
        place.refused(&format!("{line} --data larger"), &["9×9", "8×8"]);
    }
    place.refused("evaluate on-images --device cpu --factors", &["which factors", "--factors"]);
    place.refused("evaluate on-images --device cpu --samples 0", &["--samples", "0", "1..=5"]);
    // The same size, but not as many rows: the order of batches would be another.
    data(&place, "more", 90, 8);
    place.refused("train --resume on-images --epochs 2 --data more", &["has changed", "--changed-data"]);
    place.refused("train --resume on-images --epochs 2 --data more --changed-data", &["batch"]);
}

#[test]
fn a_machine_without_a_gpu() {
    let place = Place::new();
    let without = |line: &str| {
        let mut command = place.elbo(line);
        command.env("VK_DRIVER_FILES", "/nonexistent").env("VK_ICD_FILENAMES", "/nonexistent");
        command.env("WGPU_BACKEND", "vulkan");
        command
    };
    let line = format!("train {} --out run", small("--device gpu"));
    refused(&place, &mut without(&line), "--device gpu without a GPU", &["no GPU", "`device` (--device) cpu"]);
    let line = format!("train {} --out run", small("--device auto"));
    let output = without(&line).output().unwrap();
    assert!(output.status.success(), "{}", crate::program::text(&output));
    assert!(without("devices").output().unwrap().status.success());
}

#[cfg(unix)]
#[test]
fn more_memory_than_there_is() {
    let place = Place::new();
    data(&place, "images", 2000, 8);
    // Twelve numbers for each of 65536·65536 weights, in 6 GiB.
    for options in ["--hidden 65536,65536,65536 --batch 1700", "--hidden 65536 --latent 65536 --batch 1700"] {
        let line = format!(
            "ulimit -v 6291456; exec {} train --device cpu --epochs 1 --data images --validation 1 --out run {options}",
            env!("CARGO_BIN_EXE_elbo")
        );
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &line]).current_dir(place.path(""));
        refused(&place, &mut command, options, &["memory", "--batch"]);
    }
    place.refused("train --device cpu --full --resolution 1024 --out run", &["GiB"]);
}
