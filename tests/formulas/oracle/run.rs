//! The whole run: what a step costs and its gradient, all steps, and the evaluation of other rows.

use super::adam::{Adam, norm};
use super::densities::kl;
use super::faults::Fault;
use super::figures::{CODES, Figures, Kind};
use super::network::{Network, Tensors};
use super::random::Draws;
use super::rates::{full_beta, kl_weight, learning_rate};
use super::rows::{Batch, Rows};
use super::settings::Settings;

/// What a step tells: means over the live rows of a batch, in nats.
#[derive(Clone, Debug, Default)]
pub struct Means {
    /// −ln p(x | z) + weight·KL, −ln p(x | z), and KL.
    pub terms: [f64; 3],
    /// The KL of each dimension, where there is one.
    pub kl_per_dimension: Vec<f64>,
    /// The posterior means of the live rows.
    pub codes: Vec<Vec<f64>>,
}

/// A run by hand.
pub struct Hand<'a> {
    /// What it is like.
    pub settings: &'a Settings,
    /// What goes wrong in it.
    pub fault: Option<Fault>,
    /// The networks.
    pub network: Network,
}

impl Hand<'_> {
    /// A run.
    pub fn new(settings: &Settings, fault: Option<Fault>) -> Hand<'_> {
        Hand { settings, fault, network: Network::new(settings) }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// ε of the reparameterised code z = μ + σε (Kingma and Welling 2014, section 2.4).
    fn noise(&self, mut draws: Draws, mut stream: u32, row: usize, dimension: usize) -> f64 {
        let mut element = row * self.settings.latent + dimension;
        match self.fault {
            Some(Fault::NoiseOfAnotherStep) => draws.step += 1,
            Some(Fault::NoiseOfAnotherStream) => stream += 1,
            Some(Fault::NoiseSwapped) => element ^= 1,
            _ => {}
        }
        draws.normal(stream, element)
    }

    /// The means over a batch; the derivatives of the first term in the parameters are added to `gradients`.
    pub fn step(&self, tensors: &Tensors, batch: &Batch, weight: f64, draws: Draws, gradients: &mut Tensors) -> Means {
        let (network, latent) = (&self.network, self.settings.latent);
        let rows = if self.has(Fault::PaddingCounts) { batch.x.len() } else { batch.live };
        let share = 1.0 / if self.has(Fault::ShortBatchAsWhole) { batch.x.len() } else { rows } as f64;
        let dimensions = if self.settings.variational { latent } else { 0 };
        let mut means = Means { kl_per_dimension: vec![0.0; dimensions], ..Means::default() };
        let [mut reconstruction, mut divergence] = [0.0; 2];
        for (b, x) in batch.x[..rows].iter().enumerate() {
            let encoder = network.forward(tensors, 0..network.encoder, x.clone());
            let outputs = &encoder[network.encoder];
            let eps: Vec<f64> = (0..latent).map(|d| self.noise(draws, batch.streams + 1, b, d)).collect();
            let deviation = |d: usize| (0.5 * outputs[latent + d]).exp();
            let z = match self.settings.variational {
                true => (0..latent).map(|d| outputs[d] + deviation(d) * eps[d]).collect(),
                false => outputs.clone(),
            };
            let decoder = network.forward(tensors, network.encoder..network.depth(), z);
            let a = &decoder[decoder.len() - 1];
            let losses: Vec<_> = x.iter().zip(a).map(|(&x, &a)| self.settings.density.loss(x, a, self.fault)).collect();
            reconstruction += share * losses.iter().map(|[loss, _]| loss).sum::<f64>();
            let slope = losses.iter().map(|[_, slope]| share * slope).collect();
            let mut slope = network.backward(tensors, network.encoder..network.depth(), &decoder, slope, gradients);
            if self.settings.variational {
                slope.resize(2 * latent, 0.0);
                for d in 0..latent {
                    let (mu, log_var) = (outputs[d], outputs[latent + d]);
                    assert!(log_var.abs() < 15.0, "the engine limits ln σ², which is {log_var}");
                    let [value, in_mu, in_log_var] = kl(mu, log_var);
                    // z depends on μ, and on ln σ² by ½σε.
                    slope[latent + d] = slope[d] * 0.5 * deviation(d) * eps[d];
                    slope[d] += share * weight * in_mu;
                    if !self.has(Fault::KlForgetsVariance) {
                        slope[latent + d] += share * weight * in_log_var;
                    }
                    divergence += share * value;
                    means.kl_per_dimension[d] += share * value;
                }
            }
            network.backward(tensors, 0..network.encoder, &encoder, slope, gradients);
            if b < batch.live {
                means.codes.push(outputs[..latent].to_vec());
            }
        }
        means.terms = [reconstruction + weight * divergence, reconstruction, divergence];
        means
    }

    /// Trains, and evaluates what was held out.
    pub fn run(&self, train: &Rows, held_out: &Rows) -> Figures {
        let (settings, fault, mut figures) = (self.settings, self.fault, Figures::default());
        let start = self.network.start(settings.seed, fault);
        self.tensors(&mut figures, Kind::Start, "at the start", &start);
        let mut adam = Adam { parameters: start, first: self.network.zeros(), second: self.network.zeros() };
        let per_epoch = train.batches(settings.batch);
        for epoch in 0..settings.epochs {
            let order = train.shuffled(settings.seed, epoch, fault);
            let mut sums = Sums::default();
            for i in 0..per_epoch {
                let number = epoch * per_epoch + i;
                let draws = Draws { seed: settings.seed, step: number as u32 };
                let batch = train.batch(settings.batch, &order, i);
                let batch = self.seen(batch, draws);
                let weight = kl_weight(settings, number, per_epoch, fault);
                let mut gradients = self.network.zeros();
                let means = self.step(&adam.parameters, &batch, weight, draws, &mut gradients);
                let [loss, reconstruction, divergence] = means.terms;
                let told = [loss, reconstruction, divergence, norm(&gradients)];
                for (name, value) in ["loss", "reconstruction", "KL", "gradient norm"].into_iter().zip(told) {
                    figures.add(Kind::Training, format!("{name} of step {number}"), vec![value]);
                }
                sums.add(self.share(batch.live), &told);
                let alpha = learning_rate(settings, number, per_epoch, fault);
                adam.step(settings, number as i32 + 1, alpha, &gradients, fault);
            }
            figures.add(Kind::Training, format!("means of epoch {epoch}"), sums.means());
        }
        self.tensors(&mut figures, Kind::End, "at the end", &adam.parameters);
        self.tensors(&mut figures, Kind::Moments, "first moment", &adam.first);
        self.tensors(&mut figures, Kind::Moments, "second moment", &adam.second);
        self.evaluate(&mut figures, &adam.parameters, &self.measured(held_out));
        figures
    }

    /// How much a batch counts in a mean over many.
    fn share(&self, live: usize) -> f64 {
        if self.has(Fault::MeanOfMeans) { 1.0 } else { live as f64 }
    }

    fn tensors(&self, figures: &mut Figures, kind: Kind, what: &str, tensors: &Tensors) {
        for (name, values) in self.network.names().zip(tensors) {
            figures.add(kind, format!("{name}: {what}"), values.clone());
        }
    }

    /// A batch as it is seen in training: pictures are changed, and then drawn black and white.
    fn seen(&self, batch: Batch, draws: Draws) -> Batch {
        let batch = self.settings.changes.iter().fold(batch, |batch, changes| changes.of(batch, draws, self.fault));
        if self.settings.binarise { batch.binarised(draws, self.fault) } else { batch }
    }

    /// Held-out rows as they are measured: drawn once, whatever the run's seed, where training draws them in every step.
    fn measured(&self, rows: &Rows) -> Rows {
        match self.fault {
            _ if !self.settings.binarise => rows.clone(),
            Some(Fault::HeldOutGrey) => rows.clone(),
            Some(Fault::HeldOutDrawnByTheSeed) => rows.black_and_white(self.settings.seed),
            _ => rows.black_and_white(0),
        }
    }

    /// One pass over rows as they are stored, with the full β, and with noise whose key is the complement of the seed.
    fn evaluate(&self, figures: &mut Figures, parameters: &Tensors, rows: &Rows) {
        let (settings, latent) = (self.settings, self.settings.latent);
        let seed = if self.has(Fault::EvaluatedWithTrainingNoise) { settings.seed } else { !settings.seed };
        let order: Vec<usize> = (0..rows.count()).collect();
        let (mut sums, mut per_dimension, mut codes) = (Sums::default(), Sums::default(), Vec::new());
        for i in 0..rows.batches(settings.batch) {
            let draws = Draws { seed, step: i as u32 };
            let batch = rows.batch(settings.batch, &order, i);
            let beta = full_beta(settings, self.fault);
            let means = self.step(parameters, &batch, beta, draws, &mut self.network.zeros());
            sums.add(self.share(batch.live), &means.terms);
            per_dimension.add(self.share(batch.live), &means.kl_per_dimension);
            codes.extend(means.codes);
        }
        let terms = sums.means();
        figures.add(Kind::HeldOut, "ELBO", vec![-(terms[1] + terms[2])]);
        figures.add(Kind::HeldOut, "terms of the ELBO", terms);
        figures.add(Kind::HeldOut, "KL per dimension", per_dimension.means());
        // A dimension is active when its posterior means vary by more than 0.01 (Burda et al. 2016, section 4.3).
        let variances = (0..latent).map(|d| variance(codes.iter().map(|code| &code[d])));
        let active = variances.filter(|&variance| variance > 0.01).count();
        figures.add(Kind::HeldOut, "active units", vec![active as f64]);
        figures.add(Kind::HeldOut, CODES, codes.concat());
    }
}

/// The mean of the squared distances from the mean.
pub fn variance<'a>(values: impl Iterator<Item = &'a f64> + Clone) -> f64 {
    let mean = |values: &mut dyn Iterator<Item = f64>| {
        let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
        sum / count
    };
    let middle = mean(&mut values.clone().copied());
    mean(&mut values.map(|value| (value - middle).powi(2)))
}

/// Weighted sums of lists.
#[derive(Default)]
struct Sums {
    values: Vec<f64>,
    weight: f64,
}

impl Sums {
    fn add(&mut self, weight: f64, values: &[f64]) {
        self.values.resize(values.len(), 0.0);
        self.values.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value);
        self.weight += weight;
    }

    fn means(&self) -> Vec<f64> {
        self.values.iter().map(|sum| sum / self.weight).collect()
    }
}
