//! What a trained model is used for, with files on both sides.

use std::fs;
use std::process::Stdio;

use serde_json::Value;

use crate::program::Place;

pub fn cells(place: &Place, name: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(place.path(name)).expect("a file");
    text.lines().map(|line| line.split(',').map(String::from).collect()).collect()
}

/// The upper left and the upper right of four pictures on a sheet.
fn image_of(place: &Place, name: &str) -> [Vec<u8>; 2] {
    let picture = image::open(place.path(name)).expect("a picture").to_luma8();
    let half = picture.width() / 2;
    // A margin of 16 pixels, and a gap of 4 between two.
    [16, half + 2].map(|left| {
        let rows = (16..half - 4).flat_map(|y| (left..left + half - 20).map(move |x| (x, y)));
        rows.map(|(x, y)| picture.get_pixel(x, y).0[0]).collect()
    })
}

pub fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Rows of a table whose columns follow from one number, and of which the last `odd` do not.
pub fn table(rows: usize, odd: usize) -> String {
    let mut text = "name,size,weight,kind,state\n".to_string();
    for i in 0..rows {
        let t = (i * 37 % 100) as f64 / 50.0 - 1.0;
        let is_odd = i + odd >= rows;
        let weight = if is_odd { 5.0 - 4.0 * t } else { 5.0 + 4.0 * t };
        let state = if is_odd { "broken" } else { "fine" };
        text +=
            &format!("n{i:04},{:.3},{weight:.3},{},{state}\n", 20.0 + 5.0 * t, if t > 0.0 { "big" } else { "small" });
    }
    text
}

pub fn with_table() -> Place {
    let place = Place::new();
    place.write("things.csv", table(300, 0));
    place.write("new.csv", table(60, 10));
    place.run("train --device cpu --data things.csv --ignore state --epochs 150 --latent 2 --hidden 32 --out run");
    place
}

#[test]
fn codes_of_a_table_keep_their_names_and_decode_to_its_rows() {
    let place = with_table();
    let said = json(&place.run("encode run --device cpu --data new.csv --draws 2 --out codes.csv --json"));
    assert_eq!((said["rows"].as_u64(), said["latent"].as_u64()), (Some(60), Some(2)));
    let codes = cells(&place, "codes.csv");
    let names = "row,name,mean_0,mean_1,sd_0,sd_1,draw_1_0,draw_1_1,draw_2_0,draw_2_1";
    assert_eq!((codes[0].join(",").as_str(), codes.len(), codes[8][1].as_str()), (names, 61, "n0007"));
    let number = |row: &[String], column: usize| row[column].parse::<f64>().expect("a number");
    // Draws lie around their means, as far off as the deviations say.
    let off = |row: &[String]| (number(row, 6) - number(row, 2)) / number(row, 4);
    let squares = codes[1..].iter().map(|row| off(row).powi(2)).sum::<f64>() / 60.0;
    assert!((0.5..1.8).contains(&squares), "{squares}");
    assert!(codes[1..].iter().any(|row| row[6] != row[8]), "the two draws differ");

    place.run("decode run --device cpu --codes codes.csv --out again.csv");
    let again = cells(&place, "again.csv");
    assert_eq!((again[0].join(","), again.len()), ("row,name,size,weight,kind".to_string(), 61));
    // The rows that are as those that were learnt come back; one that is not does not.
    let given = cells(&place, "new.csv");
    let errors = |rows: std::ops::Range<usize>| {
        let of = |i: usize| (number(&again[i], 3) - number(&given[i], 2)).abs();
        rows.clone().map(of).sum::<f64>() / rows.len() as f64
    };
    assert!(errors(1..51) < 0.6 && errors(51..61) > 2.0 * errors(1..51), "{} {}", errors(1..51), errors(51..61));

    // The same codes as an array make the same rows.
    place.run("encode run --device cpu --data new.csv --out codes.npy");
    place.run("decode run --device cpu --codes codes.npy --out third.csv");
    let third = cells(&place, "third.csv");
    assert!(again.iter().zip(&third).all(|(again, third)| again[2..] == third[..]));
    place.run("encode run --device cpu --data new.csv --draws 3 --out codes.npz");
    assert!(fs::metadata(place.path("codes.npz")).expect("a file").len() > 4 * 60 * 2 * 5);

    place.write("narrow.csv", "a,b,c\n1,2,3\n");
    place.write("words.csv", "mean_0,mean_1\n1,x\n");
    place.refused("encode run --device cpu --out codes.txt", &["codes.txt", "ends in .csv, .npy, .npz or .parquet"]);
    place.refused(
        "decode run --device cpu --codes narrow.csv --out rows.csv",
        &["narrow.csv", "2 dimensions", "mean_0 to mean_1"],
    );
    place.refused(
        "decode run --device cpu --codes words.csv --out rows.csv",
        &["words.csv", "row 0 holds `x`", "mean_1"],
    );
    place.refused("decode run --device cpu --codes codes.csv --out rows.png", &["rows.png", "ends in .csv"]);
    place.refused("encode nowhere --out codes.csv", &["nowhere does not exist"]);
    // Neither what is read nor a file of the run is written over.
    place.refused(
        "decode run --device cpu --codes codes.csv --out codes.csv",
        &["codes.csv", "data that is read", "--force"],
    );
    place.refused("encode run --device cpu --out run/metrics.csv", &["metrics.csv", "a file of the run", "--force"]);
    // What a command made before, it may make again.
    place.run("encode run --device cpu --out own.csv");
    place.run("encode run --device cpu --out own.csv");
}

