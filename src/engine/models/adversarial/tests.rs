//! The mistakes that adversarial models are made with, each of which is seen to be none of these models'.

use super::Critic;
use crate::catalogue::build;
use crate::data::Shape;
use crate::engine::models::{Batch, GroupLoss, Model, ModelConfig, RowForm, parameters};
use crate::error::Result;
use crate::graph::eval::{Values, evaluate};
use crate::graph::{Graph, Tensor};
use crate::nn::NETWORKS;
use crate::objectives::BETA;

const ROWS: usize = 6;
const FEATURES: usize = 5;
const PICTURE: Shape = Shape { height: 8, width: 8, channels: 1 };

/// A small model, as it is chosen.
fn model(kind: &str) -> Box<dyn Model> {
    let encoder = "mlp:6,activation=tanh".parse().unwrap();
    let config = ModelConfig { kind: kind.parse().unwrap(), encoder, latent: 3, ..ModelConfig::default() };
    (config.kind.build)(&config, RowForm { schema: &Shape::vector(FEATURES).into(), condition: 0 }).unwrap()
}

/// What the model's parameters start with, larger, and rows.
fn values(model: &dyn Model) -> Values {
    let mut values = Values::default();
    for (place, spec) in parameters(model).iter().enumerate() {
        let start = spec.start(3, place).into_iter().map(|v| 2.0 * f64::from(v)).collect();
        values.tensors.insert(spec.name.clone(), start);
    }
    values.tensors.insert("x".into(), (0..ROWS * FEATURES).map(|i| (i * 7 % 11) as f64 / 10.0).collect());
    values.scalars.insert(BETA.into(), 1.0);
    values.step.rows = ROWS as u32;
    values
}

/// The losses of a phase, by the group that minimises each; means over the batch.
fn losses<'g>(graph: &'g Graph, model: &dyn Model, phase: usize) -> Vec<(&'static str, Tensor<'g>)> {
    let batch = Batch::whole(graph.input("x", &[ROWS, FEATURES]));
    let found = (model.plan().phases[phase].losses)(&batch).losses;
    found.into_iter().map(|GroupLoss { groups, loss, .. }| (groups[0], loss * batch.weights)).collect()
}

/// The gradient of a loss in all parameters of a scope.
fn gradient(values: &Values, loss: Tensor, scope: &str) -> Vec<f64> {
    let graph = loss.graph();
    let names = graph.parameters().into_iter().map(|spec| spec.name).filter(|name| name.starts_with(scope));
    let wrt: Vec<Tensor> = names.map(|name| graph.parameter(&name)).collect();
    evaluate(values, &loss.gradients(&wrt)).concat()
}

fn norm(of: &[f64]) -> f64 {
    of.iter().map(|g| g * g).sum::<f64>().sqrt()
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / (norm(a) * norm(b))
}

/// Whoever sums all losses and differentiates once gives the decoder a gradient in which fooling and telling undo each other.
#[test]
fn each_group_goes_along_its_own_loss_alone() {
    let model = model("vae-gan:gamma=0.1");
    let (graph, values) = (Graph::new(), values(&*model));
    let all = losses(&graph, &*model, 0);
    let names: Vec<&str> = all.iter().map(|(group, _)| *group).collect();
    assert_eq!(names, ["encoder", "decoder", "discriminator"]);
    let own = gradient(&values, all[1].1, "decoder");
    // By differences, parameter by parameter: the norm and the direction.
    let specs: Vec<_> = graph.parameters().into_iter().filter(|spec| spec.name.starts_with("decoder")).collect();
    let places = specs.iter().flat_map(|spec| (0..spec.shape.iter().product()).map(|i| (spec.name.clone(), i)));
    let slopes: Vec<f64> = places
        .map(|(name, i)| {
            let at = |by: f64| {
                let mut moved = values.clone();
                moved.tensors.get_mut(&name).unwrap()[i] += by;
                evaluate(&moved, &[all[1].1])[0].iter().sum::<f64>()
            };
            (at(1e-4) - at(-1e-4)) / 2e-4
        })
        .collect();
    assert!((norm(&own) / norm(&slopes) - 1.0).abs() < 1e-6 && cosine(&own, &slopes) > 1.0 - 1e-9);
    let summed = gradient(&values, all[0].1 + all[1].1 + all[2].1, "decoder");
    assert!(cosine(&own, &summed) < 0.9, "the mistake would not be seen: {}", cosine(&own, &summed));
}

