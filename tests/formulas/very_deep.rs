//! The very deep VAE: against the same written down anew, its gradient by differences of that, and what its layers see.

mod plain;

use std::sync::Arc;

use crate::common::oracle::Numbers;
use elbo::config::Config;
use elbo::data::Shape;
use elbo::engine::distributions::Bernoulli;
use elbo::engine::graph::eval::{Values, evaluate};
use elbo::engine::graph::{Graph, Init, Op, ParameterSpec, Tensor};
use elbo::engine::models::{Batch, Depths, Model, Parts, RowForm, Rows, VeryDeep, parameters};
use elbo::engine::nn::Activation;
use elbo::engine::objectives::BETA;
use plain::{CODES, FEATURES, Found, Given, INNER, Plain, SHAPE, WIDTH, Weights, log_bernoulli};

/// Codes of each layer of a row, from the data upwards.
const WIDTHS: [usize; 3] = [15 * CODES, 6 * CODES, 6 * CODES];
const ROWS: usize = 2;
const BETA_NOW: f64 = 0.75;

fn model(activation: Activation) -> VeryDeep {
    let [height, width, channels] = SHAPE;
    let depths = Depths { blocks: vec![1, 2], width: WIDTH, inner: INNER, channels: CODES, activation };
    VeryDeep::new(Shape { height, width, channels }, depths, Parts::new(Arc::new(Bernoulli)))
}

/// Weights, pictures and noise of no pattern, of so many codes of each row.
fn values(model: &VeryDeep, samples: usize) -> Values {
    let (mut values, mut numbers) = (Values::default(), Numbers(5));
    for ParameterSpec { name, shape, .. } in parameters(model) {
        values.tensors.insert(name, numbers.signed(shape.iter().product()));
    }
    let bits = (0..ROWS * FEATURES).map(|_| numbers.below(2) as f64).collect();
    values.tensors.insert("x".into(), bits);
    for (layer, width) in WIDTHS.into_iter().enumerate() {
        values.tensors.insert(format!("noise{layer}"), numbers.signed(ROWS * samples * width));
    }
    values.scalars.insert(BETA.into(), BETA_NOW);
    values.step.rows = ROWS as u32;
    values
}

fn noise(graph: &Graph, samples: usize) -> Vec<Tensor<'_>> {
    let of = |(layer, width): (usize, usize)| graph.input(&format!("noise{layer}"), &[ROWS * samples, width]);
    WIDTHS.into_iter().enumerate().map(of).collect()
}

/// The same of a row and one of its samples, written down anew.
fn by_hand(values: &Values, gelu: bool, (row, samples, sample): (usize, usize, usize)) -> Found {
    let x = &values.tensors["x"][row * FEATURES..][..FEATURES];
    let of = |(layer, width): (usize, usize)| {
        values.tensors[&format!("noise{layer}")][(row * samples + sample) * width..][..width].to_vec()
    };
    let noise: Vec<Vec<f64>> = WIDTHS.into_iter().enumerate().map(of).collect();
    Plain { weights: &weights(values), gelu }.run(Given::Noise { x, noise: &noise })
}

fn weights(values: &Values) -> Weights {
    values.tensors.iter().map(|(name, values)| (name.clone(), values.clone())).collect()
}

/// The loss of a row: −ln p(x | z) + β Σ KL.
fn loss_by_hand(values: &Values, gelu: bool, row: usize) -> f64 {
    let found = by_hand(values, gelu, (row, 1, 0));
    let x = &values.tensors["x"][row * FEATURES..][..FEATURES];
    BETA_NOW * found.kls.iter().sum::<f64>() - log_bernoulli(x, &found.logits)
}

