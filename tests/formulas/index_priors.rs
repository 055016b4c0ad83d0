//! Priors over indices: probabilities that sum to 1, a likelihood put together anew in plain loops, gradients, and draws.

use std::collections::BTreeMap;

use elbo::catalogue::build;
use elbo::engine::cpu::Cpu;
use elbo::engine::distributions::{Above, INDEX_PRIORS, IndexGrid, IndexLevel};
use elbo::engine::graph::eval::{Values, evaluate};
use elbo::engine::graph::{Graph, Init, ParameterSpec, Tensor};
use elbo::engine::program::{Gradients, ParameterSet, Request};

use crate::common;
use crate::common::oracle::{Device, values, worst, worst_against};

const PRIOR: &str = "pixelcnn:channels=3,layers=2,reach=1";
/// A picture of places, a vector of indices, and both.
const GRIDS: [IndexGrid; 3] = [
    IndexGrid { image: [2, 2], depth: 1, codes: 3 },
    IndexGrid { image: [1, 1], depth: 3, codes: 3 },
    IndexGrid { image: [2, 1], depth: 2, codes: 3 },
];

/// A level that is told another one, and that one: the last place above is at the last place below, and half outside.
const BELOW: IndexGrid = IndexGrid { image: [3, 1], depth: 1, codes: 3 };
const ABOVE: IndexGrid = IndexGrid { image: [2, 1], depth: 2, codes: 3 };
/// The indices of that, in every row.
const KNOWN: [usize; 4] = [2, 0, 1, 1];
const ALL: [IndexGrid; 4] = [GRIDS[0], GRIDS[1], GRIDS[2], BELOW];

/// What a prior over a grid is asked about, of so many rows: where there is a level above, it is given under the name `above`.
fn level<'g>(graph: &'g Graph, grid: IndexGrid, rows: usize) -> IndexLevel<'g> {
    match grid == BELOW {
        true => {
            let chosen = graph.input("above", &[rows * ABOVE.indices(), ABOVE.codes]);
            IndexLevel { name: Some("low"), above: Some(Above { grid: ABOVE, chosen }), ..grid.into() }
        }
        false => grid.into(),
    }
}

/// ln p(k) of `rows` rows of indices, which are ones among zeros under the name `k`.
fn log_prob<'g>(graph: &'g Graph, prior: &str, grid: IndexGrid, rows: usize) -> Tensor<'g> {
    let chosen = graph.input("k", &[rows * grid.indices(), grid.codes]);
    build(INDEX_PRIORS, &prior.parse().unwrap()).unwrap().log_prob(chosen, level(graph, grid, rows))
}

/// Large weights without a pattern, so that what stands before an index counts.
fn parameters(graph: &Graph, into: &mut Values) {
    for (place, spec) in graph.parameters().iter().enumerate() {
        let start = ParameterSpec { init: Init::Uniform(1.2), ..spec.clone() }.start(5, place);
        into.tensors.insert(spec.name.clone(), start.into_iter().map(f64::from).collect());
    }
}

/// The digits of a number, as many as there are indices.
fn digits(number: usize, grid: IndexGrid) -> Vec<usize> {
    (0..grid.indices()).map(|i| number / grid.codes.pow(i as u32) % grid.codes).collect()
}

fn one_hot(indices: &[usize], codes: usize) -> Vec<f64> {
    indices.iter().flat_map(|&k| (0..codes).map(move |code| f64::from(u8::from(code == k)))).collect()
}

/// ln p(k) of every row of indices that there is.
fn of_all(prior: &str, grid: IndexGrid) -> (Vec<f64>, Values) {
    let (graph, all) = (Graph::new(), grid.codes.pow(grid.indices() as u32));
    let found = log_prob(&graph, prior, grid, all);
    let mut values = values(all);
    parameters(&graph, &mut values);
    let rows: Vec<usize> = (0..all).flat_map(|number| digits(number, grid)).collect();
    values.tensors.insert("k".into(), one_hot(&rows, grid.codes));
    values.tensors.insert("above".into(), one_hot(&KNOWN.repeat(all), ABOVE.codes));
    (evaluate(&values, &[found]).remove(0), values)
}

