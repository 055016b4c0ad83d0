//! Files of ONNX, read back field by field and computed by hand.

use std::collections::{BTreeSet, HashMap};
use std::fs;

use serde_json::Value;

use crate::common::protobuf::Message;
use crate::program::Place;

/// f32 sums of a few dozen terms in another order.
const NEAR: f64 = 1e-5;

/// A file.
struct File {
    graph: Message,
    opset: u64,
    metadata: HashMap<String, String>,
}

/// A tensor: its sizes and numbers.
#[derive(Clone, Debug)]
struct Tensor {
    sizes: Vec<usize>,
    numbers: Vec<f64>,
}

impl File {
    fn read(place: &Place, name: &str) -> File {
        let model = Message::read(&fs::read(place.path(name)).expect("a file"));
        assert_eq!(
            (model.number(1), model.text(2).as_str()),
            (8, "elbo"),
            "the version of the format, and who wrote it"
        );
        let metadata = model.messages(14).iter().map(|entry| (entry.text(1), entry.text(2))).collect();
        File { graph: model.message(7), opset: model.message(8).number(2), metadata }
    }

    /// Inputs or outputs: names, and sizes as text.
    fn ports(&self, field: u64) -> Vec<(String, Vec<String>)> {
        let size = |dim: &Message| if dim.text(2).is_empty() { dim.number(1).to_string() } else { dim.text(2) };
        let port = |port: &Message| {
            let shape = port.message(2).message(1).message(2);
            (port.text(1), shape.messages(1).iter().map(size).collect())
        };
        self.graph.messages(field).iter().map(port).collect()
    }

    fn kinds(&self) -> Vec<String> {
        self.graph.messages(1).iter().map(|node| node.text(4)).collect()
    }

    /// Constants: floats, and whole numbers as such.
    fn constants(&self) -> HashMap<String, Tensor> {
        let constant = |tensor: &Message| {
            let raw = tensor.all(9).next().expect("numbers").bytes().to_vec();
            let numbers = match tensor.number(2) {
                1 => raw.chunks(4).map(|b| f64::from(f32::from_le_bytes(b.try_into().expect("four bytes")))).collect(),
                7 => raw.chunks(8).map(|b| i64::from_le_bytes(b.try_into().expect("eight bytes")) as f64).collect(),
                other => panic!("elements of type {other}"),
            };
            (tensor.text(8), Tensor { sizes: tensor.numbers(1).iter().map(|&n| n as usize).collect(), numbers })
        };
        self.graph.messages(5).iter().map(constant).collect()
    }

    /// Each name is made before it is read, by one alone, and every constant is read.
    fn check(&self) {
        let constants = self.constants();
        let mut made: BTreeSet<String> = constants.keys().cloned().collect();
        assert_eq!(made.len(), self.graph.messages(5).len(), "two constants of one name");
        for (name, tensor) in &constants {
            assert_eq!(tensor.sizes.iter().product::<usize>(), tensor.numbers.len(), "{name}");
        }
        made.extend(self.ports(11).into_iter().map(|(name, _)| name));
        let mut read = BTreeSet::new();
        for node in self.graph.messages(1) {
            for input in node.texts(1) {
                assert!(made.contains(&input), "{} reads {input} before it is made", node.text(3));
                read.insert(input);
            }
            assert!(made.insert(node.text(2)), "{} is made twice", node.text(2));
        }
        let unread: Vec<&String> = constants.keys().filter(|name| !read.contains(*name)).collect();
        assert!(unread.is_empty(), "{unread:?} are read by nothing");
        self.ports(12).iter().for_each(|(name, _)| assert!(made.contains(name), "{name} is not made"));
    }

