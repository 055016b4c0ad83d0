//! What every model of the list must do: whoever adds one adds a line there, and this file tries it.
//!
//! Its loss is what the graph says on both devices, and its gradient what the loss does; it can do what it says that it can, and
//! refuses the rest; it trains, goes on after a break to the same bits, and comes back from its file; and it refuses rows that
//! are none of its own.

use std::collections::HashMap;

use crate::common;
use crate::common::oracle;
use crate::common::pieces;
use crate::runs;

use elbo::apps::Outcome;
use elbo::catalogue::Spec;
use elbo::config::{Config, DeviceChoice};
use elbo::data::Shape;
use elbo::engine::cpu::Cpu;
use elbo::engine::graph::eval::{Values, evaluate};
use elbo::engine::graph::{Graph, NodeId, Op, Role, Tensor};
use elbo::engine::models::{
    ARCHITECTURES, Architecture, Batch, Capability, Coded, CodedAs, IndexCodes, LabelUse, Labelled, Model, ModelConfig,
    ModelEntry, RowForm, Rows, Terms, Variable, bits_back_steps, parameters,
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

/// Models that have networks of their own, for pictures.
const OF_PICTURES: [&str; 1] = ["very-deep"];

/// Every kind of model, its networks being perceptrons, and those of which a setting makes another model.
fn every_kind() -> impl Iterator<Item = (Architecture, Spec)> {
    let plain = ARCHITECTURES.iter().map(|kind| (pieces::small_model(kind), "mlp:6".parse().unwrap()));
    plain.chain([pieces::two_levels()])
}

/// A small model of a kind with this encoder, and a decoder that is its mirror.
fn model_of(kind: &Architecture, encoder: Spec) -> Box<dyn Model> {
    let shape = match encoder.id.as_str() {
        "mlp" | "residual" if !OF_PICTURES.contains(&kind.about.id) => Shape::vector(FEATURES),
        _ => Shape { height: FEATURES, width: 1, channels: 1 },
    };
    let config = ModelConfig { kind: kind.clone(), encoder, latent: 3, ..ModelConfig::default() };
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
fn leaves(kind: &ModelEntry, model: &dyn Model) -> Values {
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

/// A batch whose last row is not live, with labels and labelled rows where the model takes them.
fn batch<'g>(graph: &'g Graph, kind: &ModelEntry) -> Batch<'g> {
    let given = |rows: usize, prefix: &str| Rows {
        y: Some(graph.input(&format!("{prefix}y"), &[rows, CLASSES])),
        ..graph.input(&format!("{prefix}x"), &[rows, FEATURES]).into()
    };
    let rows = match kind.labels {
        LabelUse::Ignored => graph.input("x", &[ROWS, FEATURES]).into(),
        LabelUse::Told | LabelUse::Learnt => given(ROWS, ""),
    };
    let labelled = kind.is_semi_supervised().then(|| Labelled { rows: given(SOME, "some."), count: 10 });
    Batch { count: 40, labelled, ..Batch::whole(rows) }
}

/// The terms of such a batch.
fn terms<'g>(graph: &'g Graph, kind: &ModelEntry, model: &dyn Model) -> Terms<'g> {
    model.terms(&batch(graph, kind))
}

/// A loss of a phase of a model's plan, a mean over the batch, with the parameters of the groups that minimise it, by name.
type PhaseLoss<'g> = (Tensor<'g>, Vec<String>);

/// What is minimised in a phase of a model's plan, and the mean of its first statistic.
fn losses<'g>(
    graph: &'g Graph,
    kind: &ModelEntry,
    model: &dyn Model,
    phase: usize,
) -> (Vec<PhaseLoss<'g>>, Tensor<'g>) {
    let (plan, batch) = (model.plan(), batch(graph, kind));
    let found = (plan.phases[phase].losses)(&batch);
    let own = |groups: &[&str]| -> Vec<String> {
        let names = graph.parameters().into_iter().filter(|spec| spec.role == Role::Trained).map(|spec| spec.name);
        names.filter(|name| groups.contains(&plan.groups[plan.group_of(name)].name)).collect()
    };
    let all = found.losses.iter().map(|loss| (loss.loss * batch.weights, own(&loss.groups))).collect();
    (all, found.statistics[0].1 * batch.weights)
}