#[test]
fn a_plain_autoencoder_is_told_what_it_lacks() {
    let place = Place::new();
    place.train("ae", "--model ae");
    place.run("encode ae --device cpu --out codes.csv");
    let codes = cells(&place, "codes.csv");
    assert!(codes[1..].iter().all(|row| row[4] == "0" && row[5] == "0"), "codes of points have no spread");
    place.run("score ae --device cpu --scores latent,elbo,ssim,squared_error --out scores.csv");
    place.refused("score ae --device cpu --scores likelihood", &["cannot give rows a likelihood"]);
    place.refused(
        "compress ae --data sprites --out rows.elbo",
        &["cannot compress rows without loss", "discretized-logistic"],
    );
}

#[test]
fn pictures_are_scored_interpolated_and_traversed() {
    let place = Place::new();
    place.train("run", "--epochs 3");
    place.run("score run --device cpu --scores complexity,elbo --top 4 --sheet sheet.png --out scores.csv");
    place.run("interpolate run --device cpu --from 0 --to 1 --steps 5 --out between.csv");
    let between = cells(&place, "between.csv");
    let times: Vec<&str> = between[1..].iter().map(|row| row[0].as_str()).collect();
    assert_eq!(
        (times, &between[0][1..4]),
        (vec!["0", "0.25", "0.5", "0.75", "1"], &["z_0", "z_1", "x_0"].map(String::from)[..])
    );
    // The ends are the codes of the two rows.
    place.run("encode run --device cpu --out codes.csv");
    let codes = cells(&place, "codes.csv");
    assert_eq!((&between[1][1..3], &between[5][1..3]), (&codes[1][2..4], &codes[2][2..4]));
    place.run("interpolate run --device cpu --from 0 --to 1 --way spherical --out between.gif");
    place.run("traverse run --device cpu --steps 3 --out dimensions.csv");
    let rows = cells(&place, "dimensions.csv");
    assert_eq!((rows.len(), rows[0][..3].join(",")), (7, "dimension,kl,z".to_string()));
    let kl = |row: &[String]| row[1].parse::<f64>().expect("a number");
    assert!(kl(&rows[1]) >= kl(&rows[4]) && rows[1][0] != rows[4][0], "those that say most come first");
    for out in ["dimensions.png", "dimensions.gif", "dimensions.apng", "dimensions.npy"] {
        place.run(&format!("traverse run --device cpu --out {out}"));
    }
    let said = place.run("latent run --device cpu --row 3 --neighbours 2 --out map.png");
    for expected in ["of 2 dimensions are in use", "goes with", "near row 3"] {
        assert!(said.contains(expected), "nothing about {expected}:\n{said}");
    }
    place.run("latent run --device cpu --out dims.csv");
    assert!(cells(&place, "dims.csv")[0].contains(&"shape".to_string()), "the factors are there");
    let bars: Vec<f32> =
        (0..6400).map(|i| if i % 8 == i / 64 % 8 { 0.9 } else { (i % 64 + i / 64) as f32 / 200.0 }).collect();
    place.write_array("bars.npy", &[8, 8], &bars);
    let said = place.run("latent run --device cpu --data bars.npy --map tsne --map-rows 60 --out map.csv");
    assert!(said.contains("by tsne: 60 of 100 rows"), "{said}");
    let map = cells(&place, "map.csv");
    let last: usize = map[60][0].parse().expect("a number");
    assert_eq!((map.len(), map[0].join(","), map[1][0].as_str()), (61, "row,map_1,map_2".to_string(), "0"));
    assert!(last == 98 && map[1..].iter().all(|row| row[1].parse::<f64>().is_ok_and(f64::is_finite)), "{last}");
    place.run("latent run --device cpu --data bars.npy --map tsne --map-rows 60 --out again.csv");
    assert_eq!(cells(&place, "again.csv"), map);
    place.run("latent run --device cpu --data bars.npy --map pca --map-rows 60 --out map.png");
    place.refused("latent run --device cpu --map tsne", &["--out"]);
    place.refused("latent run --device cpu --map flat --out x.png", &["pca or tsne"]);
    place.refused("latent run --device cpu --map tsne --out x.npy", &["x.npy", ".png, .csv or .parquet"]);
    // At no temperature all rows are that in the middle.
    for (temperature, alike) in [("0", true), ("0.7", false)] {
        place.run(&format!("sample run --device cpu --count 4 --temperature {temperature} --out some.png"));
        let image = image_of(&place, "some.png");
        assert_eq!(image[0] == image[1], alike, "at {temperature}");
    }
    place.refused("sample run --device cpu --temperature -1", &["temperature", "-1"]);
    place.refused("interpolate run --device cpu --from 0 --to 99999 --out x.png", &["no row 99999"]);
    place.refused("interpolate run --device cpu --from 0 --to 1 --way bent --out x.png", &["linear or spherical"]);
    place.refused("traverse run --device cpu --out x.txt", &["x.txt", ".png, .gif, .apng, .npy, .csv or .parquet"]);
}

