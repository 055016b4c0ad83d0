//! Every network of the list is what its formula says, has the gradient that its values have, gives the same on both devices, and
//! leads back where it came from.

mod conv;
mod image;

use std::sync::Arc;

use elbo::catalogue::{Spec, build};
use elbo::data::Shape;
use elbo::engine::cpu::Cpu;
use elbo::engine::graph::eval::{Values, evaluate};
use elbo::engine::graph::{Graph, Tensor};
use elbo::engine::nn::{Activation, Input, Known, NETWORKS, Network, Outputs};
use elbo::engine::program::{Executor, Gradients, ParameterSet, Request};

use crate::common::oracle::{Device, Numbers, values, worst, worst_against};

const ROWS: usize = 3;
const TO: usize = 3;

/// Settings that each network is tried at, such that no two sizes are equal.
fn tried(id: &str) -> &'static [&'static str] {
    match id {
        "mlp" => {
            &["mlp:5", "mlp:6,5,activation=tanh", "mlp:5,2,7,activation=elu", "mlp:6,5,norm=batch", "mlp:5,norm=layer"]
        }
        "residual" => &[
            "residual:5,blocks=1,activation=tanh",
            "residual:6,blocks=3,activation=gated",
            "residual:5,blocks=1,norm=batch",
            "residual:6,blocks=2,norm=layer,activation=gated",
        ],
        "conv" => {
            &["conv:3,2,hidden=5,4,kernel=3,activation=tanh", "conv:4,6,hidden=0,norm=group,groups=2,activation=silu"]
        }
        "burgess" => &["burgess:3,5,hidden=4,activation=gated"],
        "keras-conv" => &["keras-conv:2,3,hidden=4,activation=tanh"],
        "dcgan" => &[
            "dcgan:2,4,groups=2,activation=silu",
            "dcgan:2,4,norm=batch,activation=silu",
            "dcgan:3,norm=layer,activation=silu",
            "dcgan:3,norm=instance,activation=tanh",
        ],
        "resnet" => &[
            "resnet:4,inner=2,blocks=2,shrink=1,norm=group,groups=2,activation=silu",
            "resnet:3,inner=2,shrink=2,activation=gated",
        ],
        id => panic!("say here what the network {id} is tried at, and below what its formula is"),
    }
}

/// What a network is given: odd and not square where it is for pictures.
fn shape(spec: &Spec) -> Shape {
    match spec.id.as_str() {
        "mlp" | "residual" => Shape::vector(4),
        _ => Shape { height: 5, width: 4, channels: 2 },
    }
}

fn specs() -> Vec<Spec> {
    let all = NETWORKS.iter().flat_map(|piece| tried(piece.about.id));
    all.map(|text| text.parse().expect("it can be read")).collect()
}

fn made(spec: &Spec) -> Arc<dyn Network> {
    build(NETWORKS, spec).unwrap_or_else(|error| panic!("{spec}: {error}"))
}

/// f by its definition; a gate is what `gate` gives.
fn bend(activation: Activation, y: Vec<f64>, gate: impl FnOnce() -> Vec<f64>) -> Vec<f64> {
    let sigmoid = |v: f64| 1.0 / (1.0 + (-v).exp());
    let each = |f: fn(f64) -> f64| y.iter().map(|v| f(*v)).collect();
    match activation {
        Activation::Silu => y.iter().map(|v| v * sigmoid(*v)).collect(),
        Activation::Tanh => each(f64::tanh),
        Activation::Elu => each(|v| if v > 0.0 { v } else { v.exp_m1() }),
        Activation::Gated => y.iter().zip(gate()).map(|(y, g)| y * sigmoid(g)).collect(),
        other => panic!("say here what {other:?} is"),
    }
}

/// W x + b of one row.
fn linear(values: &Values, name: &str, x: &[f64]) -> Vec<f64> {
    let [weight, bias] = ["weight", "bias"].map(|part| &values.tensors[&format!("net.{name}.{part}")]);
    let row = |(w, b): (&[f64], &f64)| b + w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
    weight.chunks(x.len()).zip(bias).map(row).collect()
}

