//! Tables: from a file with gaps to a model, new rows, figures by column, and the same file without gaps.

use serde_json::Value;

use crate::program::Place;

/// A table in which all columns follow from one number between −1 and 1; every seventh cell is blank, with `gaps`.
fn table(rows: usize, gaps: bool) -> String {
    let mut text = "name,size,weight,colour,visits,kind\n".to_string();
    for i in 0..rows {
        let t = (i * 37 % 100) as f64 / 50.0 - 1.0;
        let colour = ["red", "green", "blue"][((t + 1.0) * 1.49) as usize];
        let cells = [
            format!("n{i:04}"),
            format!("{:.3}", 20.0 + 5.0 * t),
            format!("{:.4}", (3.0 * t).exp()),
            colour.to_string(),
            format!("{}", (4.0 * (t + 1.0)).powi(2).floor()),
            if t > 0.0 { "big".to_string() } else { "small".to_string() },
        ];
        let shown = cells.iter().enumerate().map(|(j, cell)| {
            let is_blank = gaps && j > 0 && j < 5 && (i * 5 + j) % 7 == 0;
            if is_blank { String::new() } else { cell.clone() }
        });
        text += &(shown.collect::<Vec<_>>().join(",") + "\n");
    }
    text
}

fn trained() -> Place {
    let place = Place::new();
    place.write("things.csv", table(300, true));
    place.write("new.csv", table(40, true));
    let said =
        place.run("train --device cpu --data things.csv --label kind --column visits=count --epochs 150 --latent 2 --hidden 32 --out run");
    for expected in
        ["% of the values missing", "category (1): colour", "label (1): kind", "identity, not learnt (1): name"]
    {
        assert!(said.contains(expected), "nothing about `{expected}`:\n{said}");
    }
    place
}

fn cells(text: &str) -> Vec<Vec<String>> {
    text.lines().map(|line| line.split(',').map(String::from).collect()).collect()
}

#[test]
fn a_table_is_learnt_drawn_measured_and_filled() {
    let place = trained();
    let read = |name: &str| std::fs::read_to_string(place.path(name)).expect("a file");
    assert!(read("run/config.toml").contains("preset = \"table\""), "the preset follows from the data");
    assert!(!place.path("run/samples.png").exists() && place.path("run/latent.png").exists());

    // New rows have the columns that are learnt, whole counts and classes that there are.
    place.run("sample run --device cpu --count 200 --out drawn.csv");
    let drawn = cells(&read("drawn.csv"));
    assert_eq!((drawn[0].join(","), drawn.len()), ("size,weight,colour,visits".to_string(), 201));
    for row in &drawn[1..] {
        assert!(row[1].parse::<f64>().unwrap() > 0.0, "{row:?}");
        assert!(["red", "green", "blue"].contains(&row[2].as_str()), "{row:?}");
        assert_eq!(row[3].parse::<f64>().unwrap().fract(), 0.0, "{row:?}");
    }
    let other = place.run("sample run --device cpu --count 200 --seed 1 --out other.csv");
    assert!(other.contains("200 new rows") && read("other.csv") != read("drawn.csv"));

    // Blanks are filled, and nothing else is touched; what is filled in is closer than the mean.
    let said = place.run("impute run --device cpu --data new.csv --out filled.csv");
    let (given, filled, whole) = (cells(&read("new.csv")), cells(&read("filled.csv")), cells(&table(40, false)));
    let blanks = given.iter().flatten().filter(|cell| cell.is_empty()).count();
    assert!(said.contains(&format!("{blanks} cells of 40 rows")), "{said}");
    let (mut errors, mut of_mean, mut right, mut colours) = (0.0, 0.0, 0, 0);
    for ((given, filled), whole) in given.iter().zip(&filled).zip(&whole) {
        for (j, cell) in given.iter().enumerate() {
            match j {
                _ if !cell.is_empty() => assert_eq!(*cell, filled[j]),
                1 => {
                    let number = |cell: &str| cell.parse::<f64>().unwrap();
                    errors += (number(&filled[j]) - number(&whole[j])).powi(2);
                    of_mean += (20.0 - number(&whole[j])).powi(2);
                }
                3 => {
                    colours += 1;
                    right += usize::from(filled[j] == whole[j]);
                }
                _ => assert!(!filled[j].is_empty()),
            }
        }
    }
    assert!(errors < 0.5 * of_mean, "{errors} is not below half of {of_mean}");
    assert!(2 * right > colours, "{right} of {colours} colours are right");

    // What the model does not see may be anything, also a label that there was none of.
    place.write("odd.csv", read("new.csv").replacen(",big", ",huge", 1).replacen(",small", ",", 1));
    place.run("impute run --device cpu --data odd.csv --out odd-filled.csv");
    assert!(read("odd-filled.csv").contains(",huge"));

    // Figures by column; those of another file do not take the place of the run's own.
    place.run("evaluate run --device cpu --quick");
    let report = read("run/evaluation.json");
    let found: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(found["rows"], 30);
    let names: Vec<&str> = found["columns"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["size", "weight", "colour", "visits"]);
    let size = &found["columns"][0];
    assert!(size["error"].as_f64().unwrap() < 0.6 * size["error_of_constant"].as_f64().unwrap(), "{size}");
    let other: Value =
        serde_json::from_str(&place.run("evaluate run --device cpu --quick --data new.csv --json")).unwrap();
    assert_eq!((other["rows"].as_u64(), read("run/evaluation.json")), (Some(40), report), "all rows, and no report");
    assert!(place.run("reconstruct run --device cpu --count 5 --out again.csv").contains("again.csv"));
    assert_eq!(cells(&read("again.csv")).len(), 6);
}

