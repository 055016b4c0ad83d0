//! What every model of the list must do: whoever adds one adds a line there, and this file tries it.
//!
//! Its loss is what the graph says on both devices, and its gradient what the loss does; it can do what it says that it can, and
//! refuses the rest; it trains, goes on after a break to the same bits, and comes back from its file; and it refuses rows that
//! are none of its own.

use crate::common;
use crate::common::oracle;
use crate::common::pieces;
use crate::runs;

use elbo::apps::Outcome;
use elbo::catalogue::Spec;
use elbo::config::DeviceChoice;
use elbo::data::Shape;
use elbo::engine::cpu::Cpu;
use elbo::engine::graph::eval::{Values, evaluate};
use elbo::engine::graph::{Graph, Tensor};
use elbo::engine::models::{
    ARCHITECTURES, Batch, Capability, LabelUse, Labelled, Model, ModelConfig, ModelEntry, RowForm, Rows, Terms,
    parameters,
};
use elbo::engine::nn::NETWORKS;
use elbo::engine::objectives::BETA;
use elbo::engine::program::{Gradients, ParameterSet, Request, Rule, Update};
use elbo::engine::training::{Given, LogLikelihood, Session};
use oracle::{Device, Numbers, values, worst, worst_against};
use runs::{Run, StopAt, small};

const FEATURES: usize = 5;
const CLASSES: usize = 3;
const ROWS: usize = 4;
/// Rows of the labelled part.
const SOME: usize = 3;

/// A small model of a kind, its networks being perceptrons.
fn model(kind: &'static ModelEntry) -> Box<dyn Model> {
    model_of(kind, "mlp:6".parse().unwrap())
}

/// A small model of a kind with this encoder, and a decoder that is its mirror.
fn model_of(kind: &'static ModelEntry, encoder: Spec) -> Box<dyn Model> {
    let shape = match encoder.id.as_str() {
        "mlp" | "residual" => Shape::vector(FEATURES),
        _ => Shape { height: FEATURES, width: 1, channels: 1 },
    };
    let config = ModelConfig { kind: kind.into(), encoder, latent: 3, ..ModelConfig::default() };
    let condition = if kind.is_conditional() { CLASSES } else { 0 };
    (kind.build)(&config, RowForm { schema: &shape.into(), condition }).unwrap()
}

fn estimates(rows: Vec<LogLikelihood>) -> Vec<f32> {
    rows.iter().map(|row| row.log_likelihood as f32).collect()
}

/// One of each class in turn.
fn one_hot(rows: usize) -> Vec<f64> {
    (0..rows * CLASSES).map(|i| f64::from(u8::from(i / CLASSES % CLASSES == i % CLASSES))).collect()
}

/// Values for a model's parameters and for all that `terms` gives it.
fn leaves(kind: &'static ModelEntry, model: &dyn Model) -> Values {
    let (mut values, mut numbers) = (values(ROWS - 1), Numbers(11));
    for spec in parameters(model) {
        values.tensors.insert(spec.name, numbers.signed(spec.shape.iter().product()));
    }
    let mut bits = |rows: usize| (0..rows * FEATURES).map(|_| numbers.below(2) as f64).collect::<Vec<_>>();
    values.tensors.insert("x".into(), bits(ROWS));
    values.tensors.insert("some.x".into(), bits(SOME));
    values.tensors.insert("y".into(), one_hot(ROWS));
    values.tensors.insert("some.y".into(), one_hot(SOME));
    values.scalars.insert(BETA.into(), 0.75);
    assert!(kind.is_conditional() || model.condition().width() == 0);
    values
}