/// Every kind of model with every network that it can have.
fn every_model() -> impl Iterator<Item = (Architecture, Spec)> {
    let networks = || NETWORKS.iter().map(|piece| pieces::small(&piece.about));
    let all = ARCHITECTURES.iter().flat_map(move |kind| networks().map(|network| (pieces::small_model(kind), network)));
    all.chain([pieces::two_levels()])
}

/// The largest difference of a training step on a device from the graph, and that from a graph with another row.
fn differences(device: &mut Device, kind: &Architecture, network: Spec) -> [f64; 2] {
    let model = model_of(kind, network);
    let values = leaves(kind, &*model);
    let specs = parameters(&*model);
    let mut other = values.clone();
    ["x", "some.x"].iter().for_each(|name| other.tensors.get_mut(*name).unwrap()[0] += 0.5);
    let mut tried =
        |request: &Request| [worst(device, request, &values).0, worst_against(device, request, &values, &other).0];
    let graph = Graph::new();
    let rows = batch(&graph, kind);
    let terms = model.terms(&rows);
    let whole = ParameterSet::new("model", specs.iter().map(|spec| (spec.name.clone(), spec.shape.clone())));
    let [mut right, wrong] = tried(&Request {
        parameters: vec![&whole],
        outputs: vec![("mu", terms.mu)],
        statistics: vec![("loss", terms.loss * rows.weights), ("reconstruction", terms.reconstruction * rows.weights)],
        ..Request::new(kind.about.id, &graph)
    });
    let mut most_wrong = wrong;
    for phase in 0..model.plan().phases.len() {
        let graph = Graph::new();
        let (losses, statistic) = losses(&graph, kind, &*model, phase);
        let shape = |name: &String| specs.iter().find(|spec| spec.name == *name).unwrap().shape.clone();
        let place = |i: usize, names: &[String]| {
            ParameterSet::new(&format!("{phase}.{i}"), names.iter().map(|name| (name.clone(), shape(name))))
        };
        let sets: Vec<ParameterSet> = losses.iter().enumerate().map(|(i, (_, names))| place(i, names)).collect();
        // What a phase reads and does not move.
        let is_moved = |name: &String| losses.iter().any(|(_, names)| names.contains(name));
        let rest: Vec<String> = specs.iter().map(|spec| spec.name.clone()).filter(|name| !is_moved(name)).collect();
        let rest = place(losses.len(), &rest);
        let gradients = losses.iter().zip(&sets).map(|((loss, names), set)| {
            let wrt: Vec<Tensor> = names.iter().map(|name| graph.parameter(name)).collect();
            Gradients { set, tensors: loss.gradients(&wrt), accumulate: false }
        });
        let update = |set| Update { set, rule: Rule::of(&"adam".into()).unwrap(), accumulated: false };
        let [near, far] = tried(&Request {
            parameters: sets.iter().chain([&rest]).collect(),
            statistics: vec![("loss", statistic)],
            gradients: gradients.collect(),
            updates: sets.iter().map(update).collect(),
            ..Request::new(&format!("{kind}.{phase}"), &graph)
        });
        // Not every phase looks at rows: a generator makes its own.
        (right, most_wrong) = (right.max(near), most_wrong.max(far));
    }
    [right, most_wrong]
}

#[test]
fn its_step_is_the_graphs_on_the_cpu() {
    for (kind, network) in every_model() {
        let [right, wrong] = differences(&mut Device::new(Box::new(Cpu::new())), &kind, network.clone());
        assert!(right < 1e-4 && wrong > 1e-3, "{kind} of {network}: {right:e}, and {wrong:e} from other rows");
    }
}