/// The hidden values of one row by the formula of the network, with its named parameters.
fn by_hand(spec: &Spec, values: &Values, x: &[f64]) -> Vec<f64> {
    let network = made(spec);
    let (f, layers) = (network.activation(), network.layers());
    match spec.id.as_str() {
        "mlp" => (0..layers).fold(x.to_vec(), |x, n| {
            let y = linear(values, &n.to_string(), &x);
            bend(f, conv::row_normalised(spec, values, &format!("{n}."), y), || unreachable!())
        }),
        "residual" => {
            let bent = |scope: &str, t: &[f64]| {
                let t = conv::row_normalised(spec, values, scope, t.to_vec());
                bend(f, t.clone(), || linear(values, &format!("{scope}gate"), &t))
            };
            let mut h = linear(values, "0", x);
            for k in 1..layers {
                let inner = linear(values, &format!("{k}.0"), &bent(&format!("{k}.0."), &h));
                let change = linear(values, &format!("{k}.1"), &bent(&format!("{k}.1."), &inner));
                h.iter_mut().zip(change).for_each(|(h, change)| *h += change);
            }
            bent("", &h)
        }
        "conv" | "burgess" | "keras-conv" | "dcgan" | "resnet" => conv::by_hand(spec, values, x),
        id => panic!("write here what the network {id} is by its formula"),
    }
}

/// Hidden values and outputs of some rows, with random parameters.
struct Sheet {
    graph: &'static Graph,
    values: Values,
    hidden: Tensor<'static>,
    outputs: Tensor<'static>,
}

impl Sheet {
    fn new(spec: &Spec, known: impl FnOnce(&'static Graph) -> Known<'static>, seed: u64) -> Sheet {
        let graph: &'static Graph = Box::leak(Box::new(Graph::new()));
        let (network, shape) = (made(spec), shape(spec));
        let x = graph.input("x", &[ROWS, shape.features()]);
        let to = Outputs::vector(TO);
        let hidden = network.forward("net", Input { x, shape, known: known(graph) }, to.shape);
        let outputs = network.last("last", hidden, to);
        let (mut values, mut numbers) = (values(ROWS), Numbers(seed));
        for spec in graph.parameters() {
            let signed = numbers.signed(spec.shape.iter().product());
            // Variances are above 0.
            let is_variance = spec.name.ends_with(".norm.variance");
            let held = if is_variance { signed.into_iter().map(|v| v.abs() + 0.5).collect() } else { signed };
            values.tensors.insert(spec.name, held);
        }
        for (name, count) in [("x", ROWS * shape.features()), ("y", ROWS * 2)] {
            values.tensors.insert(name.into(), numbers.signed(count));
        }
        Sheet { graph, values, hidden, outputs }
    }

    /// A loss that hangs on every output, each with a weight of its own.
    fn loss(&self) -> Tensor<'static> {
        let weight = self.graph.coordinate(1, self.outputs.shape()) + 1.5;
        (self.outputs * weight).square().sum_rows()
    }
}

