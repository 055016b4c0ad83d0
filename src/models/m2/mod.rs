//! M2: a VAE whose label is a latent variable where it is not known (Kingma, Rezende, Mohamed and Welling 2014, sections 2 and 3.1).
//!
//! The label y, one of C with p(y) = 1/C, and the code z make x together: p(x | y, z). Of a labelled row,
//! −L(x, y) = E_{q(z|x,y)}[ln p(x | y, z)] − KL(q(z | x, y) ‖ p(z)) + ln p(y) is a lower bound on ln p(x, y) (equation 6); of
//! another, −U(x) = Σ_y q(y | x)·(−L(x, y)) + H(q(y | x)) is one on ln p(x) (equation 7). Classes are enumerated: codes of
//! every label are drawn and decoded in the same products. With N_l of N rows labelled, what is minimised is, per example,
//!
//! (1 − N_l/N)·E\[U(x)\] + (N_l/N)·E_l\[L(x, y)\] + α·E_l\[−ln q(y | x)\]   (equations 8 and 9, divided by N; the paper's α is
//! 0.1·N).

mod joint;

use super::labeller::{Labeller, cross_entropy, is_right, likeliest, mean_in_every_row};
use super::vae::Parts;
use super::{Batch, Model, Rows, Terms};
use crate::catalogue::{About, Kind};
use crate::distributions::{Encode, Encoder, Measure};
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;
use crate::nn::{Activation, ParameterSpec};
use crate::objectives::BETA;
use joint::{Joint, Labels};

/// The model `m2`.
pub(super) static ABOUT: About = About {
    kind: Kind::Model,
    id: "m2",
    aliases: &[],
    name: "M2: a semi-supervised VAE that learns labels from some rows and the rest from all",
    formula: "U(x) = Σ_y q(y|x) L(x,y) − H(q(y|x)), L(x,y) = −E_q[ln p(x|y,z)] + KL(q(z|x,y) ‖ p(z)) − ln p(y)",
    source: "Kingma et al. 2014, equations 6 to 9",
    settings: &[],
    example: "elbo train --model m2 --data mnist --labels 100",
};

/// The model `m1+m2`.
pub(in crate::models) static STACKED: About = About {
    kind: Kind::Model,
    id: "m1+m2",
    aliases: &[],
    name: "M1+M2: an M2 over the codes of a VAE, which is trained first and without labels",
    formula: "as m2, of codes z ~ q(z|x) in place of x, the VAE being frozen",
    source: "Kingma et al. 2014, section 2",
    settings: &[],
    example: "elbo train --model m1+m2 --data mnist --labels 100",
};

/// M2 of given likelihood, posterior and prior.
#[derive(Clone, Debug)]
pub struct M2 {
    latent: usize,
    labeller: Labeller,
    encoder: Joint,
    decoder: Joint,
    parts: Parts,
    alpha: f32,
}

/// The bound of every row and label that was asked for, in nats, `[rows, labels]` each.
struct Bound {
    /// E_q\[−ln p(x | y, z)\], from one code.
    reconstruction: Tensor,
    /// KL(q(z | x, y) ‖ p(z)).
    kl: Tensor,
    /// ln p(x, y, z) − ln q(z | x, y).
    log_weight: Tensor,
}

/// What is known of rows whose label is not.
struct Unlabelled {
    /// ln q(y | x) `[rows, classes]`.
    log_q: Tensor,
    /// E_q\[−ln p(x | y, z)\] over labels and codes `[rows, 1]`.
    reconstruction: Tensor,
    /// KL(q(y, z | x) ‖ p(y) p(z)) `[rows, 1]`.
    kl: Tensor,
}

impl M2 {
    /// M2 of `features` values, `latent` dimensions and `classes` labels; `hidden` are the widths of the encoder (and of the
    /// classifier) and of the decoder, at least one each; `alpha` weighs the classification of labelled rows. Of `parts`, the
    /// objective has no say.
    ///
    /// # Panics
    /// If one of `hidden` is empty.
    pub fn new(
        (features, latent, classes): (usize, usize, usize),
        hidden: (&[usize], &[usize]),
        activation: Activation,
        parts: Parts,
        alpha: f32,
    ) -> M2 {
        let (code, outputs) = (parts.posterior.outputs(latent), parts.likelihood.outputs_per_feature() * features);
        M2 {
            latent,
            labeller: Labeller::new((features, classes), hidden.0, activation),
            encoder: Joint::new("encoder", (features, classes), hidden.0, activation, code),
            decoder: Joint::new("decoder", (latent, classes), hidden.1, activation, outputs),
            parts,
            alpha,
        }
    }