#[test]
fn probabilities_of_all_rows_sum_to_one() {
    for prior in ["uniform", PRIOR] {
        for grid in ALL {
            let p: Vec<f64> = of_all(prior, grid).0.into_iter().map(f64::exp).collect();
            let (sum, most) = (p.iter().sum::<f64>(), p.iter().copied().fold(0.0, f64::max));
            // In 32 bits, ln K is that of the uniform prior.
            assert!((sum - 1.0).abs() < 1e-6, "{prior}, {grid:?}: {sum}");
            let spread = most * p.len() as f64;
            assert_eq!(spread > 1.5, prior == PRIOR, "{prior}: the likeliest is {spread} times what all even is");
        }
    }
}

/// A gated PixelCNN of two layers that reach one pixel, in plain loops; with `fault`, the second layer does not see the place itself.
struct ByHand<'a> {
    values: &'a BTreeMap<String, Vec<f64>>,
    grid: IndexGrid,
    fault: bool,
}

const CHANNELS: usize = 3;
type Picture = Vec<Vec<f64>>;

impl ByHand<'_> {
    /// A parameter of the level.
    fn own(&self, name: &str) -> &[f64] {
        let level = if self.grid == BELOW { "low." } else { "" };
        &self.values[&format!("prior.{level}pixelcnn.{name}")]
    }

    fn linear(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let [weight, bias] = ["weight", "bias"].map(|part| self.own(&format!("{name}.{part}")));
        let row = |(w, b): (&[f64], &f64)| b + w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
        weight.chunks(x.len()).zip(bias).map(row).collect()
    }

    /// What lies at pixels of these offsets from a place, 0 outside.
    fn around(&self, x: &Picture, place: usize, offsets: &[(isize, isize)]) -> Vec<f64> {
        let [h, w] = self.grid.image.map(|size| size as isize);
        let (y0, x0) = (place as isize / w, place as isize % w);
        let at = |&(dy, dx): &(isize, isize)| {
            let (y, x1) = (y0 + dy, x0 + dx);
            let is_inside = (0..h).contains(&y) && (0..w).contains(&x1);
            if is_inside { x[(y * w + x1) as usize].clone() } else { vec![0.0; CHANNELS] }
        };
        offsets.iter().flat_map(at).collect()
    }

    /// What the level above means for each place, if there is one.
    fn of_above(&self) -> Vec<Vec<f64>> {
        if self.grid != BELOW {
            return vec![vec![]; self.grid.places()];
        }
        let embedded = |place: usize, c: usize| -> f64 {
            let of = |m: usize| self.own(&format!("above.embedding.{m}.weight"))[KNOWN[2 * place + m] * CHANNELS + c];
            of(0) + of(1)
        };
        // Of a kernel of 3×3 on a column of two, the middle column; of one of 4×4 at every other place, from one in front of it on, the second.
        let near = |place: usize| {
            let seen = (0..9).flat_map(|tap| (0..CHANNELS).map(move |c| (tap, c)));
            let value = |(tap, c): (usize, usize)| match (place + tap / 3, tap % 3) {
                (y @ 1..=2, 1) => embedded(y - 1, c),
                _ => 0.0,
            };
            let seen: Vec<f64> = seen.map(value).collect();
            self.linear("above.near", &seen).into_iter().map(|a| a.max(0.0)).collect::<Vec<f64>>()
        };
        let [kernel, bias] = ["weight", "bias"].map(|part| self.own(&format!("above.grown.{part}")));
        let at = |y: usize| {
            let mut all = bias.to_vec();
            for (place, tap) in (0..2).flat_map(|o| (0..4).map(move |t| (o, t))).filter(|(o, t)| 2 * o + t == y + 1) {
                for (from, value) in near(place).into_iter().enumerate() {
                    let row = &kernel[from * 16 * CHANNELS..][(4 * tap + 1) * CHANNELS..][..CHANNELS];
                    all.iter_mut().zip(row).for_each(|(sum, weight)| *sum += value * weight);
                }
            }
            all.into_iter().map(|a| a.max(0.0)).collect()
        };
        (0..3).map(at).collect()
    }

    fn gate(x: &[f64]) -> Vec<f64> {
        let (a, b) = x.split_at(CHANNELS);
        a.iter().zip(b).map(|(a, b)| a.tanh() / (1.0 + (-b).exp())).collect()
    }

    /// ln p of a row of indices.
    fn log_prob(&self, indices: &[usize]) -> f64 {
        let IndexGrid { depth, codes, .. } = self.grid;
        let places = self.grid.places();
        let embedding =
            |m: usize, k: usize| self.own(&format!("embedding.{m}.weight"))[k * CHANNELS..][..CHANNELS].to_vec();
        let plus = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a + b).collect::<Vec<f64>>();
        let nothing = vec![0.0; CHANNELS];
        let given: Picture = (0..places)
            .map(|p| (0..depth).fold(nothing.clone(), |sum, m| plus(&sum, &embedding(m, indices[p * depth + m]))))
            .collect();
        let above = [(-1, -1), (-1, 0), (-1, 1)];
        let own_row = [(0, -1), (0, 0), (0, 1)];
        // The first layer sees the rows above, and in its own row what stands to the left.
        let pre = |x: &Picture, name: &str, offsets: &[(isize, isize)]| -> Picture {
            (0..places).map(|p| self.linear(name, &self.around(x, p, offsets))).collect()
        };
        let stack = |number: usize, v: &Picture, h: &Picture, up: &[_], left: &[_]| -> (Picture, Picture) {
            let name = |part: &str| format!("{number}.{part}");
            let (from_above, before) = (pre(v, &name("vertical"), up), pre(h, &name("horizontal"), left));
            let both = from_above.iter().zip(&before).map(|(v, h)| plus(h, &self.linear(&name("link"), v)));
            let out = both.map(|both| self.linear(&name("out"), &Self::gate(&both))).collect();
            (from_above.iter().map(|v| Self::gate(v)).collect(), out)
        };
        let (v, h) = stack(0, &given, &given, &above, &[(0, -1)]);
        let seen = if self.fault { [(0, -1), (0, -1)] } else { [(0, -1), (0, 0)] };
        let (_, out) = stack(1, &v, &h, &[above, own_row].concat(), &seen);
        let (mut total, above) = (0.0, self.of_above());
        for p in 0..places {
            let context: Vec<f64> = plus(&out[p], &h[p]).into_iter().map(|a| a.max(0.0)).collect();
            let mut before: Option<Vec<f64>> = None;
            for m in 0..depth {
                let seen = [context.clone(), above[p].clone(), before.clone().unwrap_or_default()].concat();
                let hidden: Vec<f64> =
                    self.linear(&format!("index.{m}.hidden"), &seen).iter().map(|a| a.max(0.0)).collect();
                let logits = self.linear(&format!("index.{m}.logits"), &hidden);
                let all: f64 = logits.iter().map(|a| a.exp()).sum();
                let k = indices[p * depth + m];
                total += logits[k] - all.ln();
                before = Some(plus(before.as_ref().unwrap_or(&nothing), &embedding(m, k)));
            }
        }
        assert!(indices.iter().all(|k| *k < codes));
        total
    }
}