    /// Computes a multilayer perceptron from its nodes.
    fn compute(&self, inputs: &[(&str, Tensor)]) -> HashMap<String, Tensor> {
        let mut known = self.constants();
        known.extend(inputs.iter().map(|(name, tensor)| (name.to_string(), tensor.clone())));
        for node in self.graph.messages(1) {
            let args: Vec<&Tensor> = node.texts(1).iter().map(|name| &known[name]).collect();
            let attribute = |name: &str| {
                node.messages(5).iter().find(|attribute| attribute.text(1) == name).map(|attribute| attribute.number(3))
            };
            let each = |of: fn(f64) -> f64| Tensor {
                sizes: args[0].sizes.clone(),
                numbers: args[0].numbers.iter().map(|&x| of(x)).collect(),
            };
            let made = match node.text(4).as_str() {
                "Identity" => args[0].clone(),
                "Reshape" => {
                    let count = args[0].numbers.len();
                    let fixed: f64 = args[1].numbers.iter().filter(|&&n| n >= 0.0).product();
                    let size = |&n: &f64| if n < 0.0 { count / fixed as usize } else { n as usize };
                    Tensor { sizes: args[1].numbers.iter().map(size).collect(), numbers: args[0].numbers.clone() }
                }
                "Gemm" => {
                    assert_eq!(attribute("transB"), Some(1), "weights lie as [outputs, inputs]");
                    gemm(args[0], args[1], &args[2].numbers)
                }
                "Sigmoid" => each(|x| 1.0 / (1.0 + (-x).exp())),
                "Tanh" => each(f64::tanh),
                "Relu" => each(|x| x.max(0.0)),
                "Mul" => {
                    assert_eq!(args[0].sizes, args[1].sizes);
                    let numbers = args[0].numbers.iter().zip(&args[1].numbers).map(|(a, b)| a * b).collect();
                    Tensor { sizes: args[0].sizes.clone(), numbers }
                }
                other => panic!("a multilayer perceptron has no {other}"),
            };
            known.insert(node.text(2), made);
        }
        known
    }
}

/// a·wᵀ + b.
fn gemm(a: &Tensor, w: &Tensor, bias: &[f64]) -> Tensor {
    let (inputs, outputs) = (a.sizes[1], w.sizes[0]);
    let row = |row: &[f64]| -> Vec<f64> {
        let dot = |w: &[f64]| w.iter().zip(row).map(|(w, x)| w * x).sum::<f64>();
        w.numbers.chunks(inputs).zip(bias).map(|(w, b)| dot(w) + b).collect()
    };
    Tensor { sizes: vec![a.sizes[0], outputs], numbers: a.numbers.chunks(inputs).flat_map(row).collect() }
}

fn far(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(a, b)| (a - b).abs() / b.abs().max(1.0)).fold(0.0, f64::max)
}

/// The numbers of a table of such without its first line.
fn table(place: &Place, name: &str) -> Vec<f64> {
    let text = fs::read_to_string(place.path(name)).expect("a table");
    text.lines().skip(1).flat_map(|line| line.split(',')).map(|cell| cell.parse().expect("a number")).collect()
}

#[test]
fn a_decoder_is_what_decode_computes() {
    let place = Place::new();
    place.train("run", "--hidden 16,8");
    let line = "export run --device cpu --to decoder.onnx --part decoder --json";
    let said: Value = serde_json::from_str(&place.run(line)).expect("JSON");
    let bytes = fs::metadata(place.path("decoder.onnx")).expect("a file").len();
    assert_eq!((said["part"].as_str(), said["bytes"].as_u64()), (Some("decoder"), Some(bytes)));
    assert_eq!(said["inputs"], serde_json::json!([{"name": "z", "sizes": [2]}]));
    let file = File::read(&place, "decoder.onnx");
    file.check();
    assert_eq!(file.opset, 18);
    let ports = |name: &str, sizes: &[&str]| vec![(name.to_string(), sizes.iter().map(ToString::to_string).collect())];
    assert_eq!(file.ports(11), ports("z", &["batch", "2"]));
    assert_eq!(file.ports(12), ports("x", &["batch", "8", "8"]));
    assert_eq!((file.metadata["elbo.part"].as_str(), file.metadata["elbo.model"].as_str()), ("decoder", "vae"));
    // A product with its bias is one node.
    assert_eq!(file.kinds().iter().filter(|kind| *kind == "Gemm").count(), 3);
    assert!(!file.kinds().contains(&"Add".to_string()));

    place.write("codes.csv", "a,b\n0,0\n1.25,-0.5\n-2,0.75\n");
    place.run("decode run --device cpu --codes codes.csv --out rows.csv");
    let expected = table(&place, "rows.csv");
    let codes = |numbers: Vec<f64>| Tensor { sizes: vec![3, 2], numbers };
    let made = file.compute(&[("z", codes(vec![0.0, 0.0, 1.25, -0.5, -2.0, 0.75]))]);
    assert_eq!(made["x"].sizes, [3, 8, 8]);
    assert!(far(&made["x"].numbers, &expected) < NEAR, "{}", far(&made["x"].numbers, &expected));
    // Other codes are other rows.
    let other = file.compute(&[("z", codes(vec![0.0, 0.1, 1.25, -0.5, -2.0, 0.75]))]);
    assert!(far(&other["x"].numbers, &expected) > 10.0 * NEAR);
}

