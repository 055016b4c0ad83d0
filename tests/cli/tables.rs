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

    fills_again_and_again(&place);

    // One row is one row, of which nothing is known here.
    let lines: Vec<String> = read("new.csv").lines().map(String::from).collect();
    let blank = lines[1].split(',').map(|_| "").collect::<Vec<_>>().join(",");
    place.write("one.csv", format!("{}\n{blank}\n", lines[0]));
    let said = place.run("impute run --device cpu --data one.csv --out one-filled.csv");
    assert!(said.contains(" of 1 row filled in") && said.contains("known of 1 row:"), "{said}");

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

/// Draws in place of means, and bounds beside: of a trained model, with a row of which nothing is known.
fn fills_again_and_again(place: &Place) {
    let read = |name: &str| std::fs::read_to_string(place.path(name)).expect("a file");
    let (whole, given) = (cells(&table(40, false)), table(40, true) + "n9999,,,,,big\n");
    place.write("gaps.csv", &given);
    let line = "impute run --device cpu --data gaps.csv --out drawn.csv --draws 5 --interval 0.9 --json";
    let said: Value = serde_json::from_str(&place.run(line)).unwrap();
    let (given, drawn) = (cells(&given), cells(&read("drawn.csv")));
    let ends = ["size", "weight", "visits"].map(|name| format!("{name}.low,{name}.high")).join(",");
    assert_eq!(drawn[0].join(","), format!("draw,name,size,weight,colour,visits,kind,{ends}"));
    assert_eq!(drawn.len(), 1 + 5 * 41);
    let (mut inside, mut bounded, mut differ) = (0, 0, 0);
    for (i, lines) in drawn[1..].chunks(5).enumerate() {
        let row = &given[i + 1];
        for (n, line) in lines.iter().enumerate() {
            assert_eq!(line[0], (n + 1).to_string());
            for (j, cell) in row.iter().enumerate() {
                assert!(!line[j + 1].is_empty() && (cell.is_empty() || *cell == line[j + 1]), "{line:?}");
            }
            assert!(["red", "green", "blue"].contains(&line[4].as_str()), "{line:?}");
            assert_eq!(line[5].parse::<u64>().unwrap().to_string(), line[5], "counts are whole");
            assert!(line[3].parse::<f64>().unwrap() > 0.0);
            for (j, at) in [(1, 7), (2, 9), (4, 11)] {
                assert_eq!(
                    line[at].is_empty(),
                    !row[j].is_empty(),
                    "bounds stand where a number was missing: {line:?}"
                );
                let Some(whole) = whole.get(i + 1).filter(|_| row[j].is_empty()) else { continue };
                let [low, high, truth] = [&line[at], &line[at + 1], &whole[j]].map(|cell| cell.parse::<f64>().unwrap());
                assert!(low <= high, "{line:?}");
                bounded += 1;
                inside += usize::from((low..=high).contains(&truth));
            }
        }
        differ += usize::from(row[1].is_empty() && lines[1..].iter().any(|line| line[2] != lines[0][2]));
    }
    assert!(5 * inside > 4 * bounded, "{inside} of {bounded} lie inside");
    assert!(differ > 3, "draws differ");
    let (blanks, all) = (given[1..].iter().flatten().filter(|cell| cell.is_empty()).count(), &said["columns"]);
    let of_columns: u64 = all.as_array().unwrap().iter().map(|column| column["cells"].as_u64().unwrap()).sum();
    assert_eq!((said["cells"].as_u64(), of_columns), (Some(blanks as u64), blanks as u64), "{said}");
    assert_eq!((&said["empty_rows"], &said["rows"]), (&Value::from(1), &Value::from(41)), "{said}");
    assert!(said["effective_samples"].as_f64().unwrap() > 1.0, "{said}");
    let plain = place.run("impute run --device cpu --data gaps.csv --out plain.csv");
    assert!(plain.contains("Nothing is known of 1 row:") && plain.contains("effective samples"), "{plain}");
    // A column of which nothing at all is known, and one that never varies, are filled like others.
    let odd: Vec<Vec<String>> = given
        .iter()
        .skip(1)
        .map(|row| [&row[0], "", "1.5", "red", &row[4], &row[5]].map(ToString::to_string).to_vec())
        .collect();
    let text: Vec<String> = std::iter::once(given[0].join(",")).chain(odd.iter().map(|row| row.join(","))).collect();
    place.write("odd-columns.csv", text.join("\n"));
    place.run("impute run --device cpu --data odd-columns.csv --out whole.csv");
    assert!(cells(&read("whole.csv")).iter().flatten().all(|cell| !cell.is_empty()));
}