fn nothing(_: &'static Graph) -> Known<'static> {
    Known::Nothing
}

fn beside(graph: &'static Graph) -> Known<'static> {
    Known::Beside(graph.input("y", &[ROWS, 2]))
}

fn apart(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn its_values_are_those_of_its_formula() {
    for spec in specs() {
        let told = [nothing as fn(&'static Graph) -> Known<'static>, beside];
        for (known, width) in told.into_iter().zip([0, 2]) {
            let sheet = Sheet::new(&spec, known, 3);
            let found = evaluate(&sheet.values, &[sheet.hidden]).remove(0);
            let (x, y) = (&sheet.values.tensors["x"], &sheet.values.tensors["y"]);
            let rows = x.chunks(shape(&spec).features()).zip(y.chunks(2)).map(|(x, y)| [x, &y[..width]].concat());
            let exact: Vec<f64> = rows.clone().flat_map(|x| by_hand(&spec, &sheet.values, &x)).collect();
            // Means are products with a number of 32 bits.
            let limit = if spec.id == "dcgan" || spec.to_string().contains("norm=") { 1e-6 } else { 1e-12 };
            assert!(apart(&found, &exact) < limit, "{spec}: {:e}", apart(&found, &exact));
            // Another row is another row, and what is known counts.
            let moved: Vec<f64> = rows
                .flat_map(|mut x| {
                    *x.last_mut().unwrap() += 0.3;
                    by_hand(&spec, &sheet.values, &x)
                })
                .collect();
            assert!(apart(&found, &moved) > 1e-3, "{spec}");
        }
    }
}

#[test]
fn its_gradient_is_that_of_its_values() {
    const H: f64 = 1e-5;
    for spec in specs() {
        let sheet = Sheet::new(&spec, beside, 7);
        let names: Vec<String> = sheet.graph.parameters().into_iter().map(|spec| spec.name).collect();
        let wrt: Vec<Tensor> = names.iter().map(|name| sheet.graph.parameter(name)).collect();
        let gradients = evaluate(&sheet.values, &sheet.loss().gradients(&wrt));
        let loss = |values: &Values| evaluate(values, &[sheet.loss()])[0].iter().sum::<f64>();
        for (name, gradient) in names.iter().zip(&gradients) {
            assert!(gradient.iter().any(|g| *g != 0.0), "{spec}: nothing hangs on {name}");
            for (i, found) in gradient.iter().enumerate().step_by(3) {
                let at = |h: f64| {
                    let mut moved = sheet.values.clone();
                    moved.tensors.get_mut(name).unwrap()[i] += h;
                    loss(&moved)
                };
                let slope = (at(H) - at(-H)) / (2.0 * H);
                assert!((found - slope).abs() < 1e-6 * slope.abs().max(1.0), "{spec}: {name} {i}: {found}, {slope}");
            }
        }
    }
}

#[test]
fn numbers_are_left_out_in_training_alone() {
    for text in ["mlp:5,4", "residual:5,blocks=1", "conv:4,hidden=3", "dcgan:2,norm=none", "resnet:3,inner=2,shrink=1"]
    {
        let hidden = |graph: Graph, dropout: &str| {
            let spec: Spec = format!("{text},activation=tanh,dropout={dropout}").parse().unwrap();
            let shape = shape(&spec);
            let input = Input { x: graph.input("x", &[ROWS, shape.features()]), shape, known: Known::Nothing };
            let hidden = made(&spec).forward("net", input, Shape::vector(TO));
            let (mut values, mut numbers) = (values(ROWS), Numbers(5));
            for spec in graph.parameters() {
                values.tensors.insert(spec.name, numbers.signed(spec.shape.iter().product()));
            }
            values.tensors.insert("x".into(), numbers.signed(ROWS * shape.features()));
            evaluate(&values, &[hidden]).remove(0)
        };
        let whole = hidden(Graph::new(), "0");
        assert_eq!(hidden(Graph::new(), "0.5"), whole, "{text}");
        assert_eq!(hidden(Graph::of_training(), "0"), whole, "{text}");
        let left = hidden(Graph::of_training(), "0.5");
        let out = left.iter().filter(|x| **x == 0.0).count();
        assert!(out > 0 && out < left.len() && whole.iter().all(|x| *x != 0.0), "{text}: {out} of {}", left.len());
    }
}

/// The largest difference of outputs, statistics and gradients on a device from the graph in f64, and from that of another row.
fn differences(executor: Box<dyn Executor>, spec: &Spec) -> [f64; 2] {
    let sheet = Sheet::new(spec, beside, 11);
    let set = ParameterSet::new("model", sheet.graph.parameters().into_iter().map(|spec| (spec.name, spec.shape)));
    let wrt: Vec<Tensor> = set.parameters.iter().map(|p| sheet.graph.parameter(&p.name)).collect();
    let request = Request {
        parameters: vec![&set],
        outputs: vec![("outputs", sheet.outputs)],
        statistics: vec![("loss", sheet.loss())],
        gradients: vec![Gradients { set: &set, tensors: sheet.loss().gradients(&wrt), accumulate: false }],
        ..Request::new("network", sheet.graph)
    };
    let mut other = sheet.values.clone();
    other.tensors.get_mut("x").unwrap()[0] += 0.5;
    let mut device = Device::new(executor);
    let right = worst(&mut device, &request, &sheet.values).0;
    [right, worst_against(&mut device, &request, &sheet.values, &other).0]
}

#[test]
fn devices_give_the_graphs_values_and_gradients() {
    for spec in specs() {
        let mut all: Vec<(&str, Box<dyn Executor>)> = vec![("CPU", Box::new(Cpu::new()))];
        all.extend(crate::common::gpu().map(|gpu| ("GPU", Box::new(gpu) as Box<dyn Executor>)));
        for (device, executor) in all {
            let [right, wrong] = differences(executor, &spec);
            assert!(right < 2e-5 && wrong > 1e-3, "{spec}, {device}: {right:e}, and {wrong:e} from other rows");
        }
    }
}

/// Names and shapes of the parameters on the way from rows of one shape to rows of another.
fn parameters(network: &dyn Network, shape: Shape, to: Shape) -> Vec<(String, Vec<usize>)> {
    let graph = Graph::new();
    let x = graph.input("x", &[1, shape.features()]);
    network.forward("net", Input { x, shape, known: Known::Nothing }, to);
    graph.parameters().into_iter().map(|spec| (spec.name, spec.shape)).collect()
}

#[test]
fn it_numbers_its_layers_and_its_mirror_leads_back() {
    for spec in specs() {
        let network = made(&spec);
        let (shape, code) = (shape(&spec), Shape::vector(TO));
        let back = network.mirror();
        let ways = [(network.clone(), shape, code), (back.clone(), code, shape)];
        for (network, from, to) in ways {
            let all = parameters(&*network, from, to);
            for number in 0..network.layers() {
                let scope = format!("net.{number}.");
                assert!(all.iter().any(|(name, _)| name.starts_with(&scope)), "{spec}: {number}");
            }
            let taken = format!("net.{}.", network.layers());
            assert!(all.iter().all(|(name, _)| !name.starts_with(&taken)), "{spec}: the last layer's name is taken");
            assert_eq!(parameters(&*network.mirror().mirror(), from, to), all, "{spec}");
        }
        assert_eq!((back.activation(), back.layers()), (network.activation(), network.layers()), "{spec}");
        assert!(network.refusal(shape, code).is_none() && back.refusal(code, shape).is_none(), "{spec}");
        assert!(!network.summary().is_empty() && network.summary() != "1", "{spec}");
    }
    assert_eq!(made(&"mlp:5,2,7".parse().unwrap()).mirror().summary(), "7 - 2 - 5");
    assert_eq!(made(&"residual:5,blocks=3".parse().unwrap()).mirror().summary(), "5 (3 residual blocks)");
}

#[test]
fn what_it_cannot_be_given_is_refused() {
    for (text, expected) in [
        ("mlp:0", "`hidden` of the network `mlp` is 0: give 1 to 64 numbers, each a whole number from 1 to 65536"),
        ("mlp:4,1.5", "is 4,1.5: give 1 to 64 numbers"),
        ("mlp:activation=rely", "`activation` of the network `mlp` is rely: give one of relu, leaky-relu"),
        ("residual:4,5", "`width` of the network `residual` is 4,5: give a whole number from 1 to 65536, such as 256"),
        ("residual:blocks=65", "is 65: give a whole number from 1 to 64"),
        (
            "residual:hidden=4",
            "the network `residual` has no setting `hidden`: it takes width, blocks, norm, activation, dropout",
        ),
        ("convolution", "there is no network `convolution`; there are mlp, residual, conv"),
    ] {
        let said = build(NETWORKS, &text.parse().unwrap()).map(|_| ()).unwrap_err().to_string();
        assert!(said.contains(expected), "{text}: {said}");
    }
}