/// The terms of a batch whose last row is not live, with labels and labelled rows where the model takes them.
fn terms<'g>(graph: &'g Graph, kind: &'static ModelEntry, model: &dyn Model) -> (Terms<'g>, Tensor<'g>) {
    let given = |rows: usize, prefix: &str| Rows {
        y: Some(graph.input(&format!("{prefix}y"), &[rows, CLASSES])),
        ..graph.input(&format!("{prefix}x"), &[rows, FEATURES]).into()
    };
    let rows = match kind.labels {
        LabelUse::Ignored => graph.input("x", &[ROWS, FEATURES]).into(),
        LabelUse::Told | LabelUse::Learnt => given(ROWS, ""),
    };
    let labelled = kind.is_semi_supervised().then(|| Labelled { rows: given(SOME, "some."), count: 10 });
    let batch = Batch { count: 40, labelled, ..Batch::whole(rows) };
    (model.terms(&batch), batch.weights)
}

/// Every kind of model with every network.
fn every_model() -> impl Iterator<Item = (&'static ModelEntry, Spec)> {
    let networks = || NETWORKS.iter().map(|piece| pieces::small(&piece.about));
    ARCHITECTURES.iter().flat_map(move |&kind| networks().map(move |network| (kind, network)))
}

/// The largest difference of a training step on a device from the graph, and that from a graph with another row.
fn differences(device: &mut Device, kind: &'static ModelEntry, network: Spec) -> [f64; 2] {
    let (model, graph) = (model_of(kind, network), Graph::new());
    let values = leaves(kind, &*model);
    let (terms, weights) = terms(&graph, kind, &*model);
    let set = ParameterSet::new("model", parameters(&*model).into_iter().map(|spec| (spec.name, spec.shape)));
    let loss = terms.loss * weights;
    let wrt: Vec<Tensor> = set.parameters.iter().map(|p| graph.parameter(&p.name)).collect();
    let request = Request {
        parameters: vec![&set],
        outputs: vec![("mu", terms.mu)],
        statistics: vec![("loss", loss), ("reconstruction", terms.reconstruction * weights)],
        gradients: vec![Gradients { set: &set, tensors: loss.gradients(&wrt), accumulate: false }],
        updates: vec![Update { set: &set, rule: Rule::of(&"adam".into()).unwrap(), accumulated: false }],
        ..Request::new(kind.about.id, &graph)
    };
    let mut other = values.clone();
    ["x", "some.x"].iter().for_each(|name| other.tensors.get_mut(*name).unwrap()[0] += 0.5);
    [worst(device, &request, &values).0, worst_against(device, &request, &values, &other).0]
}

#[test]
fn its_step_is_the_graphs_on_the_cpu() {
    for (kind, network) in every_model() {
        let [right, wrong] = differences(&mut Device::new(Box::new(Cpu::new())), kind, network.clone());
        assert!(right < 1e-4 && wrong > 1e-3, "{kind} of {network}: {right:e}, and {wrong:e} from other rows");
    }
}

#[test]
fn its_step_is_the_graphs_on_the_gpu() {
    for (kind, network) in every_model() {
        let Some(gpu) = common::gpu() else { return };
        let [right, wrong] = differences(&mut Device::new(Box::new(gpu)), kind, network.clone());
        assert!(right < 1e-4 && wrong > 1e-3, "{kind} of {network}: {right:e}, and {wrong:e} from other rows");
    }
}