/// The loss of what tells rows apart has no slope in what makes them; what fools it has.
#[test]
fn what_a_critic_learns_reaches_nobody_else() {
    for (kind, phase, place, others) in [
        ("gan", 0, 0, "decoder"),
        ("gan:loss=wgan-gp", 0, 0, "decoder"),
        ("aae", 0, 1, "encoder"),
        ("ali", 0, 1, "encoder"),
        ("avb", 0, 1, "encoder"),
        ("ali:codes=point,spectral=yes", 0, 1, "decoder"),
        ("factor-vae", 0, 1, "encoder"),
    ] {
        let model = model(kind);
        let (graph, values) = (Graph::new(), values(&*model));
        let all = losses(&graph, &*model, phase);
        let (group, critic) = all[place];
        assert_eq!(group, "discriminator", "{kind}");
        assert!(gradient(&values, critic, others).iter().all(|g| *g == 0.0), "{kind}: it reaches the {others}");
        assert!(norm(&gradient(&values, critic, "discriminator")) > 1e-3, "{kind}: the critic learns nothing");
        // The other loss of the model goes through the critic, as it must.
        let graph = Graph::new();
        let last = model.plan().phases.len() - 1;
        let fooling = losses(&graph, &*model, last)[0].1;
        assert!(norm(&gradient(&values, fooling, others)) > 1e-3, "{kind}: nobody fools the critic");
        assert!(norm(&gradient(&values, fooling, "discriminator")) > 1e-6, "{kind}: not by way of the critic");
    }
}

/// The discriminator of a VAE-GAN is shown reconstructions beside draws: what it minimises hangs on the encoder, whose part nothing
/// else of the loss has.
#[test]
fn reconstructions_are_shown_to_the_discriminator() {
    let model = model("vae-gan");
    let (graph, values) = (Graph::new(), values(&*model));
    let discriminator = losses(&graph, &*model, 0)[2].1;
    let sum = |values: &Values| evaluate(values, &[discriminator])[0].iter().sum::<f64>();
    let changed = |name: &str| {
        let mut moved = values.clone();
        moved.tensors.get_mut(name).unwrap().iter_mut().for_each(|v| *v += 0.5);
        (sum(&moved) - sum(&values)).abs()
    };
    assert!(changed("head.bias") > 1e-4 && changed("decoder.0.bias") > 1e-4);
    // The draws of a GAN alone hang on no encoder.
    let other = self::model("gan");
    assert!(parameters(&*other).iter().all(|spec| !spec.name.starts_with("head")));
}

/// Of rows with their codes, and of codes with the rows that are made of them, by hand: the encoder gives all rows one code, the generator makes
/// one row of all codes, and the critic hears the first value and the first dimension.
#[test]
fn pairs_cost_what_the_formula_says() {
    const ROW: f64 = 0.4;
    const CODE: f64 = -0.7;
    const OF_ROW: f64 = 1.5;
    const OF_CODE: f64 = 0.8;
    const SLOPE: f64 = 2.0;
    for (loss, formula) in [
        (
            "non-saturating",
            (|s: [f64; 2]| [softplus(-s[0]) + softplus(s[1]), softplus(-s[1]) + softplus(s[0])]) as Formula,
        ),
        ("hinge", (|s: [f64; 2]| [(1.0 - s[0]).max(0.0) + (1.0 + s[1]).max(0.0), s[0] - s[1]]) as Formula),
    ] {
        let model = model(&format!("ali:codes=point,loss={loss}"));
        let (graph, mut values) = (Graph::new(), values(&*model));
        let all = losses(&graph, &*model, 0);
        // The only draw is that of the prior.
        let noise = graph.normal(1, &[ROWS, 3]);
        let is_parameter = |name: &String| name != "x";
        values.tensors.iter_mut().filter(|(name, _)| is_parameter(name)).for_each(|(_, of)| of.fill(0.0));
        let mut put = |name: &str, place: usize, value: f64| values.tensors.get_mut(name).unwrap()[place] = value;
        put("head.bias", 0, CODE);
        (0..FEATURES).for_each(|place| put("decoder.1.bias", place, ROW));
        put("discriminator.0.weight", 0, OF_ROW);
        put("discriminator.0.weight", FEATURES, OF_CODE);
        put("discriminator.head.weight", 0, SLOPE);
        let [makers, critics, noise] = <[_; 3]>::try_from(evaluate(&values, &[all[0].1, all[1].1, noise])).unwrap();
        let score = |x: f64, z: f64| SLOPE * (OF_ROW * x + OF_CODE * z).tanh();
        let made = 1.0 / (1.0 + (-ROW).exp());
        for row in 0..ROWS {
            let pairs = [score(values.tensors["x"][row * FEATURES], CODE), score(made, noise[3 * row])];
            let expected = formula(pairs).map(|cost| cost / ROWS as f64);
            let far = |expected: [f64; 2]| (critics[row] - expected[0]).abs().max((makers[row] - expected[1]).abs());
            assert!(far(expected) < 1e-6, "{loss}, row {row}: {} and {}, not {expected:?}", critics[row], makers[row]);
            let swapped = formula([pairs[1], pairs[0]]).map(|cost| cost / ROWS as f64);
            assert!(far(swapped) > 1e-3, "{loss}, row {row}: which pair is real counts");
        }
    }
}

