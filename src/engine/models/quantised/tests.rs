//! Two levels, put together anew in plain numbers.

use std::sync::Arc;

use super::codebook::{Codebook, Learns, Start};
use super::grid::Grid;
use super::level::Level;
use super::residual::Residual;
use super::top::{NAME, Top};
use super::vq_vae::VqVae;
use crate::catalogue::build;
use crate::data::Shape;
use crate::distributions::{INDEX_PRIORS, likelihood::Gaussian};
use crate::graph::eval::{Values, evaluate};
use crate::graph::{Graph, Tensor};
use crate::models::networks::{NetworkPair, Networks};
use crate::models::{Batch, Decode, Encode, IndexCodes, Model, Sizes};
use crate::nn::{Activation, Input, Network, Outputs};

const PICTURE: Shape = Shape { height: 4, width: 1, channels: 1 };
const X: [[f64; 4]; 2] = [[0.3, -0.4, 0.8, 0.9], [-1.0, 0.1, 0.6, -0.2]];
const TOP_BOOK: [f64; 3] = [-1.25, 0.5, 2.5];
const BOOK: [f64; 2] = [-0.875, 1.5];
const HEAD: [f64; 3] = [0.75, -0.25, 0.1];
const GROWN_BIAS: f64 = -0.3;
const BETA: f64 = 0.625;
const SIGMA: f64 = 0.5;

/// Networks without parameters on pictures of four pixels.
#[derive(Clone, Copy, Debug)]
enum Plain {
    /// The encoder: twice the picture.
    Doubled,
    /// From the picture to the top: pairs of pixels are added up, less 1.
    Pairs,
    /// From the top back: each number three times as large, at two pixels.
    Spread,
    /// The decoder: the bottom's codes and half of what stands beside them.
    Sum,
}

impl Network for Plain {
    fn summary(&self) -> String {
        format!("{self:?}")
    }

    fn layers(&self) -> usize {
        0
    }

    fn activation(&self) -> Activation {
        Activation::Silu
    }

    fn mirror(&self) -> Arc<dyn Network> {
        Arc::new(*self)
    }

    fn refusal(&self, _: Shape, _: Shape) -> Option<String> {
        None
    }

    fn forward<'g>(&self, _: &str, Input { x, .. }: Input<'g>, _: Shape) -> Tensor<'g> {
        match self {
            Plain::Doubled => x * 2.0,
            _ => x,
        }
    }

    fn last<'g>(&self, _: &str, x: Tensor<'g>, to: Outputs) -> Tensor<'g> {
        let rows = x.shape()[0];
        let made = match self {
            Plain::Doubled => x,
            Plain::Pairs => x.reshape(&[rows * 2, 2]).sum_rows() - 1.0,
            Plain::Spread => x.reshape(&[rows * 2, 1]).repeat_rows(2) * 3.0,
            Plain::Sum => x.slice(1, 0, 4) + x.slice(1, 4, 4) * 0.5,
        };
        made.reshape(&[rows, to.count])
    }
}

fn level(name: Option<&'static str>, places: usize, codes: usize) -> Level {
    let (learns, start) = (Learns::Gradient, Start::Uniform);
    let codebook = Codebook { codes, dimensions: 1, learns, decay: 0.9, epsilon: 0.5, start, revive: 0 };
    let grid = Grid { image: [places, 1], groups: 1, dimensions: 1 };
    Level { name, grid, quantiser: Arc::new(Residual { codebook, stages: 1 }) }
}

fn model() -> VqVae {
    let hidden = NetworkPair { encoder: Arc::new(Plain::Doubled), decoder: Arc::new(Plain::Sum) };
    let top = level(Some(NAME), 2, TOP_BOOK.len());
    VqVae {
        networks: Networks::new(Sizes { shape: PICTURE, condition: 0 }, 4, hidden, 4, 4),
        likelihood: Arc::new(Gaussian { sigma: SIGMA as f32 }),
        bottom: level(None, 4, BOOK.len()),
        top: Some(Top {
            level: top,
            inwards: Arc::new(Plain::Pairs),
            outwards: Arc::new(Plain::Spread),
            picture: PICTURE,
            channels: 1,
        }),
        commitment: BETA as f32,
        prior: build(INDEX_PRIORS, &"uniform".parse().unwrap()).unwrap(),
    }
}

/// Tap (t, c) of the kernel by which the top's codes grow.
fn tap(t: usize, c: usize) -> f64 {
    0.1 * (t as f64 + 1.0) - 0.7 * (c as f64 - 1.0)
}

