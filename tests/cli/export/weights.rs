//! Weights for PyTorch, and the script beside them.

use std::fs;

use elbo::engine::training::checkpoint::Checkpoint;
use serde_json::Value;

use crate::program::Place;

/// The tensors of a file.
fn tensors(place: &Place, name: &str) -> Checkpoint {
    Checkpoint::load(&place.path(name)).expect("tensors")
}

#[test]
fn a_multilayer_perceptron_has_the_names_of_a_sequence() {
    let place = Place::new();
    place.train("run", "");
    let said: Value =
        serde_json::from_str(&place.run("export run --device cpu --to w.safetensors --json")).expect("JSON");
    assert_eq!((said["tensors"].as_u64(), said["script"].as_str()), (Some(8), Some("w.py")));
    let (here, there) = (tensors(&place, "run/checkpoint.safetensors"), tensors(&place, "w.safetensors"));
    assert_eq!(there.metadata_str("format").unwrap(), "pt");
    for (own, theirs, shape) in [
        ("encoder.0.weight", "encoder.1.weight", &[16, 64][..]),
        ("encoder.0.bias", "encoder.1.bias", &[16]),
        ("head.weight", "encoder.3.weight", &[4, 16]),
        ("decoder.0.weight", "decoder.0.weight", &[16, 2]),
        ("decoder.1.weight", "decoder.2.weight", &[64, 16]),
        ("decoder.1.bias", "decoder.2.bias", &[64]),
    ] {
        assert_eq!(there.values(theirs, shape).unwrap(), here.values(own, shape).unwrap(), "{own}");
    }
    // The script is written again, and one of somebody else is not written over.
    place.run("export run --device cpu --to w.safetensors");
    place.write("mine.py", "print('mine')\n");
    place.refused("export run --device cpu --to mine.safetensors", &["mine.py", "--force"]);
    let script = fs::read_to_string(place.path("w.py")).expect("a script");
    for line in [
        "        nn.Flatten(),\n        nn.Linear(64, 16),\n        nn.SiLU(),\n        nn.Linear(16, 4),\n",
        "        nn.Linear(2, 16),\n        nn.SiLU(),\n        nn.Linear(16, 64),\n        nn.Unflatten(1, (1, 8, 8)),\n        nn.Sigmoid(),\n",
        "encoder: pictures [N, 1, 8, 8] to rows [N, 4], of which the first 2 are means\n",
        "weights = load_file(pathlib.Path(__file__).with_name(\"w.safetensors\"))\nmodel.load_state_dict(weights)\n",
    ] {
        assert!(script.contains(line), "{line}\n{script}");
    }
}

#[test]
fn kernels_and_what_is_flattened_are_turned() {
    let place = Place::new();
    place.train_network("run", "conv:4,6,hidden=8,kernel=3");
    place.run("export run --device cpu --to w.safetensors");
    let (here, there) = (tensors(&place, "run/checkpoint.safetensors"), tensors(&place, "w.safetensors"));
    // The second convolution: 6 kernels of 3×3 pixels with 4 channels.
    let own = here.values("encoder.1.weight", &[6, 36]).unwrap();
    let (_, _, theirs) = there.tensors.iter().find(|(_, shape, _)| shape[..] == [6, 4, 3, 3]).expect("kernels");
    let at = |o: usize, c: usize, y: usize, x: usize| {
        (theirs[((o * 4 + c) * 3 + y) * 3 + x], own[o * 36 + (y * 3 + x) * 4 + c])
    };
    for (o, c, y, x) in [(0, 0, 0, 0), (1, 2, 0, 1), (5, 3, 2, 0), (3, 1, 1, 2)] {
        assert_eq!(at(o, c, y, x).0, at(o, c, y, x).1);
    }
    // Of 2×2 pixels with 6 channels 8 numbers are made.
    let own = here.values("encoder.2.weight", &[8, 24]).unwrap();
    let (_, _, theirs) = there.tensors.iter().find(|(_, shape, _)| shape[..] == [8, 24]).expect("a linear layer");
    assert!((0..24).all(|i| theirs[24 + i] == own[24 + (i % 4) * 6 + i / 4]));
    assert_ne!(theirs, own);
    // Uneven padding stands in front of a convolution, and is cut off behind a transposed one.
    let script = fs::read_to_string(place.path("w.py")).expect("a script");
    assert!(script.contains("nn.ZeroPad2d((0, 1, 0, 1)),\n        nn.Conv2d(1, 4, 3, stride=2),"), "{script}");
    assert!(
        script.contains("nn.ConvTranspose2d(6, 4, 3, stride=2),\n        nn.ZeroPad2d((-0, -1, -0, -1)),"),
        "{script}"
    );
}

#[test]
fn what_is_no_line_of_layers_has_weights_alone() {
    let place = Place::new();
    let usual = "--device cpu --epochs 1 --count 100 --resolution 8 --validation 10 --latent 2 --batch 16";
    place.run(&format!("train {usual} --model cvae --hidden 6 --out run"));
    let said = place.run("export run --device cpu --to w.safetensors");
    assert!(said.contains("The encoder is no line of layers") && said.contains("The decoder is no line"), "{said}");
    assert!(!place.path("w.py").exists());
    let (here, there) = (tensors(&place, "run/checkpoint.safetensors"), tensors(&place, "w.safetensors"));
    for (name, shape, numbers) in &there.tensors {
        assert_eq!(here.values(name, shape).unwrap(), numbers, "{name}");
    }
    place.refused("export run --device cpu --to w.safetensors --part decoder", &["--part", ".onnx", ".safetensors"]);
    place
        .refused("export run --device cpu --to run/checkpoint.safetensors", &["run/checkpoint.safetensors", "--force"]);
}