/// Along a direction in which every parameter moves, the loss changes as the gradient says.
#[test]
fn its_gradient_is_that_of_its_loss() {
    const H: f64 = 1e-4;
    for (kind, network) in every_model() {
        let (model, graph) = (model_of(kind, network.clone()), Graph::new());
        let values = leaves(kind, &*model);
        let (terms, weights) = terms(&graph, kind, &*model);
        let loss = terms.loss * weights;
        let names: Vec<String> = graph.parameters().into_iter().map(|spec| spec.name).collect();
        let wrt: Vec<Tensor> = names.iter().map(|name| graph.parameter(name)).collect();
        let gradients = evaluate(&values, &loss.gradients(&wrt));
        let mut numbers = Numbers(4);
        let direction: Vec<Vec<f64>> = gradients.iter().map(|g| numbers.signed(g.len())).collect();
        let at = |h: f64| {
            let mut moved = values.clone();
            for (name, along) in names.iter().zip(&direction) {
                let parameter = moved.tensors.get_mut(name).unwrap();
                parameter.iter_mut().zip(along).for_each(|(p, d)| *p += h * d);
            }
            evaluate(&moved, &[loss])[0].iter().sum::<f64>()
        };
        let slope = (8.0 * (at(H) - at(-H)) - (at(2.0 * H) - at(-2.0 * H))) / (12.0 * H);
        let along =
            |g: &[Vec<f64>]| g.iter().flatten().zip(direction.iter().flatten()).map(|(g, d)| g * d).sum::<f64>();
        let found = along(&gradients);
        assert!((found - slope).abs() < 1e-6 * slope.abs().max(1.0), "{kind} of {network}: {found} is not {slope}");
        // The gradient of one parameter, left out, is missed.
        for (i, name) in names.iter().enumerate().filter(|(i, _)| gradients[*i].iter().any(|g| g.abs() > 1e-3)) {
            let mut without = gradients.clone();
            without[i].fill(0.0);
            assert!(
                (along(&without) - slope).abs() > 1e-5 * slope.abs().max(1.0),
                "{kind} of {network}: {name} is not seen"
            );
        }
        assert!(gradients.iter().any(|g| g.iter().any(|g| *g != 0.0)), "{kind}: nothing is learnt");
    }
}

/// Corrupted rows are what codes are of, and not what reconstructions are held against.
#[test]
fn its_encoder_sees_what_is_shown() {
    for &kind in ARCHITECTURES {
        let model = model(kind);
        let mut values = leaves(kind, &*model);
        values.tensors.insert("shown".into(), Numbers(17).signed(ROWS * FEATURES));
        // The mean of the codes and the loss of rows x, of which the encoder is shown others.
        let told = |x: &str, shown: Option<&str>| {
            let graph = Graph::new();
            let input = |name: &str| graph.input(name, &[ROWS, FEATURES]);
            let y = kind.is_conditional().then(|| graph.input("y", &[ROWS, CLASSES]));
            let rows = Rows { y, shown: shown.map(input), ..input(x).into() };
            let terms = model.terms(&Batch::whole(rows));
            let found = evaluate(&values, &[terms.mu, terms.loss]);
            (found[0].clone(), found[1].clone())
        };
        let (clean, corrupted, other) = (told("x", None), told("x", Some("shown")), told("shown", None));
        assert!(corrupted.0 == other.0 && corrupted.0 != clean.0, "{kind}: codes are of what is shown");
        if model.can().has(Capability::Decode) {
            assert!(corrupted.1 != other.1 && corrupted.1 != clean.1, "{kind}: the loss is of the rows");
        }
        // Showing rows as they are changes nothing.
        assert!(told("x", Some("x")) == clean, "{kind}");
    }
}