#[test]
fn parts_have_their_inputs_and_outputs() {
    let place = Place::new();
    place.train("run", "");
    let named = |name: &str, field: u64| -> Vec<String> {
        let file = File::read(&place, name);
        file.check();
        file.ports(field).into_iter().map(|(name, sizes)| format!("{name} {}", sizes.join("×"))).collect()
    };
    let said = place.run("export run --device cpu --to all.onnx");
    assert!(
        said.contains("Inputs: x [batch, 8, 8]; outputs: mean [batch, 2], sd [batch, 2], reconstruction [batch, 8, 8]"),
        "{said}"
    );
    assert_eq!(named("all.onnx", 11), ["x batch×8×8"]);
    assert_eq!(named("all.onnx", 12), ["mean batch×2", "sd batch×2", "reconstruction batch×8×8"]);
    place.run("export run --device cpu --to encoder.onnx --part encoder --batch 4");
    assert_eq!(named("encoder.onnx", 11), ["x 4×8×8"]);
    assert_eq!(named("encoder.onnx", 12), ["mean 4×2", "sd 4×2"]);
    // Convolutions are such, each with its bias, and what lies between them stays channel by channel.
    place.train_network("conv", "conv:4,8,hidden=8");
    place.run("export conv --device cpu --to conv.onnx --part decoder");
    let kinds = File::read(&place, "conv.onnx").kinds();
    let count = |kind: &str| kinds.iter().filter(|found| *found == kind).count();
    assert_eq!([count("ConvTranspose"), count("Transpose"), count("Add")], [2, 2, 0], "{kinds:?}");
    // Of codes that are vectors of a codebook, which they are.
    place.train("vq", "--model vq-vae --latent 4");
    place.run("export vq --device cpu --to vq.onnx --part encoder");
    assert!(named("vq.onnx", 12).iter().any(|port| port.starts_with("indices batch×")));
}

#[test]
fn what_has_no_form_in_onnx_is_said() {
    let place = Place::new();
    place.train("run", "");
    place.train("gan", "--model gan");
    place.train("labels", "--model classifier");
    for (line, words) in [
        ("export run --to a.onnx --part head", &["encoder or decoder or autoencoder or classifier"][..]),
        ("export run --to a.onnx --part classifier", &["cannot tell labels", "an m2 or a classifier"]),
        ("export gan --to a.onnx", &["cannot give rows codes"]),
        ("export labels --to a.onnx --part decoder", &["cannot make rows of codes"]),
        ("export run --to a.onnx --batch 0", &["--batch"]),
        ("export run --to a.onnx --with-data", &["--with-data", ".onnx"]),
        ("export run --to a.onnx --data other.npy", &["--data", ".onnx"]),
        ("export run --to a.html --part decoder", &["--part", ".html"]),
        ("export run --to a.json --batch 3", &["--batch", ".json"]),
        ("export run --to run/config.onnx/a.onnx", &["run/config.onnx"]),
    ] {
        place.refused(&format!("{line} --device cpu"), words);
    }
}