#[test]
fn its_step_is_the_graphs_on_the_gpu() {
    for (kind, network) in every_model() {
        let Some(gpu) = common::gpu() else { return };
        let [right, wrong] = differences(&mut Device::new(Box::new(gpu)), &kind, network.clone());
        assert!(right < 1e-4 && wrong > 1e-3, "{kind} of {network}: {right:e}, and {wrong:e} from other rows");
    }
}

/// Models whose gradient is not that of the loss: it passes through a choice as if there were none (straight-through), which is the
/// gradient where what is detached stays as it is.
const STRAIGHT_THROUGH: [&str; 2] = ["vq-vae", "fsq"];

/// What is detached in a graph, as it is now.
fn held(graph: &Graph, values: &Values) -> HashMap<NodeId, Vec<f64>> {
    let detached: Vec<NodeId> = graph.ids().filter(|id| graph.node(*id).op == Op::Detach).collect();
    let tensors: Vec<Tensor> = detached.iter().map(|id| graph.tensor(*id)).collect();
    detached.into_iter().zip(evaluate(values, &tensors)).collect()
}

/// Along a direction in which every parameter of a group moves, what the group minimises changes as its gradient says.
#[test]
fn its_gradients_are_those_of_its_losses() {
    const H: f64 = 1e-4;
    for (kind, network) in every_model() {
        let model = model_of(&kind, network.clone());
        let values = leaves(&kind, &*model);
        for phase in 0..model.plan().phases.len() {
            let graph = Graph::new();
            for (loss, names) in losses(&graph, &kind, &*model, phase).0 {
                let wrt: Vec<Tensor> = names.iter().map(|name| graph.parameter(name)).collect();
                let gradients = evaluate(&values, &loss.gradients(&wrt));
                let mut numbers = Numbers(4);
                let direction: Vec<Vec<f64>> = gradients.iter().map(|g| numbers.signed(g.len())).collect();
                let at = |h: f64, held: &HashMap<NodeId, Vec<f64>>| {
                    let mut moved = Values { held: held.clone(), ..values.clone() };
                    for (name, along) in names.iter().zip(&direction) {
                        let parameter = moved.tensors.get_mut(name).unwrap();
                        parameter.iter_mut().zip(along).for_each(|(p, d)| *p += h * d);
                    }
                    evaluate(&moved, &[loss])[0].iter().sum::<f64>()
                };
                let slope_of = |held: &HashMap<NodeId, Vec<f64>>| {
                    let at = |h: f64| at(h, held);
                    (8.0 * (at(H) - at(-H)) - (at(2.0 * H) - at(-2.0 * H))) / (12.0 * H)
                };
                let is_straight = STRAIGHT_THROUGH.contains(&kind.about.id);
                let nothing = HashMap::new();
                let slope = if is_straight { slope_of(&held(&graph, &values)) } else { slope_of(&nothing) };
                let along = |g: &[Vec<f64>]| {
                    g.iter().flatten().zip(direction.iter().flatten()).map(|(g, d)| g * d).sum::<f64>()
                };
                let found = along(&gradients);
                let model = format!("{kind} of {network}, phase {phase}");
                assert!((found - slope).abs() < 1e-6 * slope.abs().max(1.0), "{model}: {found} is not {slope}");
                let is_that_of_the_loss = || (found - slope_of(&nothing)).abs() < 1e-5 * slope.abs().max(1.0);
                assert!(!(is_straight && is_that_of_the_loss()), "{model}: nothing is passed through");
                // The gradient of one parameter, left out, is missed: of those that the slope can tell.
                let is_large = |i: usize| gradients[i].iter().any(|g| g.abs() > 1e-3 * slope.abs().max(1.0));
                let large: Vec<(usize, &String)> = names.iter().enumerate().filter(|(i, _)| is_large(*i)).collect();
                assert!(!large.is_empty(), "{model}: no gradient is looked at");
                for (i, name) in large {
                    let mut without = gradients.clone();
                    without[i].fill(0.0);
                    let is_seen = (along(&without) - slope).abs() > 1e-5 * slope.abs().max(1.0);
                    assert!(is_seen, "{model}: {name} is not seen");
                }
                assert!(gradients.iter().any(|g| g.iter().any(|g| *g != 0.0)), "{model}: nothing is learnt");
            }
        }
    }
}