#[test]
fn likelihoods_are_those_put_together_by_hand() {
    for grid in ALL {
        let (found, values) = of_all(PRIOR, grid);
        let tensors: BTreeMap<String, Vec<f64>> = values.tensors.clone().into_iter().collect();
        let far = |fault: bool| {
            let by_hand = ByHand { values: &tensors, grid, fault };
            let each = found.iter().enumerate().map(|(n, found)| (found - by_hand.log_prob(&digits(n, grid))).abs());
            each.fold(0.0, f64::max)
        };
        assert!(far(false) < 1e-9, "{grid:?}: {}", far(false));
        assert!(grid.image == [1, 1] || far(true) > 1e-2, "{grid:?}: a fault is not seen, {}", far(true));
    }
}

/// Index by index, put aside behind each and taken up again, indices are as likely as all at once; told of the indices of another row they
/// are not.
#[test]
fn a_walk_that_is_put_aside_tells_the_likelihood() {
    for (prior, grid) in ALL.into_iter().flat_map(|grid| [(PRIOR, grid), ("uniform", grid)]) {
        let (likely, values) = of_all(prior, grid);
        let (rows, piece) = (likely.len(), build(INDEX_PRIORS, &prior.parse().unwrap()).unwrap());
        let total = |shift: usize| {
            let graph = Graph::new();
            let k = graph.input("k", &[rows * grid.indices(), grid.codes]);
            let of_index =
                |index: usize| k.reshape(&[rows, grid.indices() * grid.codes]).slice(1, index * grid.codes, grid.codes);
            let mut total = graph.constant(0.0);
            let mut walk = piece.walk(&graph, rows, level(&graph, grid, rows));
            for index in 0..grid.indices() {
                let logits = walk.logits();
                total = total + (logits * of_index(index)).sum_rows() - logits.log_sum_exp(&[1]);
                walk = piece.resume(&graph, rows, level(&graph, grid, rows), (index, walk.memory()));
                let told = of_index(index);
                let rest = rows - shift;
                walk.tell(match shift {
                    0 => told,
                    _ => graph.concat(&[told.slice(0, shift, rest), told.slice(0, 0, shift)], 0),
                });
            }
            evaluate(&values, &[total]).remove(0)
        };
        let far = |found: &[f64]| found.iter().zip(&likely).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(far(&total(0)) < 1e-6, "{prior}, {grid:?}: {}", far(&total(0)));
        assert_eq!(far(&total(1)) > 1e-2, prior == PRIOR, "{prior}, {grid:?}: what is told counts: {}", far(&total(1)));
    }
}