#[test]
fn it_is_what_is_written_down() {
    // The function that stands for Φ in the graph is 1.5e-7 off.
    for (activation, gelu, near) in [(Activation::Silu, false, 1e-9), (Activation::Gelu, true, 1e-4)] {
        let (model, samples) = (model(activation), 2);
        let (one, several) = (values(&model, 1), values(&model, samples));
        let is_near = |a: f64, b: f64| (a - b).abs() < near * b.abs().max(1.0);
        let graph = Graph::new();
        let batch = Batch::whole(graph.input("x", &[ROWS, FEATURES]));
        let terms = model.terms_with(&batch, &noise(&graph, 1));
        let kls: Vec<Tensor> = terms.parts.iter().map(|part| part.1).collect();
        assert_eq!(
            terms.parts.iter().map(|part| part.0).collect::<Vec<_>>(),
            ["kl_layer_1", "kl_layer_2", "kl_layer_3"]
        );
        let found = evaluate(&one, &[&[terms.loss, terms.reconstruction][..], &kls].concat());
        for row in 0..ROWS {
            let expected = by_hand(&one, gelu, (row, 1, 0));
            let x = &one.tensors["x"][row * FEATURES..][..FEATURES];
            let reconstruction = -log_bernoulli(x, &expected.logits);
            assert!(is_near(found[0][row], loss_by_hand(&one, gelu, row)), "{activation:?}");
            assert!(
                is_near(found[1][row], reconstruction),
                "{activation:?}: {} is not {reconstruction}",
                found[1][row]
            );
            for layer in 0..3 {
                let (kl, expected) = (found[2 + layer][row], expected.kls[layer]);
                assert!(
                    is_near(kl, expected) && expected > 0.1,
                    "{activation:?}, layer {layer}: {kl} is not {expected}"
                );
            }
            // Rows are told apart, and so are layers.
            assert!(!is_near(found[1][row], found[1][1 - row]) && !is_near(found[2][row], found[3][row]));
        }
        // Several codes of each row, with their weights.
        let graph = Graph::new();
        let x = graph.input("x", &[ROWS, FEATURES]);
        let found = evaluate(&several, &[model.log_weights_with(x.into(), &noise(&graph, samples))]).remove(0);
        for (i, found) in found.iter().enumerate() {
            let by_hand = by_hand(&several, gelu, (i / samples, samples, i % samples));
            let x = &several.tensors["x"][i / samples * FEATURES..][..FEATURES];
            let expected = log_bernoulli(x, &by_hand.logits) + by_hand.log_ratio;
            // ln 2π is one in 32 bits in one of the two densities of each number.
            let near = is_near(*found, expected) || (found - expected).abs() < 2e-6;
            assert!(near, "{activation:?}, code {i}: {found} is not {expected}");
        }
        assert!(!is_near(found[0], found[1]));
    }
}

/// Codes are what is left without the moments of their priors: the one that noise draws, decoded, gives what noise gives.
#[test]
fn codes_decode_to_what_they_were_drawn_with() {
    let model = model(Activation::Silu);
    let mut values = values(&model, 1);
    let drawn: Vec<Found> = (0..ROWS).map(|row| by_hand(&values, false, (row, 1, 0))).collect();
    values.tensors.insert("codes".into(), drawn.iter().flat_map(|found| found.codes.clone()).collect());
    let graph = Graph::new();
    let (x, codes) = (graph.input("x", &[ROWS, FEATURES]), graph.input("codes", &[ROWS, WIDTHS.iter().sum()]));
    let decoded = model.can().decode().unwrap().mean(codes, None);
    let [decoded, means, again] = <[_; 3]>::try_from(evaluate(
        &values,
        &[
            decoded,
            model.can().encode().unwrap().mean(x.into()),
            model.can().reconstruct().unwrap().reconstruct(x.into()),
        ],
    ))
    .unwrap();
    let expected = drawn.iter().flat_map(|found| found.logits.iter().map(|l| 1.0 / (1.0 + (-l).exp())));
    assert!(decoded.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-10));
    // Without noise a code is its mean, and decodes to the reconstruction.
    let still: Vec<Vec<f64>> = WIDTHS.map(|width| vec![0.0; width]).into();
    let width: usize = WIDTHS.iter().sum();
    for row in 0..ROWS {
        let weights = weights(&values);
        let plain = Plain { weights: &weights, gelu: false };
        let x = &values.tensors["x"][row * FEATURES..][..FEATURES];
        let found = plain.run(Given::Noise { x, noise: &still });
        assert!(found.codes.iter().zip(&means[row * width..]).all(|(a, b)| (a - b).abs() < 1e-10));
        let of_layers: Vec<Vec<f64>> = WIDTHS
            .iter()
            .scan(row * width, |first, width| {
                *first += width;
                Some(means[*first - width..*first].to_vec())
            })
            .collect();
        let logits = plain.run(Given::Codes(&of_layers)).logits;
        let again = &again[row * FEATURES..];
        assert!(logits.iter().zip(again).all(|(l, p)| (1.0 / (1.0 + (-l).exp()) - p).abs() < 1e-10));
        assert!(drawn[row].codes.iter().zip(&means[row * width..]).any(|(a, b)| (a - b).abs() > 1e-3));
    }
}