#[test]
fn rows_come_back_bit_by_bit_or_not_at_all() {
    let place = Place::new();
    place.train("run", "--likelihood discretized-logistic --epochs 2 --count 300");
    place.train("other", "--likelihood discretized-logistic --epochs 1 --count 300");
    let packed = json(&place.run("compress run --data sprites --out rows.elbo --compare --json"));
    assert!(
        packed["bits_per_dimension"].as_f64().expect("a number") < 8.0 && packed["beside"]["png"].is_number(),
        "{packed}"
    );
    let unpacked = json(&place.run("decompress rows.elbo --run run --out rows.npy --json"));
    assert_eq!(packed["bits_per_dimension"], unpacked["bits_per_dimension"]);
    // The rows that came back compress to the same file, of which the rows that went in are the only ones.
    place.run("compress run --data rows.npy --out again.elbo --threads 1");
    let bytes = fs::read(place.path("rows.elbo")).expect("a file");
    assert!(bytes == fs::read(place.path("again.elbo")).expect("a file"), "other rows");
    let rows = fs::read(place.path("rows.npy")).expect("a file");
    assert!(rows.windows(8).filter(|window| window.iter().any(|&byte| byte != 0)).count() > 100, "not all is dark");

    // Through pipes, the model being in the file; and as pictures.
    let sent = place.elbo("compress run --data rows.npy --with-model --out -").output().expect("it starts");
    assert!(sent.status.success());
    place.write("sent.elbo", &sent.stdout);
    place.run("decompress sent.elbo --out received.npy");
    assert_eq!(fs::read(place.path("received.npy")).expect("a file"), rows);
    let input = fs::File::open(place.path("sent.elbo")).expect("a file");
    let piped = place.elbo("decompress - --out -").stdin(Stdio::from(input)).output().expect("it starts");
    assert!(piped.status.success() && piped.stdout == rows);
    place.run("decompress rows.elbo --run run --out pictures");
    let count = fs::read_dir(place.path("pictures")).expect("a folder").count();
    assert_eq!(packed["rows"].as_u64(), Some(count as u64));

    place.refused("decompress rows.elbo --out x.npy", &["rows.elbo", "--run"]);
    place.refused("decompress rows.elbo --run other --out x.npy", &["another model"]);
    place.refused("decompress rows.npy --run run --out x.npy", &["rows.npy", "no file that `elbo compress` wrote"]);
    place.refused("decompress rows.elbo --run run --out pictures", &["pictures is there already"]);
    place.write("short.elbo", &bytes[..bytes.len() - 9]);
    place.refused("decompress short.elbo --run run --out x.npy", &["short.elbo", "cut off"]);
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 16;
    place.write("flipped.elbo", flipped);
    place.refused("decompress flipped.elbo --run run --out x.npy", &["flipped.elbo", "checksum"]);
    place.write_array("halves.npy", &[8, 8], &[0.123_456; 128]);
    place.refused("compress run --data halves.npy --out x.elbo", &["row 0", "0.123456", "256 evenly spaced values"]);
}