#[test]
fn what_cannot_be_done_with_a_table_is_refused() {
    let place = trained();
    let new = table(40, true);
    place.write("mauve.csv", new.replacen(",red,", ",mauve,", 1));
    place.write("narrow.csv", "name,size\nx,1\n");
    place.write("ragged.csv", new.replacen("n0003,", "n0003,1,", 1));
    place.write("words.csv", "a,b\nsome,words\nand,others\nof,kinds\n");
    for (line, words) in [
        (
            "impute run --data mauve.csv --out x.csv",
            &["mauve.csv", "line ", "colour holds mauve", "blue, green, red"][..],
        ),
        ("impute run --data narrow.csv --out x.csv", &["narrow.csv", "no column weight"]),
        ("impute run --data new.csv --out new.csv", &["data that is read", "--force"]),
        ("sample run --out new.png", &["new.png", "ends in .csv"]),
        ("sample run --out drawn.npy", &["drawn.npy", "colour holds texts"]),
        ("sample run --out run/metrics.csv", &["metrics.csv", "a file of the run", "--force"]),
        ("impute run --data new.csv --out x.png", &["ends in .csv, .tsv"]),
        ("reconstruct run --out again", &["again", "ends in .csv"]),
        ("impute run --data sprites --out x.csv", &["no blanks"]),
        ("evaluate run --data ragged.csv", &["ragged.csv", "line 5 has 7 cells, and the first 6"]),
        ("train --data things.csv --label colr --out x", &["no column colr", "did you mean colour?"]),
        ("train --data things.csv --column size=tall --out x", &["the column size cannot be tall", "real, positive"]),
        ("train --data things.csv --column size --out x", &["age=count"]),
        ("train --data things.csv --binarise dynamic --out x", &["`binarise` (--binarise) is about pictures"]),
        ("train --data things.csv --likelihood bernoulli --out x", &["column size", "values from 0 to 1", "gaussian"]),
        ("train --data words.csv --out x", &["no column is left to learn from"]),
    ] {
        place.refused(&format!("{line} --device cpu"), words);
    }
    place.train("pictures", "");
    place.refused("impute pictures --device cpu --data new.csv --out x.csv", &["blanks are filled in tables"]);
}

/// A batch is no larger than the data.
#[test]
fn few_rows_make_small_batches() {
    let place = Place::new();
    place.write("few.csv", table(50, false));
    let said = place.run(
        "train --device cpu --data few.csv --validation 10 --preset table --epochs 2 --latent 1 --hidden 8 --out run",
    );
    assert!(said.contains("in batches of 35 rows"), "{said}");
    assert!(place.run("train --device cpu --resume run --epochs 3").contains("Going on after epoch 2"));
}