/// The gradient against central differences of what is written down, for every parameter; each of them counts.
#[test]
fn its_gradient_is_that_of_what_is_written_down() {
    const H: f64 = 1e-5;
    let model = model(Activation::Silu);
    let values = values(&model, 1);
    let graph = Graph::new();
    let batch = Batch::whole(graph.input("x", &[ROWS, FEATURES]));
    let loss = model.terms_with(&batch, &noise(&graph, 1)).loss * batch.weights;
    let names: Vec<String> = parameters(&model).into_iter().map(|spec| spec.name).collect();
    let wrt: Vec<Tensor> = names.iter().map(|name| graph.parameter(name)).collect();
    let gradients = evaluate(&values, &loss.gradients(&wrt));
    let mut numbers = Numbers(9);
    for (name, gradient) in names.iter().zip(&gradients) {
        let direction = numbers.signed(gradient.len());
        let at = |h: f64| {
            let mut moved = values.clone();
            let parameter = moved.tensors.get_mut(name).unwrap();
            parameter.iter_mut().zip(&direction).for_each(|(p, d)| *p += h * d);
            (0..ROWS).map(|row| loss_by_hand(&moved, false, row)).sum::<f64>() / ROWS as f64
        };
        let slope = (8.0 * (at(H) - at(-H)) - (at(2.0 * H) - at(-2.0 * H))) / (12.0 * H);
        let found: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
        assert!((found - slope).abs() < 1e-6 * slope.abs().max(1.0), "{name}: {found} is not {slope}");
        assert!(slope.abs() > 1e-4, "{name} does not count: {slope}");
    }
}

/// What is drawn and what is decoded hangs on codes alone; rows are seen by posteriors, and nothing else of them reaches a layer.
#[test]
fn rows_are_seen_through_posteriors_alone() {
    let model = model(Activation::Gelu);
    let given = |graph: &Graph| -> Vec<String> {
        let name = |id| match &graph.node(id).op {
            Op::Input(name) => Some(name.clone()),
            _ => None,
        };
        graph.ids().filter_map(name).collect()
    };
    let names = |graph: &Graph| graph.parameters().into_iter().map(|spec| spec.name).collect::<Vec<_>>();
    let graph = Graph::new();
    model.can().generate().unwrap().rows(&graph, ROWS, None);
    assert!(given(&graph).is_empty());
    assert!(names(&graph).iter().all(|name| name.starts_with("decoder.")), "{:?}", names(&graph));
    let graph = Graph::new();
    let codes = graph.input("codes", &[ROWS, WIDTHS.iter().sum()]);
    model.can().decode().unwrap().mean(codes, None);
    assert_eq!(given(&graph), ["codes"]);
    // The control: a reconstruction is of rows.
    let graph = Graph::new();
    model.can().reconstruct().unwrap().reconstruct(graph.input("x", &[ROWS, FEATURES]).into());
    assert_eq!(given(&graph), ["x"]);
    assert!(names(&graph).iter().any(|name| name.starts_with("encoder.")));

    // Where the posterior is deaf to the row, so is all that is made of it: the weights of the last layers of the networks of q are 0, and
    // the loss of two rows differs by what is held against them alone.
    let mut values = values(&model, 1);
    let told = |values: &Values| -> [Vec<f64>; 2] {
        let graph = Graph::new();
        let x = graph.input("x", &[ROWS, FEATURES]);
        let encoded = model.can().encode().unwrap().mean(Rows::from(x));
        <[_; 2]>::try_from(evaluate(values, &[encoded, model.can().reconstruct().unwrap().reconstruct(x.into())]))
            .unwrap()
    };
    let are_alike = |all: &[f64]| all[..all.len() / 2] == all[all.len() / 2..];
    assert!(told(&values).iter().all(|all| !are_alike(all)));
    for layer in 1..=3 {
        values.tensors.get_mut(&format!("encoder.layer{layer}.3.weight")).unwrap().fill(0.0);
    }
    assert!(told(&values).iter().all(|all| are_alike(all)));
}