/// A code of a row and of noise, its log-likelihood and the critic's two scores, by hand: the encoder hears the first number of the noise, the
/// decoder nothing, and the critic the first value and the first dimension.
#[test]
fn an_implicit_posterior_costs_what_the_formula_says() {
    const MIDDLE: f64 = -0.7;
    const OF_NOISE: f64 = 0.6;
    const OF_HIDDEN: f64 = 1.3;
    const OF_ROW: f64 = 1.5;
    const OF_CODE: f64 = 0.8;
    const SLOPE: f64 = 2.0;
    const LOGIT: f64 = 0.4;
    let model = model("avb:noise=2");
    let (graph, mut values) = (Graph::new(), values(&*model));
    let all = losses(&graph, &*model, 0);
    // First the noise is drawn, then codes of the prior.
    let (noise, prior) = (graph.normal(1, &[ROWS, 2]), graph.normal(2, &[ROWS, 3]));
    values.tensors.iter_mut().filter(|(name, _)| *name != "x").for_each(|(_, of)| of.fill(0.0));
    let mut put = |name: &str, place: usize, value: f64| values.tensors.get_mut(name).unwrap()[place] = value;
    put("encoder.0.weight", FEATURES, OF_NOISE);
    put("head.weight", 0, OF_HIDDEN);
    put("head.bias", 0, MIDDLE);
    (0..FEATURES).for_each(|place| put("decoder.1.bias", place, LOGIT));
    put("discriminator.0.weight", 0, OF_ROW);
    put("discriminator.0.weight", FEATURES, OF_CODE);
    put("discriminator.head.weight", 0, SLOPE);
    let found = evaluate(&values, &[all[0].1, all[1].1, noise, prior]);
    let score = |x: f64, z: f64| SLOPE * (OF_ROW * x + OF_CODE * z).tanh();
    for row in 0..ROWS {
        let x = &values.tensors["x"][row * FEATURES..][..FEATURES];
        let code = MIDDLE + OF_HIDDEN * (OF_NOISE * found[2][2 * row]).tanh();
        let reconstruction: f64 = x.iter().map(|x| softplus(LOGIT) - x * LOGIT).sum();
        let [of_row, of_prior] = [code, found[3][3 * row]].map(|z| score(x[0], z));
        let expected = [reconstruction + of_row, softplus(-of_row) + softplus(of_prior)].map(|v| v / ROWS as f64);
        let far = |expected: [f64; 2]| (0..2).map(|i| (found[i][row] - expected[i]).abs()).fold(0.0, f64::max);
        assert!(far(expected) < 1e-6, "row {row}: {} and {}, not {expected:?}", found[0][row], found[1][row]);
        let without = score(x[0], MIDDLE);
        assert!(far([(reconstruction + without) / ROWS as f64, expected[1]]) > 1e-4, "row {row}: the noise is heard");
        let swapped = [(reconstruction - of_row) / ROWS as f64, (softplus(of_row) + softplus(-of_prior)) / ROWS as f64];
        assert!(far(swapped) > 1e-3, "row {row}: the sign of T counts");
    }
}

/// What the discriminator and those who fool it pay for the scores of a real pair and of a made one.
type Formula = fn([f64; 2]) -> [f64; 2];

