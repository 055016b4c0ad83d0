//! What becomes of rows between a file and a step: weights, classes that count alike, changed pictures, scaled channels.

use serde_json::Value;

use crate::common::npy::npy;
use crate::program::{Place, with};

/// A run of a table or an array that takes a moment.
fn quick(options: &str) -> String {
    with("--device cpu --epochs 2 --hidden 8 --latent 2 --batch 16", options)
}

/// A table of two columns that are learnt, a class, and weights: 60 rows, of which a third is of the class b.
fn table(weight: impl Fn(usize) -> String) -> String {
    let line = |i: usize| {
        let (x, kind) = ((i * 37 % 100) as f64 / 10.0 + 0.01, if i.is_multiple_of(3) { "b" } else { "a" });
        format!("{x},{:.2},{kind},{}\n", 20.5 - x, weight(i))
    };
    "x,y,kind,count\n".to_string() + &(0..60).map(line).collect::<String>()
}

fn loss(place: &Place, run: &str) -> f64 {
    let found: Value =
        serde_json::from_str(&place.run(&format!("evaluate {run} --device cpu --quick --json"))).unwrap();
    found["loss"].as_f64().unwrap()
}

#[test]
fn a_column_weighs_rows() {
    let place = Place::new();
    place.write("a.csv", table(|i| format!("{}", i % 5)));
    let said = place.run("data a.csv --label kind --weight count");
    assert!(said.contains("weight of each row") && said.contains("as you said"), "{said}");
    place.refused(
        &format!("train {} --data a.csv --weight kind --out x", quick("")),
        &["the column kind holds words", "a weight is a number"],
    );
    let train = |options: &str, run: &str| place.run(&format!("train {} --data a.csv --out {run}", quick(options)));
    train("--label kind --weight count", "weighed");
    train("--label kind --ignore count", "even");
    assert_ne!(loss(&place, "weighed"), loss(&place, "even"));
    // The run knows its column, goes on with it, and notices other weights.
    place.run("train --resume weighed --device cpu --epochs 3");
    place.write("a.csv", table(|i| format!("{}", i % 5 + 1)));
    place.refused("train --resume weighed --device cpu --epochs 4", &["a.csv", "changed"]);
    // A table without the column is one whose rows count alike.
    let plain = table(|_| "1".to_owned()).replace(",1\n", "\n").replace(",count\n", "\n");
    place.write("plain.csv", plain);
    place.run("evaluate weighed --device cpu --quick --data plain.csv");
}

#[test]
fn what_is_no_weight_is_named_with_its_line() {
    let place = Place::new();
    let refused = |weight: &dyn Fn(usize) -> String, words: &[&str]| {
        place.write("a.csv", table(weight));
        place.refused(&format!("train {} --data a.csv --weight count --out run", quick("")), words);
    };
    let but_row_9 = |odd: &'static str| move |i: usize| if i == 9 { odd.to_owned() } else { "1.5".to_owned() };
    refused(&but_row_9("-2"), &["a.csv", "line 11", "count holds -2", "0 or more"]);
    refused(&but_row_9("inf"), &["line 11", "count holds inf"]);
    refused(&but_row_9(""), &["line 11 has no count"]);
    refused(&|_| "0".to_owned(), &["count is 0 in all", "none of them counts"]);
    refused(&but_row_9("many"), &["count", "many"]);
    place.write("a.csv", table(|_| "1".to_owned()));
    place.refused("train --data a.csv --weight cuont", &["no column cuont", "did you mean count"]);
    place.refused("train --data a.csv --weight count --label count", &["two parts to play"]);
    place.refused("train --data digits --weight count", &["`weight`", "built in"]);
}

#[test]
fn weights_lie_beside_an_array() {
    let place = Place::new();
    let values: Vec<f32> = (0..120).map(|i| (i * 37 % 100) as f32 / 100.0).collect();
    place.write_npy("a.npy", 2, &values);
    place.write_npy("a.weights.npy", 1, &(0..60).map(|i| (i % 4) as f32).collect::<Vec<_>>());
    assert!(place.run("data a.npy").contains("a.weights.npy"));
    place.run(&format!("train {} --data a.npy --out run", quick("")));
    let refusal = "sees the rows of a batch together";
    place.refused(&format!("train {} --data a.npy --objective wae --out other", quick("")), &["a.npy", refusal]);
    place.refused(
        &format!("train {} --data a.npy --weight w --out other", quick("")),
        &["`weight`", "NAME.weights.npy"],
    );
    place.write_npy("a.weights.npy", 1, &[1.0; 59]);
    place.refused("data a.npy", &["a.weights.npy", "59 rows", "one weight for each"]);
    place.write_npy("a.weights.npy", 1, &[-1.0; 60]);
    place.refused("data a.npy", &["a.weights.npy", "row 0 has the weight -1"]);
}