fn values() -> Values {
    let mut values = Values::default();
    let mut put = |name: &str, of: &[f64]| values.tensors.insert(name.into(), of.to_vec());
    put("x", &X.concat());
    // What is learnt of vectors stands on top of where they started.
    put("codebook.vectors", &[-1.0, 1.0]);
    put("codebook.moved", &[0.125, 0.5]);
    put("top.codebook.vectors", &[-1.5, 0.5, 3.0]);
    put("top.codebook.moved", &[0.25, 0.0, -0.5]);
    put("head.weight", &HEAD[..2]);
    put("head.bias", &HEAD[2..]);
    put("top.grown.weight", &[0, 1, 2, 3].map(|t| [0, 1, 2, 3].map(|c| tap(t, c))).concat());
    put("top.grown.bias", &[GROWN_BIAS]);
    let graph = Graph::new();
    model().terms(&Batch::whole(graph.input("x", &[2, 4])));
    for spec in graph.parameters() {
        values.tensors.entry(spec.name).or_insert_with(|| vec![0.0; spec.shape.iter().product()]);
    }
    values.step.rows = 2;
    values
}

fn nearest(z: f64, book: &[f64]) -> usize {
    let far = |k: &usize| (z - book[*k]).abs();
    (0..book.len()).min_by(|a, b| far(a).total_cmp(&far(b))).unwrap()
}

/// A row by hand.
#[derive(Clone, Debug)]
struct ByHand {
    top: [f64; 2],
    of_top: [usize; 2],
    bottom: [f64; 4],
    of_bottom: [usize; 4],
    rebuilt: [f64; 4],
}

impl ByHand {
    fn new(x: [f64; 4]) -> ByHand {
        let h = x.map(|x| 2.0 * x);
        let top = [h[0] + h[1] - 1.0, h[2] + h[3] - 1.0];
        let of_top = top.map(|z| nearest(z, &TOP_BOOK));
        let e = of_top.map(|k| TOP_BOOK[k]);
        let bottom = [0, 1, 2, 3].map(|i| HEAD[0] * h[i] + HEAD[1] * 3.0 * e[i / 2] + HEAD[2]);
        let of_bottom = bottom.map(|z| nearest(z, &BOOK));
        // Place o of the top is at pixels 2o − 1 to 2o + 2, and of the columns, of which there is one, in the second tap.
        let grown = [0_usize, 1, 2, 3].map(|y| {
            let seen = (0..2).flat_map(|o| (0..4).map(move |t| (o, t))).filter(|(o, t)| 2 * o + t == y + 1);
            GROWN_BIAS + seen.map(|(o, t)| e[o] * tap(t, 1)).sum::<f64>()
        });
        let rebuilt = [0, 1, 2, 3].map(|i| BOOK[of_bottom[i]] + 0.5 * grown[i]);
        ByHand { top, of_top, bottom, of_bottom, rebuilt }
    }

    /// Σ (z − e)² of both levels.
    fn apart(&self) -> [f64; 2] {
        let top = self.top.iter().zip(self.of_top).map(|(z, k)| (z - TOP_BOOK[k]).powi(2));
        let bottom = self.bottom.iter().zip(self.of_bottom).map(|(z, k)| (z - BOOK[k]).powi(2));
        [bottom.sum(), top.sum()]
    }
}

fn perplexity(chosen: &[usize], codes: usize) -> f64 {
    let share = |k: usize| chosen.iter().filter(|c| **c == k).count() as f64 / chosen.len() as f64;
    (0..codes).map(share).filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum::<f64>().exp()
}

fn near(found: &[f64], expected: &[f64]) -> bool {
    found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5 * b.abs().max(1.0))
}

