//! Models that are told labels, or find them out, from the command line.

use serde_json::Value;

use crate::common::npy::npy_of_floats;
use crate::program::{Place, images, labels, small};

/// A NumPy array of floats `[rows, width]`.
fn array(rows: usize, width: usize, value: impl Fn(usize) -> f32) -> Vec<u8> {
    npy_of_floats(&format!("({rows}, {width})"), (0..rows * width).map(value))
}

#[test]
fn rows_of_a_label() {
    let place = Place::new();
    place.train("run", "--model cvae");
    let picture = |line: &str| {
        let said = place.run(&format!("sample run --device cpu --out new.png {line}"));
        (said, std::fs::read(place.path("new.png")).unwrap())
    };
    // A row for each of the three labels.
    let (said, all) = picture("--count 12");
    assert!(said.contains("12 new rows (4 of each label)"), "{said}");
    let size = image::load_from_memory(&all).unwrap();
    assert!(size.width() > size.height(), "{}×{}", size.width(), size.height());
    let (said, heart) = picture("--count 4 --label heart");
    assert!(said.contains("4 new rows of the label heart"), "{said}");
    let (_, square) = picture("--count 4 --label square");
    assert!(heart != square && heart == picture("--count 4 --label heart").1);
    place.refused("sample run --device cpu --label 7", &["no label `7`", "square, ellipse, heart"]);
    place.refused("sample run --device cpu --condition 1,2", &["2 numbers", "3"]);
    place.run("evaluate run --device cpu --samples 2");
    place.run("reconstruct run --device cpu --count 4");
    // Data with other classes is not what it was trained on.
    place.write("other/train-images-idx3-ubyte", images(60, 8, 8, 60 * 64));
    place.write("other/train-labels-idx1-ubyte", labels(60));
    place.refused("evaluate run --device cpu --data other", &["3", "classes or numbers of condition"]);
    place.train("plain", "");
    place.refused("sample plain --device cpu --label heart", &["knows no labels", "cvae"]);
    place.refused("sample plain --device cpu --condition 1", &["no condition"]);
}

#[test]
fn rows_of_numbers() {
    let place = Place::new();
    place.train("factors", "--model cvae --condition factors");
    place.refused("sample factors --device cpu", &["numbers with every row", "--condition"]);
    place.refused("sample factors --device cpu --label heart", &["numbers, not a label"]);
    let numbers = |line: &str| place.run(&format!("sample factors --device cpu --count 4 {line}"));
    let names = ["--condition 0.5,0,0.5,0.5,0.5", "--condition 0.5,1,0.5,0.5,0.5"].map(|line| {
        numbers(&format!("{line} --out new.png"));
        std::fs::read(place.path("new.png")).unwrap()
    });
    assert!(names[0] != names[1]);

    place.write("waves.npy", array(80, 6, |i| (i % 7) as f32 / 7.0));
    let line = "train --device cpu --epochs 1 --hidden 8 --latent 2 --batch 16 --likelihood gaussian --data waves.npy";
    place.refused(
        &format!("{line} --model cvae --condition vectors --out run"),
        &["NAME.conditions.npy", "--condition"],
    );
    place.write("waves.conditions.npy", array(79, 2, |i| i as f32));
    place.refused(&format!("{line} --model cvae --condition vectors --out run"), &["79 rows", "80"]);
    place.write("waves.conditions.npy", array(80, 2, |i| (i % 5) as f32));
    place.run(&format!("{line} --model cvae --condition vectors --out run"));
    place.run("sample run --device cpu --condition -0.5,3 --count 2");
    place.refused("sample run --device cpu --condition nan,3 --count 2", &["NaN", "finite"]);
    place.refused("sample run --device cpu --condition x,3 --count 2", &["--condition holds x"]);
    let far = place.elbo("sample run --device cpu --condition 1,900 --count 2").output().unwrap();
    assert!(String::from_utf8_lossy(&far.stderr).contains("900 lies far from"), "{far:?}");
    // A model that is told nothing has no use for them.
    place.run(&format!("{line} --out unconditional"));
    place.run("sample unconditional --device cpu --count 2");
    place.refused(&format!("{line} --model cvae --out run-2"), &["no labels"]);
}