    fn classes(&self) -> usize {
        self.labeller.classes()
    }

    fn prior_encoder(&self) -> Encoder<'_> {
        Encoder { network: &self.encoder, posterior: &*self.parts.posterior }
    }

    /// The bound of rows with these labels.
    fn bound(&self, graph: &mut Graph, x: Tensor, labels: Labels) -> Bound {
        let Parts { likelihood, posterior, prior, .. } = &self.parts;
        let &[rows, features] = graph.shape(x) else { unreachable!("data has two dimensions") };
        let each = if let Labels::Every(_) = labels { self.classes() } else { 1 };
        let outputs = self.encoder.forward(graph, x, labels);
        let noise = posterior.noise(graph, rows * each, self.latent);
        let draw = posterior.sample(graph, outputs, noise);
        let log_prior = prior.log_prob(graph, draw.code(), &self.prior_encoder());
        let ratio = graph.sub(draw.log_prob, log_prior);
        let kl = match posterior.kl(graph, outputs, &**prior) {
            Some(kl) => graph.sum_rows(kl),
            None => ratio,
        };
        let mut decoded = self.decoder.forward(graph, draw.z, labels);
        let mut x = x;
        if each > 1 {
            let width = graph.shape(decoded)[1];
            decoded = graph.reshape(decoded, &[rows, each, width]);
            x = graph.reshape(x, &[rows, 1, features]);
        }
        let log_likelihood = likelihood.log_prob(graph, decoded, x);
        let log_likelihood = graph.sum_rows(log_likelihood);
        let [log_likelihood, kl, ratio] = [log_likelihood, kl, ratio].map(|t| graph.reshape(t, &[rows, each]));
        let joint = graph.sub(log_likelihood, ratio);
        let log_label = graph.constant((self.classes() as f32).ln());
        Bound { reconstruction: graph.neg(log_likelihood), kl, log_weight: graph.sub(joint, log_label) }
    }

    /// The bound of rows whose label is not known, over all labels.
    fn unlabelled(&self, graph: &mut Graph, x: Tensor) -> Unlabelled {
        let rows = graph.shape(x)[0];
        let log_q = self.labeller.log_probs(graph, x);
        let q = graph.call(Func::Exp, &[log_q]);
        let Bound { reconstruction, kl, .. } = self.bound(graph, x, Labels::Every(rows));
        // KL(q(y | x) ‖ 1/C) is ln C less the entropy.
        let log_label = graph.constant((self.classes() as f32).ln());
        let of_label = graph.add(log_q, log_label);
        let kl = graph.add(kl, of_label);
        let [reconstruction, kl] = [reconstruction, kl].map(|t| {
            let weighted = graph.mul(q, t);
            graph.sum_rows(weighted)
        });
        Unlabelled { log_q, reconstruction, kl }
    }

    /// −ELBO with the KL weighted by β.
    fn weighted(&self, graph: &mut Graph, reconstruction: Tensor, kl: Tensor) -> Tensor {
        let beta = graph.scalar(BETA);
        let kl = graph.mul(beta, kl);
        graph.add(reconstruction, kl)
    }

    /// The likeliest label of each row, as a one among zeros, through which no gradient flows. `[rows, classes]`
    fn guess(&self, graph: &mut Graph, x: Tensor) -> Tensor {
        let log_q = self.labeller.log_probs(graph, x);
        likeliest(graph, log_q)
    }

    fn outputs(&self, graph: &mut Graph, Rows { x, y }: Rows) -> Tensor {
        let y = y.unwrap_or_else(|| self.guess(graph, x));
        self.encoder.forward(graph, x, Labels::Of(y))
    }
}

impl Model for M2 {
    fn features(&self) -> usize {
        self.labeller.features()
    }

    fn latent(&self) -> usize {
        self.latent
    }

    fn condition(&self) -> usize {
        self.classes()
    }

    fn infers_label(&self) -> bool {
        true
    }

    fn parameters(&self) -> Vec<ParameterSpec> {
        let mut all = self.labeller.parameters();
        all.extend(self.encoder.parameters());
        all.extend(self.decoder.parameters());
        all.extend(self.parts.likelihood.parameters(self.features()));
        all.extend(self.parts.posterior.parameters(self.latent));
        all.extend(self.parts.prior.parameters(self.latent, Encode::features(&self.encoder)));
        all
    }