#[test]
fn chained_colours_come_back_bit_by_bit_or_not_at_all() {
    const VALUES: usize = 60 * 4 * 4 * 3;
    let place = Place::new();
    // Green and blue follow red; one picture is black, and one white.
    let value = |i: usize| match i / 48 {
        0 => 0.0,
        1 => 1.0,
        row => ((row * 37 + i / 3 % 16 * 11) % 200 + 20 * (i % 3)) as f32 / 255.0,
    };
    place.write_array("colours.npy", &[4, 4, 3], &(0..VALUES).map(value).collect::<Vec<_>>());
    place.write_array("greys.npy", &[4, 12], &(0..VALUES).map(value).collect::<Vec<_>>());
    let likelihood = "discretized-logistic-mixture:components=2,channels=3";
    for (run, kind) in [("run", "vae"), ("layers", "ladder --upper 2")] {
        place.run(&format!(
            "train --device cpu --data colours.npy --validation 10 --model {kind} --encoder conv:4,hidden=8 --latent 3 --likelihood {likelihood} \
             --batch 10 --epochs 2 --out {run}"
        ));
        place.run(&format!("compress {run} --data colours.npy --out {run}.elbo"));
        place.run(&format!("decompress {run}.elbo --run {run} --out {run}.npy"));
        let values = |name: &str| {
            let bytes = fs::read(place.path(name)).expect("a file");
            bytes[bytes.len() - 4 * VALUES..].to_vec()
        };
        assert!(values(&format!("{run}.npy")) == values("colours.npy"), "{run}: other rows");
        place.run(&format!("compress {run} --data {run}.npy --out again.elbo --threads 1"));
        let bytes = fs::read(place.path(&format!("{run}.elbo"))).expect("a file");
        assert!(bytes == fs::read(place.path("again.elbo")).expect("a file"), "{run}: another file");
        fs::remove_file(place.path("again.elbo")).expect("it is there");
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 2] ^= 16;
        place.write("flipped.elbo", flipped);
        place.refused(&format!("decompress flipped.elbo --run {run} --out x.npy"), &["flipped.elbo", "checksum"]);
    }
    place.refused("decompress run.elbo --run layers --out x.npy", &["another model"]);
    place.refused("compress run --data greys.npy --out x.elbo", &["greys.npy", "4×4×3"]);
}