/// −ln p along a direction of all parameters, and its gradient; then both on a device.
#[test]
fn gradients_are_those_of_the_likelihood_on_every_device() {
    const ROWS: usize = 6;
    const H: f64 = 1e-4;
    for grid in ALL {
        let graph = Graph::new();
        let loss = -log_prob(&graph, PRIOR, grid, ROWS);
        let specs = graph.parameters();
        let mut values = values(ROWS);
        parameters(&graph, &mut values);
        let rows: Vec<usize> = (0..ROWS).flat_map(|row| digits(11 * row + 5, grid)).collect();
        values.tensors.insert("k".into(), one_hot(&rows, grid.codes));
        values.tensors.insert("above".into(), one_hot(&KNOWN.repeat(ROWS), ABOVE.codes));
        let wrt: Vec<Tensor> = specs.iter().map(|spec| graph.parameter(&spec.name)).collect();
        let gradients = loss.gradients(&wrt);
        let found = evaluate(&values, &gradients);
        let mut numbers = common::oracle::Numbers(9);
        let direction: Vec<Vec<f64>> = found.iter().map(|g| numbers.signed(g.len())).collect();
        let at = |h: f64| {
            let mut moved = values.clone();
            for (spec, along) in specs.iter().zip(&direction) {
                let parameter = moved.tensors.get_mut(&spec.name).unwrap();
                parameter.iter_mut().zip(along).for_each(|(p, d)| *p += h * d);
            }
            evaluate(&moved, &[loss])[0].iter().sum::<f64>()
        };
        let slope = (8.0 * (at(H) - at(-H)) - (at(2.0 * H) - at(-2.0 * H))) / (12.0 * H);
        let along: f64 = found.iter().flatten().zip(direction.iter().flatten()).map(|(g, d)| g * d).sum();
        assert!((along - slope).abs() < 1e-6 * slope.abs().max(1.0), "{grid:?}: {along} is not {slope}");
        assert!((along * 1.01 - slope).abs() > 1e-6 * slope.abs().max(1.0));

        let set = ParameterSet::new("model", specs.iter().map(|spec| (spec.name.clone(), spec.shape.clone())));
        let request = Request {
            parameters: vec![&set],
            outputs: vec![("loss", loss)],
            gradients: vec![Gradients { set: &set, tensors: gradients, accumulate: false }],
            ..Request::new("prior", &graph)
        };
        let mut other = values.clone();
        other.tensors.get_mut("k").unwrap().rotate_right(1);
        let mut devices = vec![Device::new(Box::new(Cpu::new()))];
        devices.extend(common::gpu().map(|gpu| Device::new(Box::new(gpu))));
        for device in &mut devices {
            let (far, what) = worst(device, &request, &values);
            assert!(far < 1e-4, "{grid:?}: {far:e} in {what}");
            assert!(worst_against(device, &request, &values, &other).0 > 1e-3, "the comparison sees nothing");
        }
    }
}