fn softplus(x: f64) -> f64 {
    x.exp().ln_1p()
}

/// A small model of pictures with a network that is chosen as encoder.
fn of_pictures(kind: &str, encoder: &str) -> Result<Box<dyn Model>> {
    let (kind, encoder) = (kind.parse().unwrap(), encoder.parse().unwrap());
    let config = ModelConfig { kind, encoder, latent: 8, ..ModelConfig::default() };
    (config.kind.build)(&config, RowForm { schema: &PICTURE.into(), condition: 0 })
}

/// A network whose code is a picture gives no single number, as a critic has to.
#[test]
fn a_critic_is_no_network_of_pictures_of_codes() {
    for kind in ["avb", "gan", "ali", "vae-gan"] {
        let of = |code: &str| of_pictures(kind, &format!("resnet:4,inner=2,blocks=1,code={code}"));
        let why = of("spatial").expect_err("it has no critic").to_string();
        assert!(why.contains("gives one number of a row") && why.contains("code=vector"), "{kind}: {why}");
        let model = of("vector").unwrap();
        let graph = Graph::new();
        assert_eq!(model.terms(&Batch::whole(graph.input("x", &[ROWS, 64]))).loss.shape(), [ROWS, 1], "{kind}");
    }
}

/// The running statistics of an encoder follow the codes that are drawn, and not the one that is told beside them.
#[test]
fn an_encoder_follows_drawn_codes_alone() {
    let model = of_pictures("avb", "mlp:6,norm=batch").unwrap();
    let mean_after = |step: &dyn for<'g> Fn(&'g Graph)| {
        let graph = Graph::of_training();
        step(&graph);
        let mut values = Values::default();
        for (place, spec) in graph.parameters().iter().enumerate() {
            values.tensors.insert(spec.name.clone(), spec.start(7, place).into_iter().map(f64::from).collect());
        }
        values.tensors.insert("x".into(), (0..ROWS * 64).map(|i| (i * 7 % 11) as f64 / 10.0).collect());
        values.scalars.insert(BETA.into(), 1.0);
        let all = graph.assigns();
        let (_, after) = all.iter().find(|(name, _)| name.starts_with("encoder.") && name.ends_with(".mean")).unwrap();
        evaluate(&values, &[*after]).remove(0)
    };
    let whole = mean_after(&|graph| {
        model.terms(&Batch::whole(graph.input("x", &[ROWS, 64])));
    });
    let encoder = model.can().encode.unwrap();
    let drawn = mean_after(&|graph| {
        encoder.draw(graph.input("x", &[ROWS, 64]).into(), 1);
    });
    let both = mean_after(&|graph| {
        let x = graph.input("x", &[ROWS, 64]);
        encoder.draw(x.into(), 1);
        encoder.mean(x.into());
    });
    assert_eq!(whole, drawn);
    assert_ne!(whole, both);
}

/// With batch normalisation, what a critic says of real rows does not hang on the rows that are made.
#[test]
fn real_rows_and_made_ones_are_never_normalised_together() {
    let shape = Shape { height: 4, width: 4, channels: 1 };
    let network = build(NETWORKS, &"conv:channels=3,hidden=4,norm=batch".parse().unwrap()).unwrap();
    let critic = Critic::new(shape, network, false);
    let graph = Graph::of_training();
    let [real, made] = ["real", "made"].map(|name| graph.input(name, &[3, 16]));
    let [of_real, of_made] = [real, made].map(|x| critic.score(x));
    let together = critic.score(graph.concat(&[real, made], 0)).slice(0, 0, 3);
    let mut values = Values::default();
    for (place, spec) in graph.parameters().iter().enumerate() {
        values.tensors.insert(spec.name.clone(), spec.start(5, place).into_iter().map(f64::from).collect());
    }
    let rows = |by: f64| (0..48).map(|i| by * (i * 5 % 13) as f64).collect::<Vec<f64>>();
    let found = [0.3, 2.0].map(|by| {
        values.tensors.insert("real".into(), rows(0.1));
        values.tensors.insert("made".into(), rows(by).into_iter().rev().map(|v| v - 1.0).collect());
        evaluate(&values, &[of_real, of_made, together])
    });
    assert_eq!(found[0][0], found[1][0], "what is made changes what is said of real rows");
    assert_ne!(found[0][2], found[1][2], "the mistake would not be seen");
}