#[test]
fn it_can_do_what_it_says_and_refuses_the_rest() {
    for &kind in ARCHITECTURES {
        let mut session = Session::new(model(kind), Box::new(Cpu::new()), 3);
        session.start().unwrap();
        let x: Vec<f32> = (0..7 * FEATURES).map(|i| (i % 3) as f32 * 0.5).collect();
        let labels: Vec<f32> = one_hot(7).iter().map(|&y| y as f32).collect();
        let condition = session.model.condition();
        let told = if condition.given() > 0 { &labels[..] } else { &[] };
        let of_class = if condition.width() > 0 { &labels[..] } else { &[] };
        let rows = Given::new(&x, told);
        let latent = session.latent().unwrap();
        let codes: Vec<f32> = (0..7 * latent).map(|i| (i % 5) as f32 * 0.4 - 0.8).collect();
        let found = [
            (Capability::Encode, session.encode(rows), 7 * latent),
            (Capability::Decode, session.decode(Given::new(&codes, of_class)), 7 * FEATURES),
            (Capability::Decode, session.score_features(rows, 1), 7 * FEATURES),
            (Capability::Encode, session.code_moments(rows, 1).map(|moments| moments.mean), 7 * latent),
            (Capability::Density, session.log_likelihood(rows, 70, 1).map(estimates), 7),
            (Capability::Generate, session.sample(7, of_class, 1), 7 * FEATURES),
            (Capability::Classify, session.classify(&x), 7 * condition.width()),
            (Capability::Compress, session.coding_posterior(&x), 7 * 2 * latent),
            (Capability::Compress, session.coding_outputs(&codes), 7 * FEATURES),
        ];
        for (capability, result, count) in found {
            match (session.model.can().has(capability), result) {
                (true, Ok(values)) => {
                    assert_eq!(values.len(), count, "{kind}: {capability:?}");
                    assert!(values.iter().all(|v| v.is_finite()), "{kind}: {capability:?}: {values:?}");
                    let moves = values.iter().any(|v| *v != values[0]);
                    assert!(moves, "{kind}: {capability:?} says the same of everything");
                }
                (false, Err(why)) => assert!(why.to_string().contains("this model cannot"), "{kind}: {why}"),
                (can, result) => panic!("{kind}: {capability:?} is said to be {can}, and there came {result:?}"),
            }
        }
        // What has a likelihood weighs codes, and what carries another model draws them with their densities.
        let graph = Graph::new();
        let input = Rows {
            y: (condition.given() > 0).then(|| graph.input("y", &[2, CLASSES])),
            ..graph.input("x", &[2, FEATURES]).into()
        };
        let can = || session.model.can();
        assert!(can().density.is_none_or(|density| density.log_weights(input, 3).shape() == [2, 3]), "{kind}");
        assert_eq!(can().density.is_some(), can().generate.is_some(), "{kind}");
        assert!(can().posterior.is_none_or(|p| p.sample_posterior(input, 3).z.shape() == [6, latent]), "{kind}");
        assert_eq!(can().density.is_some(), kind.is_variational, "{kind}: what the list says");
        // Rows that are none of its own, and labels that are missing.
        let said = session.encode(&x[..FEATURES + 1]).unwrap_err().to_string();
        assert!(said.contains("not whole rows of 5"), "{kind}: {said}");
        if condition.given() > 0 {
            let said = session.encode(&x).unwrap_err().to_string();
            assert!(said.contains("3 values of condition"), "{kind}: {said}");
        }
    }
}

#[test]
fn losses_of_values_add_up_to_the_reconstruction() {
    for &kind in ARCHITECTURES {
        let (model, graph, again) = (model(kind), Graph::new(), Graph::new());
        let values = leaves(kind, &*model);
        let Some(decode) = model.can().decode else { continue };
        let whole = evaluate(&values, &[terms(&graph, kind, &*model).0.reconstruction]).remove(0);
        let x = again.input("x", &[ROWS, FEATURES]);
        let y = (kind.labels == LabelUse::Told).then(|| again.input("y", &[ROWS, CLASSES]));
        let each = evaluate(&values, &[decode.feature_losses(Rows { y, ..x.into() })]).remove(0);
        assert_eq!(each.len(), ROWS * FEATURES);
        for (whole, each) in whole.iter().zip(each.chunks_exact(FEATURES)) {
            let sum: f64 = each.iter().sum();
            assert!((sum - whole).abs() < 1e-9 * whole.abs(), "{kind}: {sum} and {whole}");
            assert!(each.iter().any(|loss| (sum - loss - whole).abs() > 1e-3), "{kind}: {each:?}");
        }
    }
}