#[test]
fn classes_count_alike_where_there_are_any() {
    let place = Place::new();
    place.write("a.csv", table(|_| "1".to_owned()));
    let train =
        |options: &str, run: &str| format!("train {} --data a.csv --ignore count {options} --out {run}", quick(""));
    place.run(&train("--label kind --class-balance", "balanced"));
    place.run(&train("--label kind", "even"));
    assert_ne!(loss(&place, "balanced"), loss(&place, "even"));
    assert!(std::fs::read_to_string(place.path("balanced/config.toml")).unwrap().contains("class-balance = true"));
    place.refused(
        &train("--ignore kind --class-balance", "other").replace("--ignore count --ignore kind", "--ignore count,kind"),
        &["class-balance", "no labels"],
    );
}

#[test]
fn pictures_are_changed_and_nothing_else() {
    let place = Place::new();
    place.train("changed", "--augment flip,shift=1,crop=2");
    let text = std::fs::read_to_string(place.path("changed/config.toml")).unwrap();
    assert!(text.contains("augment = \"flip,shift=1,crop=2\""), "{text}");
    place.run("train --resume changed --device cpu --epochs 2");
    place.write("a.csv", table(|_| "1".to_owned()));
    place.refused(
        &format!("train {} --data a.csv --augment flip --out x", quick("")),
        &["`augment`", "lines of a table"],
    );
    place.refused(
        &format!("train {} --augment crop=8 --out x", crate::program::small("")),
        &["`augment` is crop=8", "8×8"],
    );
    place.refused("train --augment turn=90", &["turn=90", "flip-vertical"]);
}

#[test]
fn channels_are_scaled_by_the_run() {
    let place = Place::new();
    // Pictures of 3×3 whose two channels lie near 30 and near 200.
    let values: Vec<u8> =
        (0..60 * 18).map(|i| if i % 2 == 0 { 30 + (i * 7 % 10) as u8 } else { 200 + (i * 11 % 40) as u8 }).collect();
    place.write("a.npy", npy("|u1", "(60, 3, 3, 2)", &values));
    let gaussian = quick("--likelihood gaussian --epochs 4");
    let refused = format!("train {} --data a.npy --normalise --likelihood bernoulli --out x", quick(""));
    place.refused(&refused, &["scaled to mean 0", "bernoulli", "from 0 to 1", "gaussian"]);
    place.run(&format!("train {gaussian} --data a.npy --normalise --out scaled"));
    place.run(&format!("train {gaussian} --data a.npy --out plain"));
    let config = std::fs::read_to_string(place.path("scaled/config.toml")).unwrap();
    assert!(config.contains("standardise = true"), "{config}");
    // In deviations of a channel errors are larger than in parts of 255.
    assert!((loss(&place, "scaled") - loss(&place, "plain")).abs() > 1.0);
    // What comes out is in the numbers of the file: a mean near 35/255 and 220/255, from the first epochs on.
    place.run("reconstruct scaled --device cpu --out again.npy");
    let bytes = std::fs::read(place.path("again.npy")).unwrap();
    let start = 10 + u16::from_le_bytes([bytes[8], bytes[9]]) as usize;
    let again: Vec<f32> =
        bytes[start..].chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    let mean = |channel: usize| {
        let all: Vec<f32> = again.iter().skip(channel).step_by(2).copied().collect();
        all.iter().sum::<f32>() / all.len() as f32
    };
    assert!((mean(0) - 35.0 / 255.0).abs() < 0.03 && (mean(1) - 220.0 / 255.0).abs() < 0.06, "{} {}", mean(0), mean(1));
    // Going on finds the scales that there were.
    place.run("train --resume scaled --device cpu --epochs 5");
    place.run("evaluate scaled --device cpu --quick --data a.npy");
    place.run("sample scaled --device cpu --count 4 --out new.png");
}

#[test]
fn new_lines_have_the_label_that_they_are_drawn_for() {
    let place = Place::new();
    place.write("a.csv", table(|_| "1".to_string()));
    let train = |model: &str| {
        let usual = quick("--label kind --ignore count");
        place.run(&format!("train {usual} --data a.csv --model {model} --out {model}"));
    };
    let lines = |options: &str| -> Vec<String> {
        place.run(&format!("sample {options} --device cpu --force --out new.csv"));
        let text = std::fs::read_to_string(place.path("new.csv")).unwrap();
        text.lines().map(|line| line.splitn(3, ',').nth(2).unwrap_or("none").to_string()).collect()
    };
    train("cvae");
    assert_eq!(lines("cvae --count 4"), ["kind", "a", "a", "b", "b"]);
    assert_eq!(lines("cvae --count 3 --label b"), ["kind", "b", "b", "b"]);
    // A model that is told nothing makes none.
    train("vae");
    assert_eq!(lines("vae --count 2"), ["none"; 3]);
}