#[test]
fn two_levels_are_those_of_plain_numbers() {
    let (model, values, graph) = (model(), values(), Graph::new());
    let rows = X.map(ByHand::new);
    let terms = model.terms(&Batch::whole(graph.input("x", &[2, 4])));
    let part = |name: &str| terms.parts.iter().find(|part| part.0 == name).unwrap().1;
    let parts = ["commitment", "perplexity", "top_perplexity"].map(part);
    let all = [&[terms.loss, terms.reconstruction, terms.kl.unwrap(), terms.mu], &parts[..]].concat();
    let found = evaluate(&values, &all);

    let reconstruction = |row: usize| -> f64 {
        let of =
            |(x, y): (&f64, f64)| 0.5 * ((2.0 * std::f64::consts::PI * SIGMA * SIGMA).ln() + ((x - y) / SIGMA).powi(2));
        X[row].iter().zip(rows[row].rebuilt).map(of).sum()
    };
    let apart = rows.clone().map(|row| row.apart());
    let both = apart.map(|[bottom, top]| bottom + top);
    let loss = |row: usize| reconstruction(row) + (BETA + 1.0) * both[row];
    assert!(near(&found[0], &[loss(0), loss(1)]), "{:?}", found[0]);
    assert!(near(&found[1], &[reconstruction(0), reconstruction(1)]));
    assert!(near(&found[2], &[2.0 * 3_f64.ln() + 4.0 * 2_f64.ln(); 2]), "{:?}", found[2]);
    let codes = |row: &ByHand| [&row.of_bottom.map(|k| BOOK[k])[..], &row.of_top.map(|k| TOP_BOOK[k])].concat();
    assert!(near(&found[3], &[codes(&rows[0]), codes(&rows[1])].concat()), "the bottom's codes, then the top's");
    assert!(near(&found[4], &both), "{:?}", found[4]);
    let of_bottom = rows.clone().map(|row| row.of_bottom).concat();
    let of_top = rows.clone().map(|row| row.of_top).concat();
    assert!(near(&found[5], &[perplexity(&of_bottom, 2); 2]) && near(&found[6], &[perplexity(&of_top, 3); 2]));
    // What is compared hangs on both levels.
    assert!(apart.iter().flatten().all(|apart| *apart > 1e-2) && found[5] != found[6], "{apart:?}");
    assert!(!near(&found[0], &[0, 1].map(|row| reconstruction(row) + (BETA + 1.0) * apart[row][0])));
}

#[test]
fn gradients_pass_through_both_levels() {
    let (model, values, graph) = (model(), values(), Graph::new());
    let loss = model.terms(&Batch::whole(graph.input("x", &[2, 4]))).loss;
    let names = ["head.bias", "codebook.moved", "top.codebook.moved", "top.grown.bias"];
    let wrt = names.map(|name| graph.parameter(name));
    let found = evaluate(&values, &loss.gradients(&wrt));
    let rows = X.map(ByHand::new);
    // ∂/∂y of −ln p(x) is (y − x)/σ², which is that of the encodings; a vector is drawn to what chose it alone.
    let (mut head, mut grown, mut book, mut top_book) = (0.0, 0.0, [0.0; 2], [0.0; 3]);
    for (x, row) in X.iter().zip(&rows) {
        for (i, x) in x.iter().enumerate() {
            let (slope, k) = ((row.rebuilt[i] - x) / (SIGMA * SIGMA), row.of_bottom[i]);
            head += slope + 2.0 * BETA * (row.bottom[i] - BOOK[k]);
            grown += 0.5 * slope;
            book[k] += 2.0 * (BOOK[k] - row.bottom[i]);
        }
        for (z, k) in row.top.iter().zip(row.of_top) {
            top_book[k] += 2.0 * (TOP_BOOK[k] - z);
        }
    }
    assert!(near(&found[0], &[head]), "{:?} is not {head}", found[0]);
    assert!(near(&found[1], &book) && near(&found[2], &top_book), "{found:?}, {book:?}, {top_book:?}");
    assert!(near(&found[3], &[grown]), "{:?} is not {grown}", found[3]);
    assert!(book.iter().chain(&top_book).any(|slope| slope.abs() > 0.1));
}

#[test]
fn codes_and_indices_of_both_levels_say_the_same() {
    let (model, values, graph) = (model(), values(), Graph::new());
    let x = graph.input("x", &[2, 4]);
    let (codes, told) = (Encode::mean(&model, x.into()), Encode::indices(&model, x.into()).unwrap());
    assert_eq!((Encode::latent(&model), model.sizes()), (6, [6, 2]));
    let in_order = IndexCodes::indices(&model, x.into());
    let found = evaluate(&values, &[told, in_order, Decode::mean(&model, codes, None)]);
    let rows = X.map(ByHand::new);
    let numbers = |indices: &[usize]| indices.iter().map(|k| *k as f64).collect::<Vec<_>>();
    let upwards = rows.iter().flat_map(|row| numbers(&[&row.of_bottom[..], &row.of_top].concat()));
    let downwards = rows.iter().flat_map(|row| numbers(&[&row.of_top[..], &row.of_bottom].concat()));
    assert_eq!(found[0], upwards.collect::<Vec<_>>());
    assert_eq!(found[1], downwards.collect::<Vec<_>>(), "the top is coded first");
    assert!(near(&found[2], &rows.clone().map(|row| row.rebuilt).concat()), "{:?}", found[2]);
    let outputs = evaluate(&values, &[IndexCodes::outputs(&model, in_order)]).remove(0);
    assert!(near(&outputs, &found[2]), "indices say the codes: {outputs:?}");
}