/// Corrupted rows are what codes are of, and not what reconstructions are held against.
#[test]
fn its_encoder_sees_what_is_shown() {
    for (kind, network) in every_kind() {
        let model = model_of(&kind, network);
        let mut values = leaves(&kind, &*model);
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
        if !model.can().has(Capability::Encode) {
            assert!(corrupted == clean, "{kind}: nothing is encoded");
            continue;
        }
        assert!(corrupted.0 == other.0 && corrupted.0 != clean.0, "{kind}: codes are of what is shown");
        if model.can().has(Capability::Reconstruct) {
            assert!(corrupted.1 != other.1 && corrupted.1 != clean.1, "{kind}: the loss is of the rows");
        }
        // Showing rows as they are changes nothing.
        assert!(told("x", Some("x")) == clean, "{kind}");
    }
}

/// What networks say of all steps by which seven rows are coded, behind each other, and how many numbers that should be.
fn coded_numbers(session: &mut Session) -> (elbo::Result<Vec<f32>>, usize) {
    let codes = session.model.can().compress.and_then(|compress| compress.coded_as().numbers().ok());
    let (steps, widths) = codes.map_or_else(|| (bits_back_steps(1), vec![1]), |c| (c.steps(), c.widths()));
    let (mut all, mut count) = (vec![], 0);
    for step in steps.iter().filter(|step| !step.given.is_empty()) {
        let width_of = |variable: &Variable| match *variable {
            Variable::Row => FEATURES,
            Variable::Codes(layer) => widths[layer],
        };
        let width: usize = step.given.iter().map(width_of).sum();
        let given: Vec<f32> = (0..7 * width).map(|i| (i % 5) as f32 * 0.25).collect();
        count += 7 * match step.what {
            Coded::Row => FEATURES,
            Coded::Draw(layer) | Coded::Codes(layer) => 2 * widths[layer],
        };
        match session.coding_step(step, &given) {
            Ok(outputs) => all.extend(outputs),
            Err(why) => return (Err(why), count),
        }
    }
    (Ok(all), count)
}

/// Indices of seven rows, then the decoder's outputs for some, and then what the prior says of each index, and how many
/// numbers that should be.
fn coded_indices(session: &mut Session) -> (elbo::Result<Vec<f32>>, usize) {
    let codes = session.model.can().compress.and_then(|compress| compress.coded_as().indices().ok());
    let [number, choices] = codes.map_or([1, 1], IndexCodes::sizes);
    let x: Vec<f32> = (0..7 * FEATURES).map(|i| (i % 5) as f32 * 0.25).collect();
    let some: Vec<f32> = (0..7 * number).map(|i| (i % choices) as f32).collect();
    let found = session.coding_indices(&x).and_then(|mut all| {
        all.extend(session.coding_outputs(&some)?);
        // Each leaves what the next one needs.
        let mut given = vec![0.0; 7];
        for index in 0..number {
            let next = session.coding_next(index, &given, given.len() / 7)?;
            let rows = next.chunks_exact(next.len() / 7);
            given = rows.clone().flat_map(|row| [&[1.0][..], &row[choices..]].concat()).collect();
            all.extend(rows.flat_map(|row| &row[..choices]));
        }
        Ok(all)
    });
    (found, 7 * (number + FEATURES + number * choices))
}