#[test]
fn a_model_cleans_what_it_was_trained_to_clean() {
    let place = Place::new();
    let train = "train --device cpu --data sprites --resolution 8 --count 600 --hidden 64 --latent 6 --epochs 12 --model ae --out";
    place.run(&format!("{train} cleaner --corrupt gaussian:sigma=0.5"));
    place.run(&format!("{train} plain"));
    let cleaned = |run: &str| {
        let said = json(&place.run(&format!(
            "reconstruct {run} --device cpu --corrupt gaussian:sigma=0.5 --seed 3 --out {run}.npy --json"
        )));
        ["squared_error_of_corrupted", "squared_error_of_rebuilt"].map(|key| said[key].as_f64().expect("a number"))
    };
    let ([noisy, cleaned], [again, plain]) = (cleaned("cleaner"), cleaned("plain"));
    assert_eq!(noisy, again, "the seed decides what is drawn");
    assert!(
        cleaned < 0.9 * plain && cleaned < noisy,
        "{noisy}, {cleaned} by it, {plain} by one that saw clean rows alone"
    );
    // Without noise other rows come out, and no errors are told.
    let whole = json(&place.run("reconstruct cleaner --device cpu --out whole.npy --json"));
    assert!(whole.get("squared_error_of_corrupted").is_none());
    assert_ne!(
        fs::read(place.path("whole.npy")).expect("a file"),
        fs::read(place.path("cleaner.npy")).expect("a file")
    );

    let said = place.run("reconstruct cleaner --device cpu --corrupt salt-and-pepper --count 4 --out sheet.png");
    assert!(said.contains("Mean squared error: "), "{said}");
    place.run("reconstruct cleaner --device cpu --count 4 --out two.png");
    // Corrupted rows stand between rows and reconstructions.
    let height = |name: &str| image::open(place.path(name)).expect("a picture").height();
    assert!(height("sheet.png") > height("two.png") * 5 / 4, "{} and {}", height("sheet.png"), height("two.png"));

    place.refused("reconstruct cleaner --corrupt fog --out x.png", &["there is no corruption `fog`", "gaussian"]);
    place.refused("train --corrupt mask:share=1 --out x", &["`share` of the corruption `mask` is 1"]);
    place.write("things.csv", table(60, 0));
    place.refused(
        "train --data things.csv --corrupt salt-and-pepper --out x",
        &["lines of a table", "gaussian or mask"],
    );
    assert!(!place.path("x").exists());
}

#[test]
fn how_sure_a_model_is_of_a_table_is_told_in_its_units() {
    let place = Place::new();
    // Two columns that say the same, one of ten times the other's numbers; a class that goes with them, and a count.
    let mut text = "small,large,kind,visits\n".to_string();
    for i in 0..240 {
        let t = f64::from(i * 37 % 100) / 50.0 - 1.0;
        text += &format!("{t:.3},{:.2},{},{}\n", 10.0 * t, if t > 0.0 { "up" } else { "down" }, i % 4);
    }
    place.write("rows.csv", text);
    place.run("train --device cpu --data rows.csv --epochs 150 --latent 2 --hidden 32 --column visits=count --out run");
    let line = "reconstruct run --device cpu --data rows.csv --count 60 --uncertainty 32";
    let said = json(&place.run(&format!("{line} --out sure.csv --json")));
    let rows = cells(&place, "sure.csv");
    let names = "small,small.sd_codes,small.sd_likelihood,small.sd,large,large.sd_codes,large.sd_likelihood,large.sd,kind,kind.probability,\
                 kind.sd_codes,kind.sd_likelihood,kind.sd,visits,visits.sd_codes,visits.sd_likelihood,visits.sd";
    assert_eq!((rows[0].join(",").as_str(), rows.len(), said["rows"].as_u64()), (names, 61, Some(60)));
    let number = |row: &[String], name: &str| {
        row[rows[0].iter().position(|found| found == name).expect("a column")].parse::<f64>().expect("a number")
    };
    let root = |name: &str| (rows[1..].iter().map(|row| number(row, name).powi(2)).sum::<f64>() / 60.0).sqrt();
    // Ten times the numbers, about ten times the deviations.
    let factor = root("large.sd") / root("small.sd");
    assert!((6.0..16.0).contains(&factor), "{factor}");
    for row in &rows[1..] {
        for name in ["small", "large", "kind", "visits"] {
            let of = |part: &str| number(row, &format!("{name}.{part}"));
            assert!((of("sd_codes").hypot(of("sd_likelihood")) - of("sd")).abs() < 1e-4 * (1.0 + of("sd")), "{row:?}");
        }
        // A class has the variance p(1 − p) in all.
        let p = number(row, "kind.probability");
        assert!(p >= 0.5 && (number(row, "kind.sd").powi(2) - p * (1.0 - p)).abs() < 0.03, "{row:?}");
    }
    // What is told of all rows is what the file says.
    let large = &said["columns"][1];
    assert_eq!(large["name"], "large");
    assert!((large["sd_of_likelihood"].as_f64().expect("a number") - root("large.sd_likelihood")).abs() < 1e-3);
    // Visits go with nothing, and are as unsure as they are; sizes follow from the row.
    assert!(root("visits.sd") > 0.7 && root("small.sd") < 0.45, "{} {}", root("visits.sd"), root("small.sd"));
    let said = place.run(&format!("{line} --out sure.parquet"));
    assert!(said.contains("of the likelihood") && said.contains("visits"), "{said}");
    place.run("reconstruct run --device cpu --count 5 --uncertainty 2");
    assert!(place.path("run/uncertainty.csv").is_file());
    place.refused(&format!("{line} --out sure.npy"), &["sure.npy", "the column kind holds texts"]);
    place.refused(&format!("{line} --out sure.png"), &["sure.png", ".csv"]);
    assert!(!place.path("sure.npy").exists());
}