/// A table's columns are told in their own words, and say which row is in which part.
#[test]
fn columns_of_a_table_are_told() {
    let place = Place::new();
    let line = |i: usize| {
        let (colour, part) = (["red", "blue"][i % 2], ["train", "train", "train", "test"][i % 4]);
        format!("{colour},{part},{},{:.2}\n", 20 + i % 30, (i % 2) as f64 * 8.0 + (i % 5) as f64 / 5.0)
    };
    place.write("t.csv", "colour,part,age,size\n".to_string() + &(0..120).map(line).collect::<String>());
    let usual = "train --device cpu --data t.csv --epochs 60 --latent 1 --hidden 16 --split part";
    let said = place.run(&format!("{usual} --model cvae --condition-on colour,age --out run"));
    assert!(
        said.contains("told to the model (2): colour, age") && said.contains("30 rows held out for test"),
        "{said}"
    );
    let mean = |colour: &str| {
        place.run(&format!("sample run --device cpu --condition {colour},30 --count 60 --out {colour}.csv"));
        let text = std::fs::read_to_string(place.path(&format!("{colour}.csv"))).unwrap();
        text.lines().skip(1).map(|line| line.parse::<f64>().unwrap()).sum::<f64>() / 60.0
    };
    let (red, blue) = (mean("red"), mean("blue"));
    assert!(blue - red > 4.0, "red {red}, blue {blue}");
    // New lines that were drawn for labels say for which, those that a training leaves as well.
    place.run(&format!("{usual} --epochs 1 --model cvae --label colour --out labelled").replacen(
        "--epochs 60 ",
        "",
        1,
    ));
    let text = std::fs::read_to_string(place.path("labelled/samples.csv")).unwrap();
    assert!(text.lines().next().unwrap().split(',').any(|name| name == "colour"), "{text}");
    assert_eq!((text.matches("red").count(), text.matches("blue").count()), (8, 8), "{text}");
    place.refused("sample run --device cpu --condition mauve,30", &["colour holds mauve", "blue, red"]);
    place.refused("sample run --device cpu --condition red", &["colour, age"]);
    place.refused(&format!("{usual} --condition-on colour --out x"), &["`condition-on`", "cvae"]);
    place.run("evaluate run --device cpu --quick --data t.csv");
}

#[test]
fn labels_of_some_rows() {
    let place = Place::new();
    for kind in ["m2", "classifier", "m1+m2"] {
        place.train(kind, &format!("--model {kind} --labels 9 --epochs 2"));
        let line = place.run(&format!("evaluate {kind} --device cpu --samples 2 --json"));
        let found: Value = serde_json::from_str(&line).unwrap();
        let accuracy = found["parts"]["accuracy"].as_f64().unwrap_or_else(|| panic!("{kind}: {line}"));
        assert!((0.0..=1.0).contains(&accuracy));
        assert!(place.run(&format!("evaluate {kind} --device cpu --samples 2")).contains("of labels right"));
    }
    for kind in ["m2", "m1+m2"] {
        place.run(&format!("sample {kind} --device cpu --label ellipse --count 2"));
        place.run(&format!("reconstruct {kind} --device cpu --count 2"));
    }
    assert!(place.path("m1+m2/m1/checkpoint.safetensors").is_file());
    place.refused("sample classifier --device cpu", &["classifier"]);
    place.refused("reconstruct classifier --device cpu", &["cannot rebuild rows"]);

    // All of them, where nothing is said, be the classes even or not.
    place.train("all", "--model classifier");

    // The labels that are used are the seed's, and no others count.
    let elbo = |name: &str| std::fs::read_to_string(place.path(name).join("metrics.csv")).unwrap();
    place.train("again", "--model classifier --labels 9 --epochs 2");
    place.train("more", "--model classifier --labels 30 --epochs 2");
    let loss = |name: &str| elbo(name).lines().nth(1).unwrap().split(',').nth(2).unwrap().to_string();
    assert_eq!(loss("classifier"), loss("again"));
    assert_ne!(loss("classifier"), loss("more"));
}

#[test]
fn labels_that_cannot_be() {
    let place = Place::new();
    place.write("images/train-images-idx3-ubyte", images(60, 8, 8, 60 * 64));
    for (options, words) in [
        ("--model m2 --labels 100000", &["100000", "rows"][..]),
        ("--model m2 --labels 2", &["`labels` (--labels) is 2", "3 classes"]),
        ("--model m2 --labels 0", &["`labels`", "0"]),
        ("--labels 10", &["`labels`", "m2"]),
        ("--model cvae --labels 10", &["`labels`", "m2"]),
        ("--condition factors", &["`condition`", "cvae"]),
        ("--model m2 --condition factors", &["`condition`", "learns labels"]),
        ("--model m2 --alpha -1", &["`alpha`", "-1"]),
        ("--model m2 --objective iwae", &["objective", "iwae"]),
        ("--model classifier --prior mixture", &["no prior to choose"]),
        ("--model m3", &["m3", "m2"]),
    ] {
        place.refused(&format!("train {} --out run", small(options)), words);
    }
    let line = "train --device cpu --epochs 1 --hidden 8 --latent 2 --batch 16 --data images --validation 6 --out run";
    for kind in ["cvae", "m2", "classifier"] {
        place.refused(&format!("{line} --model {kind}"), &["no labels"]);
    }
}