/// Draws of a device are those of the graph, index by index, and as frequent as they are likely.
#[test]
fn draws_are_as_frequent_as_they_are_likely() {
    const ROWS: usize = 5_000;
    let grid = IndexGrid { image: [2, 1], depth: 2, codes: 2 };
    let prior = build(INDEX_PRIORS, &PRIOR.parse().unwrap()).unwrap();
    let (likely, values) = of_all(PRIOR, grid);
    let graph = Graph::new();
    let draws = |temperature: f32| {
        let drawn = prior.sample(&graph, ROWS, grid.into(), temperature);
        assert_eq!(drawn.len(), grid.indices());
        graph.concat(&drawn, 1)
    };
    let (warm, cold) = (draws(1.0), draws(0.0));
    // How often each row of indices was drawn.
    let shares = |drawn: Vec<f64>| {
        let mut shares = vec![0.0; likely.len()];
        for row in drawn.chunks(grid.indices() * grid.codes) {
            let digits = row.chunks(grid.codes).enumerate().map(|(i, one)| one[1] as usize * grid.codes.pow(i as u32));
            shares[digits.sum::<usize>()] += 1.0 / ROWS as f64;
        }
        shares
    };
    let [warm_shares, cold_shares] = <[_; 2]>::try_from(evaluate(&values, &[warm, cold])).unwrap().map(shares);
    let far = |temperature: f64| {
        let p: Vec<f64> = likely.iter().map(|ln_p| (ln_p / temperature).exp()).collect();
        let sum: f64 = p.iter().sum();
        warm_shares.iter().zip(&p).map(|(share, p)| (share - p / sum).abs()).fold(0.0, f64::max)
    };
    assert!(far(1.0) < 0.025, "{}", far(1.0));
    assert!(far(0.5) > 0.05, "other probabilities are told apart: {}", far(0.5));
    assert_eq!(cold_shares.iter().filter(|share| **share > 0.0).count(), 1, "at 0 all draws are one");

    let small = prior.sample(&graph, 50, grid.into(), 0.7);
    let set = {
        let names = graph.parameters();
        ParameterSet::new("model", names.iter().map(|spec| (spec.name.clone(), spec.shape.clone())))
    };
    let request = Request {
        parameters: vec![&set],
        outputs: vec![("drawn", graph.concat(&small, 1))],
        ..Request::new("draws", &graph)
    };
    let mut devices = vec![Device::new(Box::new(Cpu::new()))];
    devices.extend(common::gpu().map(|gpu| Device::new(Box::new(gpu))));
    for device in &mut devices {
        let (far, _) = worst(device, &request, &values);
        assert!(far < 1e-6, "{far}");
    }
}

/// What a place holds is read by many places after it, and by every index there: more than a call has bindings.
#[test]
fn many_places_and_many_indices_are_drawn() {
    let prior = build(INDEX_PRIORS, &"pixelcnn:channels=2,layers=2,reach=2".parse().unwrap()).unwrap();
    for grid in [IndexGrid { image: [4, 5], depth: 1, codes: 3 }, IndexGrid { image: [1, 1], depth: 12, codes: 3 }] {
        let graph = Graph::new();
        let drawn = graph.concat(&prior.sample(&graph, 6, grid.into(), 1.0), 1);
        let mut values = values(6);
        parameters(&graph, &mut values);
        let specs = graph.parameters();
        let set = ParameterSet::new("model", specs.iter().map(|spec| (spec.name.clone(), spec.shape.clone())));
        let request =
            Request { parameters: vec![&set], outputs: vec![("drawn", drawn)], ..Request::new("draws", &graph) };
        let (far, _) = worst(&mut Device::new(Box::new(Cpu::new())), &request, &values);
        assert!(far < 1e-6, "{grid:?}: {far}");
    }
}

/// Of a level that is told another one.
#[test]
fn indices_that_are_told_others_hang_on_them() {
    let (likely, mut values) = of_all(PRIOR, BELOW);
    let (graph, rows) = (Graph::new(), likely.len());
    let found = log_prob(&graph, PRIOR, BELOW, rows);
    // Any of the four that is another one makes them others.
    for index in 0..4 {
        let mut known = KNOWN;
        known[index] = (known[index] + 1) % 3;
        values.tensors.insert("above".into(), one_hot(&known.repeat(rows), ABOVE.codes));
        let others = evaluate(&values, &[found]).remove(0);
        let far = others.iter().zip(&likely).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(far > 1e-2, "index {index}: {far}");
    }
}

#[test]
fn more_indices_than_are_unrolled_are_refused() {
    let prior = build(INDEX_PRIORS, &PRIOR.parse().unwrap()).unwrap();
    assert_eq!(prior.refusal(1024), None);
    let why = prior.refusal(2048).unwrap();
    assert!(why.contains("takes 2048 choices in a row") && why.contains("at most 1024"), "{why}");
}