#[test]
fn what_cannot_be_done_with_a_table_is_refused() {
    let place = trained();
    let new = table(40, true);
    place.write("mauve.csv", new.replacen(",red,", ",mauve,", 1));
    place.write("narrow.csv", "name,size\nx,1\n");
    place.write("ragged.csv", new.replacen("n0003,", "n0003,1,", 1));
    place.write("lined.csv", new.lines().map(|line| format!("{line},draw\n")).collect::<String>());
    place.write("words.csv", "a,b\nsome,words\nand,others\nof,kinds\n");
    for (line, words) in [
        (
            "impute run --data mauve.csv --out x.csv",
            &["mauve.csv", "line ", "colour holds mauve", "blue, green, red"][..],
        ),
        ("impute run --data narrow.csv --out x.csv", &["narrow.csv", "no column weight"]),
        ("impute run --data lined.csv --out x.csv --draws 2", &["lined.csv", "a column draw", "give it another"]),
        ("impute run --data new.csv --out x.csv --draws 0", &["0", "1..=1000"]),
        ("impute run --data new.csv --out x.csv --interval 90", &["a share between 0 and 1"]),
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
        (
            "train --data things.csv --likelihood discretized-logistic-mixture:channels=3 --out x",
            &["chains 3 channels of each pixel", "these rows are of a table", "leave `channels` out"],
        ),
        ("train --data words.csv --out x", &["no column is left to learn from"]),
    ] {
        place.refused(&format!("{line} --device cpu"), words);
    }
    place.train("pictures", "");
    place.write("mask.png", "no picture");
    for (line, words) in [
        ("impute pictures --data new.csv --out x.csv", &["blanks are filled in tables", "--mask"][..]),
        ("impute pictures --data sprites --mask 0,0,9,4 --out x.png", &["0,0,9,4", "8 pixels across and 8 down"]),
        ("impute pictures --data sprites --mask mask.png --out x.png", &["mask.png", "no picture", "x,y,width,height"]),
        ("impute pictures --data sprites --mask none.npy --out x.png", &["none.npy"]),
        ("impute pictures --data sprites --mask 0,0,4,4 --out x.csv", &["x.csv", ".png or .npy"]),
        ("impute pictures --data sprites --mask 0,0,4,4 --out pictures", &["pictures", "a folder of the run"]),
        ("impute pictures --data sprites --mask 0,0,4,4 --out run", &["run", "already"]),
        ("impute pictures --data sprites --mask mask.png --out mask.png", &["mask.png", "--force"]),
        ("impute pictures --data sprites --mask 0,0,4,4 --interval 0.9 --out x.png", &["cannot be used with"]),
        ("impute run --data new.csv --mask 0,0,4,4 --out x.npy", &["was not trained on pictures"]),
    ] {
        place.refused(&format!("{line} --device cpu"), words);
    }
    place.train("plain", "--model ae");
    place.refused(
        "impute plain --device cpu --data sprites --mask 0,0,4,4 --out x.png",
        &["cannot give rows a likelihood"],
    );
}

/// Both parts of how sure a model is, in an array and in a picture; and what is refused.
#[test]
fn how_sure_a_model_is_of_pictures_is_told_apart() {
    let place = Place::new();
    place.train("run", "--likelihood gaussian:sigma=0.3");
    let line = "reconstruct run --device cpu --data sprites --count 5 --uncertainty 32";
    let said: Value = serde_json::from_str(&place.run(&format!("{line} --out sure.npz --json"))).unwrap();
    assert!((said["sd_of_likelihood"].as_f64().unwrap() - 0.3).abs() < 1e-6, "{said}");
    assert!(said["sd_of_codes"].as_f64().unwrap() > 1e-6, "{said}");
    let bytes = std::fs::read(place.path("sure.npz")).expect("a file");
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut array = |name: &str| {
        let array = npyz::NpyFile::new(zip.by_name(&format!("{name}.npy")).unwrap()).unwrap();
        assert_eq!(array.shape(), [5, 8, 8], "{name}");
        array.into_vec::<f32>().unwrap()
    };
    let [mean, codes, likelihood, sd] = ["mean", "sd_codes", "sd_likelihood", "sd"].map(&mut array);
    assert!(mean.iter().any(|&value| value > 0.1) && likelihood.iter().all(|sd| (sd - 0.3).abs() < 1e-6));
    for ((codes, likelihood), sd) in codes.iter().zip(&likelihood).zip(&sd) {
        assert!((codes * codes + likelihood * likelihood - sd * sd).abs() < 1e-5);
    }
    let said = place.run(&format!("{line} --out sure.png"));
    assert!(said.contains("E_z Var[x|z]") && said.contains("or more") && place.path("sure.png").is_file(), "{said}");
    // Vectors that are not scaled are no picture and no table: an archive of arrays.
    place.write_npy("rows.npy", 3, &(0..300).map(|i| (i % 7) as f32).collect::<Vec<_>>());
    place.run("train --data rows.npy --epochs 1 --hidden 8 --standardise=false --device cpu --out vectors");
    place.run("reconstruct vectors --uncertainty --device cpu");
    assert!(place.path("vectors/uncertainty.npz").is_file());
    place.train("plain", "--model ae");
    for (line, words) in [
        (
            "reconstruct plain --uncertainty --out x.png",
            &["the variance of what this model gives again is not known"][..],
        ),
        ("reconstruct run --uncertainty --out x.csv", &["x.csv", ".png or .npz"]),
        ("reconstruct run --uncertainty 1 --out x.png", &["1", "2..=10000"]),
    ] {
        place.refused(&format!("{line} --device cpu"), words);
    }
}

