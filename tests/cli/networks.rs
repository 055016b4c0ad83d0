//! Networks for pictures in whole runs: any size and any channels, every model, and what they cannot be given.

use crate::program::Place;

/// The networks for pictures, small.
const NETWORKS: [&str; 5] = [
    "conv:4,6,hidden=8,norm=batch",
    "burgess:3,3,hidden=6",
    "keras-conv:4,4,hidden=6",
    "dcgan:4,8,norm=batch",
    "resnet:6,inner=4,blocks=1,shrink=2,norm=batch",
];

/// Writes an array of 40 pictures of bars, brighter from channel to channel, and the label of each: where its bar is.
fn pictures(place: &Place, name: &str, [height, width, channels]: [usize; 3]) {
    let value = |row: usize, i: usize| {
        let (x, channel) = (i / channels % width, i % channels);
        if x % 3 == row % 3 { (channel + 1) as f32 / (channels + 1) as f32 } else { 0.05 * (row % 7) as f32 }
    };
    let rows = (0..40).flat_map(|row| (0..height * width * channels).map(move |i| value(row, i)));
    place.write_array(&format!("{name}.npy"), &[height, width, channels], &rows.collect::<Vec<f32>>());
    let labels: Vec<f32> = (0..40).map(|row| (row % 3) as f32).collect();
    place.write_array(&format!("{name}.labels.npy"), &[], &labels);
}

fn usual(data: &str) -> String {
    format!("train --device cpu --data {data}.npy --batch 10 --validation 8 --latent 3 --preset classic")
}

/// The ELBO of a run's test rows, bit for bit.
fn elbo(place: &Place, run: &str) -> f64 {
    let line = place.run(&format!("evaluate {run} --device cpu --json --quick"));
    let found: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    found["elbo"].as_f64().expect("a number")
}

/// 28 rows in batches of 10 leave a batch of 8.
#[test]
fn pictures_of_any_size_and_channels_are_learnt_kept_and_gone_on_with() {
    let place = Place::new();
    for (network, size) in NETWORKS.into_iter().zip([[7, 10, 1], [9, 8, 2], [6, 5, 3], [5, 7, 4], [10, 6, 3]]) {
        let name = network.split(':').next().unwrap();
        pictures(&place, name, size);
        let train = |epochs: usize, run: &str| {
            place.run(&format!("{} --epochs {epochs} --encoder {network} --out {name}-{run}", usual(name)));
        };
        train(2, "two");
        place.run(&format!("sample {name}-two --device cpu --count 3 --out {name}-new.npy"));
        let head = std::fs::read(place.path(&format!("{name}-new.npy"))).unwrap();
        let [height, width, channels] = size;
        let shape = match channels {
            1 => format!("'shape': (3, {height}, {width}, )"),
            _ => format!("'shape': (3, {height}, {width}, {channels}, )"),
        };
        assert!(String::from_utf8_lossy(&head[..128]).contains(&shape), "{network}");
        let run = format!("{name}-two");
        let before = elbo(&place, &run);
        assert_eq!(before, elbo(&place, &run), "{network}");
        place.run(&format!("train --resume {run} --epochs 3 --device cpu"));
        assert_ne!(before, elbo(&place, &run), "{network}: a third epoch changes it");
        // The same epochs in one go leave the same weights, and the same statistics of batches.
        train(3, "three");
        assert_eq!(elbo(&place, &run), elbo(&place, &format!("{name}-three")), "{network}");
    }
}

/// What a network is told stands beside its pixels where the code is a picture itself.
#[test]
fn networks_for_pictures_are_told_labels() {
    let place = Place::new();
    pictures(&place, "bars", [8, 9, 2]);
    for (name, model, network, latent) in [
        ("spatial", "cvae", "resnet:6,inner=4,blocks=1,shrink=2,code=spatial", 12),
        ("vector", "cvae", "resnet:6,inner=4,blocks=1,shrink=2", 3),
        ("stack", "cvae", "conv:4,6,hidden=0,norm=batch", 3),
        ("keras", "cvae", "keras-conv:4,4,hidden=6", 3),
        ("semi", "m2", "conv:4,hidden=6,norm=batch", 3),
        ("classes", "classifier", "dcgan:4,norm=batch", 3),
        ("layers", "ladder", "conv:4,hidden=6,norm=batch", 3),
        ("normal-layers", "ladder", "mlp:6,norm=batch", 3),
        ("up", "hierarchical", "residual:6,blocks=1,norm=batch", 3),
        ("told", "cvae", "mlp:6,norm=batch", 3),
        ("all-labels", "m2", "mlp:6,norm=layer", 3),
    ] {
        let few = if model == "m2" { "--labels 9" } else { "" };
        place.run(&format!(
            "{} --epochs 1 --model {model} --encoder {network} --latent {latent} {few} --out {name}",
            usual("bars").replace("--latent 3 ", "")
        ));
        place.run(&format!("evaluate {name} --device cpu --quick"));
        if model == "cvae" {
            place.run(&format!("sample {name} --device cpu --label 1 --count 4 --out {name}-one.npy"));
            place.run(&format!("sample {name} --device cpu --label 2 --count 4 --out {name}-two.npy"));
            let [one, two] = ["one", "two"].map(|of| std::fs::read(place.path(&format!("{name}-{of}.npy"))).unwrap());
            assert_ne!(one, two, "{name}: labels are heard");
        }
    }
}