/// Blocks begin with what keeps the state at its scale: priors at N(0, I), residual blocks at 1/√n.
#[test]
fn it_starts_as_in_the_paper() {
    let all = parameters(&model(Activation::Gelu));
    let start = |name: &str| all.iter().find(|spec| spec.name == name).unwrap_or_else(|| panic!("{name}")).init;
    let share = 1.0 / 3f32.sqrt();
    for (name, expected) in [
        ("encoder.in.weight", Init::Uniform(1.0 / 18f32.sqrt())),
        ("encoder.0.0.1.weight", Init::Uniform(1.0 / 18f32.sqrt())),
        ("encoder.1.1.3.weight", Init::Uniform(share / 2f32.sqrt())),
        ("encoder.layer1.3.weight", Init::Uniform(1.0 / 2f32.sqrt())),
        ("decoder.layer2.prior.3.weight", Init::Constant(0.0)),
        ("decoder.layer2.project.weight", Init::Uniform(share / 2f32.sqrt())),
        ("decoder.layer2.block.3.weight", Init::Uniform(share / 2f32.sqrt())),
        ("decoder.layer2.block.3.bias", Init::Constant(0.0)),
        ("decoder.1.bias", Init::Constant(0.0)),
    ] {
        match (start(name), expected) {
            (Init::Uniform(found), Init::Uniform(bound)) => assert!((found - bound).abs() < 1e-6, "{name}: {found}"),
            (found, expected) => assert_eq!(found, expected, "{name}"),
        }
    }
}

#[test]
fn what_it_does_not_go_with_is_said() {
    let config = |kind: &str| {
        let mut config = Config::default();
        config.model.kind = kind.parse().unwrap();
        config
    };
    let refused = |change: &dyn Fn(&mut Config), expected: &str| {
        let mut config = config("very-deep");
        config.validate().unwrap();
        change(&mut config);
        let said = config.validate().unwrap_err().to_string();
        assert!(said.contains(expected), "{said}\n  expected: {expected}");
    };
    refused(&|c| c.model.upper = Some(vec![4]), "has those that its setting blocks says: leave it out");
    refused(&|c| c.model.posterior = "iaf".into(), "has no posterior to choose, and `iaf` is given");
    refused(&|c| c.model.prior = "mixture".into(), "has no prior to choose, and `mixture` is given");
    refused(&|c| c.model.decoder = Some("mlp:3".parse().unwrap()), "`decoder` is given");
    refused(&|c| c.model.kind = "very-deep:blocks=30,35".parse().unwrap(), "come to 65 layers: give 64 at most");
    refused(&|c| c.model.objective = "dreg".into(), "has several layers of them");
    for objective in ["iwae", "free-bits", "capacity"] {
        let mut fine = config("very-deep");
        fine.model.objective = objective.into();
        fine.validate().unwrap();
    }
    for (kind, expected) in [
        ("very-deep:blocks=0", "`blocks` of the model `very-deep` is 0"),
        ("very-deep:blocks=1.5", "`blocks` of the model `very-deep` is 1.5"),
        ("very-deep:width=0", "`width` of the model `very-deep` is 0"),
        ("very-deep:latent=3", "has no setting `latent`: it takes blocks, width, inner, channels, activation"),
    ] {
        let said = kind.parse::<elbo::engine::models::Architecture>().unwrap_err().to_string();
        assert!(said.contains(expected), "{said}\n  expected: {expected}");
    }
    // Rows that it cannot be of are refused when they are known.
    let built = |kind: &str, shape: Shape| {
        let config = config(kind);
        (config.model.kind.build)(&config.model, RowForm { schema: &shape.into(), condition: 0 }).map(|_| ())
    };
    let said = built("very-deep", Shape::vector(12)).unwrap_err().to_string();
    assert!(said.contains("a very-deep is of pictures, and rows of 12 numbers are none"), "{said}");
    let picture = |height, width| Shape { height, width, channels: 1 };
    let said = built("very-deep", picture(16, 16)).unwrap_err().to_string();
    assert!(
        said.contains("`blocks` has numbers for 6 sizes") && said.contains("one pixel at the 5th: give 5"),
        "{said}"
    );
    for (height, width) in [(28, 28), (32, 32), (33, 17), (31, 1)] {
        built("very-deep", picture(height, width)).unwrap();
    }
}