    fn note_on_likelihood(&self) -> Option<&'static str> {
        self.parts.posterior.note_on_likelihood()
    }

    fn measure(&self, black_and_white: bool) -> Measure {
        Measure::of(self.parts.likelihood.support(), black_and_white)
    }

    fn terms(&self, graph: &mut Graph, batch: &Batch) -> Terms {
        let Rows { x, y } = batch.rows;
        let rows = graph.shape(x)[0];
        let Unlabelled { log_q, reconstruction, kl } = self.unlabelled(graph, x);
        let bound = self.weighted(graph, reconstruction, kl);
        let mu = self.encode(graph, x.into());
        let (mut loss, mut parts) = (bound, vec![]);
        match batch.labelled {
            Some(part) => {
                let share = part.count as f32 / batch.count as f32;
                let y = part.rows.y.expect("labelled rows have labels");
                let log_q = self.labeller.log_probs(graph, part.rows.x);
                let found = self.bound(graph, part.rows.x, Labels::Of(y));
                let log_label = graph.constant((self.classes() as f32).ln());
                let of_label = graph.add(found.kl, log_label);
                let labelled = self.weighted(graph, found.reconstruction, of_label);
                let (entropy, right) = (cross_entropy(graph, log_q, y), is_right(graph, log_q, y));
                let [labelled, entropy, right] = [labelled, entropy, right].map(|t| mean_in_every_row(graph, t, rows));
                let (labelled, weighted) = (graph.scale(labelled, share), graph.scale(entropy, self.alpha));
                let of_labelled = graph.add(labelled, weighted);
                let rest = graph.scale(bound, 1.0 - share);
                loss = graph.add(rest, of_labelled);
                parts.extend([("classification", entropy), ("accuracy", right)]);
            }
            None => {
                if let Some(y) = y {
                    let (entropy, right) = (cross_entropy(graph, log_q, y), is_right(graph, log_q, y));
                    parts.extend([("classification", entropy), ("accuracy", right)]);
                }
            }
        }
        Terms { loss, reconstruction, kl: Some(kl), mu, parts, reweigh: None }
    }

    fn score(&self, graph: &mut Graph, rows: Rows) -> Tensor {
        let Unlabelled { reconstruction, kl, .. } = self.unlabelled(graph, rows.x);
        graph.add(reconstruction, kl)
    }

    fn log_weights(&self, graph: &mut Graph, Rows { x, .. }: Rows, samples: usize) -> Option<Tensor> {
        let &[rows, features] = graph.shape(x) else { unreachable!("data has two dimensions") };
        let x = graph.reshape(x, &[rows, 1, features]);
        let x = graph.expand(x, &[rows, samples, features]);
        let x = graph.reshape(x, &[rows * samples, features]);
        // Labels are summed over, not drawn: ln Σ_y p(x, y, z_y)/q(z_y | x, y).
        let Bound { log_weight, .. } = self.bound(graph, x, Labels::Every(rows * samples));
        let each = graph.log_sum_exp(log_weight, &[1]);
        Some(graph.reshape(each, &[rows, samples]))
    }

    fn draw_code(&self, graph: &mut Graph, rows: Rows) -> Tensor {
        let outputs = self.outputs(graph, rows);
        let count = graph.shape(outputs)[0];
        let noise = self.parts.posterior.noise(graph, count, self.latent);
        self.parts.posterior.sample(graph, outputs, noise).z
    }

    fn encode(&self, graph: &mut Graph, rows: Rows) -> Tensor {
        let outputs = self.outputs(graph, rows);
        self.parts.posterior.mean(graph, outputs)
    }

    fn decode(&self, graph: &mut Graph, z: Tensor, y: Option<Tensor>) -> Tensor {
        let y = y.unwrap_or_else(|| {
            let rows = graph.shape(z)[0];
            graph.full(1.0 / self.classes() as f32, &[rows, self.classes()])
        });
        let outputs = self.decoder.forward(graph, z, Labels::Of(y));
        self.parts.likelihood.mean(graph, outputs)
    }

    fn reconstruct(&self, graph: &mut Graph, Rows { x, y }: Rows) -> Tensor {
        let y = y.unwrap_or_else(|| self.guess(graph, x));
        let z = self.encode(graph, Rows { x, y: Some(y) });
        self.decode(graph, z, Some(y))
    }

    fn prior_sample(&self, graph: &mut Graph, rows: usize) -> Option<Tensor> {
        Some(self.parts.prior.sample(graph, rows, self.latent, &self.prior_encoder()))
    }

    fn classify(&self, graph: &mut Graph, x: Tensor) -> Tensor {
        let log_q = self.labeller.log_probs(graph, x);
        graph.call(Func::Exp, &[log_q])
    }

    fn kl_is_closed_form(&self) -> Option<bool> {
        Some(self.parts.kl_is_closed_form(self.latent))
    }

    fn scalar(&self, name: &str, epochs: f64) -> Option<f64> {
        self.parts.posterior.scalar(name, epochs)
    }
}