#[test]
fn what_networks_for_pictures_cannot_be_given_is_refused() {
    let place = Place::new();
    pictures(&place, "small", [6, 5, 3]);
    pictures(&place, "large", [12, 12, 3]);
    pictures(&place, "bars", [8, 9, 2]);
    place.write("table.csv", "a,b,c\n1,2,3\n4,5,6\n7,8,9\n2,3,1\n0,1,1\n5,5,5\n");
    place.write_npy("rows.npy", 4, &(0..80).map(|i| (i % 9) as f32 / 9.0).collect::<Vec<_>>());
    let train =
        |options: &str, words: &[&str]| place.refused(&format!("{} --out run {options}", usual("small")), words);
    for network in ["conv:4,4,4,4", "burgess", "keras-conv:4,4,4,4,4", "dcgan", "resnet:4,shrink=5"] {
        train(&format!("--encoder {network}"), &["a picture of 6×5×3 is one pixel after 3 layers of stride 2", "out"]);
    }
    for (options, words) in [
        ("--encoder conv:6,norm=group,groups=4", &["4 groups do not divide 6 channels", "1, 2, 3, 6"][..]),
        ("--encoder resnet:6,inner=5,shrink=1,norm=group,groups=2", &["2 groups do not divide 5 channels"]),
        ("--encoder conv:4,4,4,norm=instance", &["leaves nothing", "norm=instance", "norm=batch"]),
        ("--encoder dcgan:4,norm=batches", &["`norm`", "batches", "batch, layer, instance"]),
        ("--encoder conv:4,kernel=2,stride=3", &["kernel of at least 3"]),
        ("--encoder resnet:6,shrink=1,code=spatial", &["a code of 3 numbers", "multiple of 9"]),
        ("--encoder conv:4 --decoder burgess", &["chosen as decoder", "one pixel after 3 layers"]),
        ("--encoder conv:4,norm=batch --batch 1", &["`batch` is 1", "norm=layer"]),
        ("--encoder mlp:4,norm=batch --batch 1", &["`mlp:hidden=4,norm=batch`", "`batch` is 1", "norm=layer"]),
        ("--encoder mlp:4,1,norm=layer", &["one unit", "norm=layer leaves nothing", "norm=batch"]),
        ("--model ladder --upper 1 --encoder mlp:8,3,norm=layer", &["between the layers", "one unit", "norm=batch"]),
        ("--encoder residual:4,norm=group", &["`norm`", "group", "none, batch, layer"]),
        ("--encoder conv:4 --decoder dcgan:4,norm=batch --batch 1", &["`dcgan:channels=4,norm=batch`", "`batch` is 1"]),
        ("--encoder conv:4,norm=batch --prior vampprior:components=4", &["`vampprior`", "inputs of its own"]),
    ] {
        let mut line = format!("{} --out run", usual("small"));
        if options.contains("--batch") {
            line = line.replace("--batch 10 ", "");
        }
        place.refused(&format!("{line} {options}"), words);
    }
    place.refused(
        &format!("{} --likelihood discretized-logistic-mixture:channels=3 --out run", usual("bars")),
        &["chains 3 channels", "these rows are 8×9×2", "leave `channels` out"],
    );
    for network in NETWORKS {
        for data in ["table.csv", "rows.npy"] {
            let line = format!(
                "train --device cpu --data {data} --batch 2 --epochs 1 --latent 2 --encoder {network} --out run"
            );
            place.refused(&line, &["are no pictures", "`mlp` and `residual`"]);
        }
    }
    // M2's classifier has the encoder's layers, and three labels are no picture.
    let line = format!("{} --model m2 --labels 9 --encoder resnet:6,inner=4,shrink=2,code=spatial", usual("bars"));
    place.refused(
        &format!("{} --latent 12 --out run", line.replace("--latent 3 ", "")),
        &["a code of 3 numbers", "code=vector"],
    );
    // A run is of pictures of one size, and its weights are of one network.
    place.run(&format!("{} --epochs 1 --encoder conv:4,6,norm=batch --out kept", usual("small")));
    place.refused("evaluate kept --device cpu --data large.npy", &["12×12×3", "6×5×3"]);
    place.refused("score kept --device cpu --data rows.npy --out scores.csv", &["6×5×3"]);
    place.refused("train --resume kept --epochs 2 --encoder conv:4,6 --device cpu", &["`encoder` would change"]);
    let changed = |run: &str, [from, to]: [&str; 2], words: &[&str]| {
        let file = format!("{run}/config.toml");
        let config = std::fs::read_to_string(place.path(&file)).unwrap();
        assert!(config.contains(from), "{config}");
        place.write(&file, config.replace(from, to));
        place.refused(&format!("evaluate {run} --device cpu --quick"), words);
    };
    changed("kept", ["channels=4,6", "channels=4,8"], &["encoder.1"]);
    place.run(&format!("{} --epochs 1 --encoder conv:4,6,norm=layer --out other", usual("small")));
    changed("other", ["norm=layer", "norm=batch"], &["encoder.0.norm.mean"]);
}