/// What a mask says is missing is filled, and all else stays.
#[test]
fn holes_of_pictures_are_filled() {
    let place = Place::new();
    place.train("run", "--epochs 20");
    let array = |name: &str| {
        let bytes = std::fs::read(place.path(name)).expect("a file");
        let array = npyz::NpyFile::new(&bytes[..]).unwrap();
        (array.shape().to_vec(), array.into_vec::<f32>().unwrap())
    };
    place.run("reconstruct run --device cpu --data sprites --count 6 --out again.npy");
    let line = "impute run --device cpu --data sprites --count 6 --samples 64 --mask 2,0,4,8";
    let said: Value = serde_json::from_str(&place.run(&format!("{line} --out filled.npy --json"))).unwrap();
    assert_eq!((&said["rows"], &said["values"]), (&Value::from(6), &Value::from(6 * 32)), "{said}");
    place.run(&format!("{line} --out drawn.npy --draws 3"));
    let ((shape, filled), (of_draws, drawn)) = (array("filled.npy"), array("drawn.npy"));
    assert_eq!((shape, of_draws), (vec![6, 8, 8], vec![6, 3, 8, 8]));
    let is_hole = |at: usize| (2..6).contains(&(at % 8));
    // Beside the hole all are what was given, so that they are the same; within it draws are others.
    let same = |at: usize, draw: usize| filled[at] == drawn[(at / 64 * 3 + draw) * 64 + at % 64];
    assert!((0..6 * 64).filter(|&at| !is_hole(at)).all(|at| (0..3).all(|draw| same(at, draw))));
    assert!((0..6 * 64).filter(|&at| is_hole(at)).any(|at| !same(at, 0)));
    assert!(filled.iter().all(|value| (0.0..=1.0).contains(value)));
    // The same hole as an array and as a picture.
    let keep: Vec<f32> = (0..64).map(|at| f32::from(u8::from(!is_hole(at)))).collect();
    place.write_array("mask.npy", &[8], &keep);
    image::GrayImage::from_fn(8, 8, |x, y| image::Luma([if is_hole((y * 8 + x) as usize) { 0 } else { 255 }]))
        .save(place.path("mask.png"))
        .unwrap();
    for mask in ["mask.npy", "mask.png"] {
        place.run(&format!("{line} --mask {mask} --out other.npy").replacen("--mask 2,0,4,8 ", "", 1));
        assert_eq!(array("other.npy").1, filled, "{mask}");
    }
    place.run(&format!("{line} --out folder --draws 2"));
    let names: Vec<_> = place.files().into_keys().filter(|path| path.starts_with(place.path("folder"))).collect();
    assert_eq!(names.len(), 1 + 2 + 12, "a folder for each draw: {names:?}");
    let first = image::open(place.path("folder/draw-1/0001.png")).unwrap().to_luma8();
    assert!((0..64).filter(|&at| !is_hole(at)).all(|at| first.as_raw()[at] == (filled[at] * 255.0).round() as u8));
    place.run(&format!("{line} --out sheet.png --draws 2"));
    let sheet = image::open(place.path("sheet.png")).unwrap().to_rgb8();
    let missing = sheet.pixels().filter(|pixel| pixel.0 == [255, 0, 255]).count();
    assert!(
        missing > 1000 && sheet.pixels().count() > 8 * missing,
        "half of a quarter of the tiles is missing: {missing}"
    );
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