/// The variance that is told beside that of very many draws, each by the definition of the graph.
#[test]
fn variances_of_codes_are_those_of_draws() {
    const DRAWS: usize = 3000;
    for &kind in ARCHITECTURES {
        let (model, graph) = (model(kind), Graph::new());
        let values = leaves(kind, &*model);
        let x = graph.input("x", &[ROWS, FEATURES]);
        let y = (kind.labels != LabelUse::Ignored).then(|| graph.input("y", &[ROWS, CLASSES]));
        let rows = Rows { y, ..x.into() };
        let encode = model.can().encode().unwrap();
        let latent = encode.latent();
        let Some(variance) = encode.variance(rows) else {
            assert_eq!(kind.about.id, "ladder", "all others have a closed form with a Gaussian posterior");
            continue;
        };
        let found = evaluate(&values, &[variance, encode.mean(rows), encode.draw(rows, DRAWS)]);
        assert_eq!(found[2].len(), ROWS * DRAWS * latent);
        for (row, codes) in found[2].chunks_exact(DRAWS * latent).enumerate() {
            for d in 0..latent {
                let off = |code: &[f64]| (code[d] - found[1][row * latent + d]).powi(2);
                let drawn = codes.chunks_exact(latent).map(off).sum::<f64>() / DRAWS as f64;
                let told = found[0][row * latent + d];
                assert_eq!(told > 0.0, kind.is_variational, "{kind}");
                assert!((drawn - told).abs() <= 0.15 * told, "{kind}: {told}, and {drawn} of draws");
            }
        }
    }
}

/// Models that learn rows by themselves; the one over codes of a VAE has tests of its own, among those of stages.
fn by_themselves() -> impl Iterator<Item = &'static ModelEntry> {
    assert_eq!(ARCHITECTURES.iter().filter(|kind| kind.stands_on_vae).count(), 1);
    ARCHITECTURES.iter().copied().filter(|kind| !kind.stands_on_vae)
}

#[test]
fn it_goes_on_after_a_break_to_the_same_bits() {
    let device = runs::Device::cpu();
    for kind in by_themselves() {
        let mut config = small();
        (config.model.kind, config.training.epochs) = (kind.into(), 2);
        config.training.kl_warmup_epochs = if kind.is_variational { 1 } else { 0 };
        let (continuous, broken, longer) = (Run::new(), Run::new(), Run::new());
        assert_eq!(continuous.start(&config, &device, &mut StopAt::never()).unwrap(), Outcome::Finished, "{kind}");
        assert_eq!(broken.start(&config, &device, &mut StopAt::step(8)).unwrap(), Outcome::Stopped, "{kind}");
        assert_eq!(broken.resume(&config, &device, &mut StopAt::never()).unwrap(), Outcome::Finished, "{kind}");
        assert!(broken.kept() == continuous.kept(), "{kind}: a break changes what is learnt");
        config.training.seed += 1;
        assert_eq!(longer.start(&config, &device, &mut StopAt::never()).unwrap(), Outcome::Finished, "{kind}");
        assert!(longer.kept() != continuous.kept(), "{kind}: the comparison sees nothing");
    }
}

#[test]
fn it_comes_back_from_its_file() {
    let folder = tempfile::tempdir().unwrap();
    for kind in by_themselves() {
        let mut config = small();
        (config.model.kind, config.training.epochs, config.device.device) = (kind.into(), 1, DeviceChoice::Cpu);
        config.training.kl_warmup_epochs = 0;
        let source = config.data.parsed_source();
        let data = elbo::data::open(&source, &config.data.options(0)).unwrap().train;
        let data = match kind.is_conditional() {
            true => data.conditioned(config.data.condition).unwrap(),
            false => data,
        };
        let mut trained = elbo::train(&data, &config).unwrap();
        let path = folder.path().join(format!("{kind}.safetensors"));
        trained.save(&path).unwrap();
        let mut back = elbo::Trained::load(&path, &DeviceChoice::Cpu).unwrap();
        let (x, y) = data.gather(0..9);
        let given = || Given::new(&x, if kind.labels == LabelUse::Told { &y } else { &[] });
        let [codes, again] = [&mut trained, &mut back].map(|model| model.encode(given()).unwrap());
        assert_eq!(codes, again, "{kind}");
        assert!(codes.iter().any(|c| *c != codes[0]), "{kind}: the comparison sees nothing");
    }
}