#[test]
fn it_can_do_what_it_says_and_refuses_the_rest() {
    for (kind, network) in every_kind() {
        let mut session = Session::new(model_of(&kind, network), Box::new(Cpu::new()), 3);
        session.start().unwrap();
        let x: Vec<f32> = (0..7 * FEATURES).map(|i| (i % 3) as f32 * 0.5).collect();
        let labels: Vec<f32> = one_hot(7).iter().map(|&y| y as f32).collect();
        let condition = session.model.condition();
        let told = if condition.given() > 0 { &labels[..] } else { &[] };
        let of_class = if condition.width() > 0 { &labels[..] } else { &[] };
        let rows = Given::new(&x, told);
        let latent = session.latent().unwrap();
        let codes: Vec<f32> = (0..7 * latent).map(|i| (i % 5) as f32 * 0.4 - 0.8).collect();
        let is_of_indices =
            session.model.can().compress.is_some_and(|compress| matches!(compress.coded_as(), CodedAs::Indices(_)));
        let [(numbers, of_numbers), (indices, of_indices)] = [coded_numbers(&mut session), coded_indices(&mut session)];
        // Codes are one or the other.
        let (coded, count_of_coded) = match is_of_indices {
            true => {
                assert!(numbers.is_err(), "{kind}");
                (indices, of_indices)
            }
            false => {
                assert!(indices.is_err(), "{kind}");
                (numbers, of_numbers)
            }
        };
        let found = [
            (Capability::Encode, session.encode(rows), 7 * latent),
            (Capability::Decode, session.decode(Given::new(&codes, of_class)), 7 * FEATURES),
            (Capability::Reconstruct, session.reconstruct(rows), 7 * FEATURES),
            (Capability::Reconstruct, session.score_features(rows, 1), 7 * FEATURES),
            (Capability::Encode, session.code_moments(rows, 1).map(|moments| moments.mean), 7 * latent),
            (Capability::Density, session.log_likelihood(rows, 70, 1).map(estimates), 7),
            (Capability::Generate, session.sample(7, of_class, 1), 7 * FEATURES),
            (Capability::Classify, session.classify(&x), 7 * condition.width()),
            (Capability::Compress, coded, count_of_coded),
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
        assert!(can().density.is_none() || can().generate.is_some(), "{kind}");
        assert_eq!(can().reconstruct.is_some(), can().encode.is_some() && can().decode.is_some(), "{kind}");
        assert!(can().posterior.is_none_or(|p| p.sample_posterior(input, 3).z.shape() == [6, latent]), "{kind}");
        assert_eq!(can().density.is_some(), kind.is_variational, "{kind}: what the list says");
        // Rows that are none of its own, and labels that are missing.
        let said = session.score(&x[..FEATURES + 1], 1).unwrap_err().to_string();
        assert!(said.contains("not whole rows of 5"), "{kind}: {said}");
        if condition.given() > 0 {
            let said = session.encode(&x).unwrap_err().to_string();
            assert!(said.contains("3 values of condition"), "{kind}: {said}");
        }
    }
}

#[test]
fn losses_of_values_add_up_to_the_reconstruction() {
    for (kind, network) in every_kind() {
        let (model, graph, again) = (model_of(&kind, network), Graph::new(), Graph::new());
        let values = leaves(&kind, &*model);
        let Some(again_of) = model.can().reconstruct else { continue };
        let whole = evaluate(&values, &[terms(&graph, &kind, &*model).reconstruction]).remove(0);
        let x = again.input("x", &[ROWS, FEATURES]);
        let y = (kind.labels == LabelUse::Told).then(|| again.input("y", &[ROWS, CLASSES]));
        let each = evaluate(&values, &[again_of.feature_losses(Rows { y, ..x.into() })]).remove(0);
        assert_eq!(each.len(), ROWS * FEATURES);
        for (whole, each) in whole.iter().zip(each.chunks_exact(FEATURES)) {
            let sum: f64 = each.iter().sum();
            assert!((sum - whole).abs() < 1e-9 * whole.abs(), "{kind}: {sum} and {whole}");
            assert!(each.iter().any(|loss| (sum - loss - whole).abs() > 1e-3), "{kind}: {each:?}");
        }
    }
}

/// Models that draw codes, and have no KL: a discriminator brings all of them to the prior.
const DRAWN_WITHOUT_KL: [&str; 1] = ["ali"];

/// The variance that is told beside that of very many draws, each by the definition of the graph.
#[test]
fn variances_of_codes_are_those_of_draws() {
    const DRAWS: usize = 3000;
    for (kind, network) in every_kind() {
        let (model, graph) = (model_of(&kind, network), Graph::new());
        let values = leaves(&kind, &*model);
        let x = graph.input("x", &[ROWS, FEATURES]);
        let y = (kind.labels != LabelUse::Ignored).then(|| graph.input("y", &[ROWS, CLASSES]));
        let rows = Rows { y, ..x.into() };
        let Some(encode) = model.can().encode else { continue };
        // A quantised code has a KL, and is certain.
        let is_chosen = STRAIGHT_THROUGH.contains(&kind.about.id);
        let has_kl = terms(&graph, &kind, &*model).kl.is_some();
        let (latent, is_drawn) = (encode.latent(), has_kl && !is_chosen || DRAWN_WITHOUT_KL.contains(&kind.about.id));
        let Some(variance) = encode.variance(rows) else {
            let has_none = ["ladder", "hamiltonian", "very-deep", "avb"].contains(&kind.about.id);
            assert!(has_none, "{kind}: all others have a closed form with a Gaussian posterior");
            continue;
        };
        let found = evaluate(&values, &[variance, encode.mean(rows), encode.draw(rows, DRAWS)]);
        assert_eq!(found[2].len(), ROWS * DRAWS * latent);
        for (row, codes) in found[2].chunks_exact(DRAWS * latent).enumerate() {
            for d in 0..latent {
                let off = |code: &[f64]| (code[d] - found[1][row * latent + d]).powi(2);
                let drawn = codes.chunks_exact(latent).map(off).sum::<f64>() / DRAWS as f64;
                let told = found[0][row * latent + d];
                assert_eq!(told > 0.0, is_drawn, "{kind}");
                assert!((drawn - told).abs() <= 0.15 * told, "{kind}: {told}, and {drawn} of draws");
            }
        }
    }
}

/// Settings of models that learn rows by themselves; the one over codes of a VAE has tests of its own, among those of stages.
fn by_themselves() -> impl Iterator<Item = (Architecture, Config)> {
    assert_eq!(ARCHITECTURES.iter().filter(|kind| kind.stands_on_vae).count(), 1);
    let plain = ARCHITECTURES.iter().filter(|kind| !kind.stands_on_vae).map(|kind| {
        let (mut config, kind) = (small(), pieces::small_model(kind));
        config.model.kind = kind.clone();
        (kind, config)
    });
    let (kind, encoder) = pieces::two_levels();
    let mut config = small();
    (config.model.kind, config.model.encoder, config.model.latent) = (kind.clone(), encoder, 32);
    plain.chain([(kind, config)])
}

#[test]
fn it_goes_on_after_a_break_to_the_same_bits() {
    let device = runs::Device::cpu();
    for (kind, mut config) in by_themselves() {
        config.training.epochs = 2;
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
    for (kind, mut config) in by_themselves() {
        (config.training.epochs, config.device.device) = (1, DeviceChoice::Cpu);
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
        // Of a model that gives rows no codes, what it makes.
        let encodes = kind.about.id != "gan";
        let [codes, again] = [&mut trained, &mut back].map(|model| match encodes {
            true => model.encode(given()).unwrap(),
            false => model.sample(9, 1).unwrap(),
        });
        assert_eq!(codes, again, "{kind}");
        assert!(codes.iter().any(|c| *c != codes[0]), "{kind}: the comparison sees nothing");
    }
}