#[test]
fn columns_of_whole_numbers_stay_whole_in_whatever_is_written() {
    let place = Place::new();
    // Ages of no long tail, prices of one, weights with decimals; a seventh of the ages and prices is not known.
    let line = |i: usize| {
        let t = (i * 37 % 101) as f64 / 50.0 - 1.0;
        let known = |number: f64, unknown: usize| match i % 7 == unknown {
            true => String::new(),
            false => format!("{number}"),
        };
        let (age, price) = ((45.0 + 30.0 * t).round(), (9.0 + 3.0 * t).exp().round());
        let kind = if i.is_multiple_of(3) { "a" } else { "b" };
        format!("{},{},{:.3},{kind}\n", known(age, 2), known(price, 5), 70.0 + 10.0 * t)
    };
    let text = "age,price,weight,kind\n".to_owned() + &(0..300).map(line).collect::<String>();
    place.write("people.csv", text);
    let said = json(&place.run("data people.csv --label kind --json"));
    let kinds: Vec<&str> = said["columns"].as_array().unwrap().iter().map(|of| of["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds[..3], ["real", "positive", "real"], "{said}");
    place.run("train --device cpu --data people.csv --label kind --epochs 20 --latent 2 --hidden 16 --out run");
    place.run("encode run --device cpu --data people.csv --out codes.csv");
    for (line, file) in [
        ("sample run --count 50", "new.csv"),
        ("sample run --count 50", "new.tsv"),
        ("augment run --per-class 20", "more.csv"),
        ("decode run --codes codes.csv", "decoded.csv"),
        ("impute run --data people.csv", "filled.csv"),
        ("impute run --data people.csv --draws 3 --interval 0.9", "drawn.csv"),
        ("reconstruct run --data people.csv", "again.csv"),
        ("traverse run", "dimensions.csv"),
    ] {
        place.run(&format!("{line} --device cpu --out {file}"));
        let text = fs::read_to_string(place.path(file)).unwrap().replace('\t', ",");
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
        let of = |name: &str| -> Vec<f64> {
            let at = lines[0].iter().position(|known| *known == name).unwrap_or_else(|| panic!("{name} in {file}"));
            lines[1..]
                .iter()
                .filter(|line| !line[at].is_empty())
                .map(|line| line[at].parse().expect("a number"))
                .collect()
        };
        let is_whole = |name: &str| of(name).iter().all(|number| number.fract() == 0.0);
        assert!(
            is_whole("age") && is_whole("price") && of("price").iter().all(|price| *price >= 1.0),
            "{file}:\n{text}"
        );
        assert!(!is_whole("weight") && of("age").len() >= 15, "{file}:\n{text}");
        if file == "drawn.csv" {
            assert!(is_whole("age.low") && is_whole("price.high"), "{text}");
        }
    }
}
