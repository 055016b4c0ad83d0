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

use super::checks::check_one_layer;
use super::classifier_network::{ClassifierNetwork, cross_entropy, is_right, likeliest, mean_in_every_row};
use super::networks::NetworkPair;
use super::parts::Parts;
use super::{
    Batch, Can, Classify, Condition, Decode, Density, Encode, Generate, LabelUse, Model, ModelConfig, ModelEntry,
    Reconstruct, RowForm, Rows, Sizes, Terms, TrainingPlan, Weighted,
};
use crate::catalogue::{About, Kind};
use crate::data::Shape;
use crate::distributions::{Encoder, Measure};
use crate::error::Result;
use crate::graph::{Graph, Tensor};
use crate::nn::{Activation, Known, Outputs};
use crate::objectives::BETA;
use crate::problems::Problems;
use joint::Joint;

/// The model `m2`.
pub(super) static ENTRY: ModelEntry = ModelEntry {
    about: About {
        kind: Kind::Model,
        id: "m2",
        aliases: &[],
        name: "M2: a semi-supervised VAE that learns labels from some rows and the rest from all",
        formula: "U(x) = Σ_y q(y|x) L(x,y) − H(q(y|x)), L(x,y) = −E_q[ln p(x|y,z)] + KL(q(z|x,y) ‖ p(z)) − ln p(y)",
        source: "Kingma et al. 2014, equations 6 to 9",
        settings: &[],
        example: "elbo train --model m2 --data mnist --labels 100",
    },
    labels: LabelUse::Learnt,
    is_variational: true,
    layers: None,
    stands_on_vae: false,
    explains_gaps: false,
    quantises: false,
    training: None,
    build,
    check,
};

/// The model `m1+m2`.
pub(in crate::engine::models) static STACKED: ModelEntry = ModelEntry {
    about: About {
        kind: Kind::Model,
        id: "m1+m2",
        aliases: &[],
        name: "M1+M2: an M2 over the codes of a VAE, which is trained first and without labels",
        formula: "as m2, of codes z ~ q(z|x) in place of x, the VAE being frozen",
        source: "Kingma et al. 2014, section 2",
        settings: &[],
        example: "elbo train --model m1+m2 --data mnist --labels 100",
    },
    stands_on_vae: true,
    ..ENTRY
};

fn build(config: &ModelConfig, form: RowForm) -> Result<Box<dyn Model>> {
    let (sizes, parts) = (form.sizes(), config.parts_for(form.schema)?);
    // The classifier has the encoder's layers, and leads to labels.
    config.encoder_network(sizes.shape, sizes.condition)?;
    Ok(Box::new(M2::with_networks(sizes, config.latent, config.networks(sizes)?, parts, config.alpha as f32)))
}

fn check(config: &ModelConfig, batch: usize, problems: &mut Problems) {
    let (kind, objective) = (&config.kind, &config.objective.id);
    problems.note(
        objective != "elbo",
        format!(
            "a model of `kind` {kind} has a bound of its own to minimise, and the objective `{objective}` is given: leave it out"
        ),
    );
    check_one_layer(config, batch, problems);
}

/// M2 of given likelihood, posterior and prior.
#[derive(Clone, Debug)]
pub struct M2 {
    latent: usize,
    network: ClassifierNetwork,
    encoder: Joint,
    decoder: Joint,
    parts: Parts,
    alpha: f32,
}

/// The bound of every row and label that was asked for, in nats, `[rows, labels]` each.
struct Bound<'g> {
    /// E_q\[−ln p(x | y, z)\], from one code.
    reconstruction: Tensor<'g>,
    /// KL(q(z | x, y) ‖ p(z)).
    kl: Tensor<'g>,
    /// ln p(x, y, z) − ln q(z | x, y).
    log_weight: Tensor<'g>,
    /// The codes `[rows·labels, latent]`.
    z: Tensor<'g>,
    /// The decoder's outputs `[rows·labels, …]`.
    outputs: Tensor<'g>,
}

/// What is known of rows whose label is not.
struct Unlabelled<'g> {
    /// ln q(y | x) `[rows, classes]`.
    log_q: Tensor<'g>,
    /// E_q\[−ln p(x | y, z)\] over labels and codes `[rows, 1]`.
    reconstruction: Tensor<'g>,
    /// KL(q(y, z | x) ‖ p(y) p(z)) `[rows, 1]`.
    kl: Tensor<'g>,
}

impl M2 {
    /// M2 of `features` values, `latent` dimensions and `classes` labels, of multilayer perceptrons; `hidden` are the widths of the
    /// encoder (and of the classifier) and of the decoder; all else as for [`M2::with_networks`].
    pub fn new(
        (features, latent, classes): (usize, usize, usize),
        hidden: (&[usize], &[usize]),
        activation: Activation,
        parts: Parts,
        alpha: f32,
    ) -> M2 {
        M2::with_networks(Sizes::vector(features, classes), latent, NetworkPair::mlp(hidden, activation), parts, alpha)
    }

    /// M2 of rows with one of `sizes.condition` labels and of `latent` dimensions; the hidden layers of the encoder are those of the
    /// classifier as well, with weights of its own; `alpha` weighs the classification of labelled rows. Of `parts`, the objective
    /// has no say.
    pub fn with_networks(sizes: Sizes, latent: usize, hidden: NetworkPair, parts: Parts, alpha: f32) -> M2 {
        let NetworkPair { encoder, decoder } = hidden;
        let Sizes { shape, condition: classes } = sizes;
        let code = Outputs::vector(parts.posterior.outputs(latent));
        let row = Outputs { shape, count: parts.likelihood.outputs(shape.features()) };
        M2 {
            latent,
            network: ClassifierNetwork::new(sizes, encoder.clone()),
            encoder: Joint::new("encoder", (shape, classes), encoder, code),
            decoder: Joint::new("decoder", (Shape::vector(latent), classes), decoder, row),
            parts,
            alpha,
        }
    }

    fn classes(&self) -> usize {
        self.network.classes()
    }

    fn prior_encoder(&self) -> Encoder<'_> {
        Encoder { network: &self.encoder, posterior: &*self.parts.posterior }
    }

    /// Each label of each of so many rows.
    fn every_label<'g>(&self, rows: usize) -> Known<'g> {
        Known::EveryLabel { rows, classes: self.classes() }
    }

    /// ln C, which is −ln p(y).
    fn log_classes(&self) -> f32 {
        libm::logf(self.classes() as f32)
    }

    /// The bound of rows with these labels.
    fn bound<'g>(&self, given: Rows<'g>, labels: Known<'g>) -> Bound<'g> {
        let Parts { likelihood, posterior, prior, .. } = &self.parts;
        let (x, rows) = (given.input(), given.count());
        let each = if let Known::EveryLabel { .. } = labels { self.classes() } else { 1 };
        let code = self.encoder.forward(x, labels);
        let draw = posterior.sample(code, posterior.noise(x.graph(), rows * each, self.latent));
        let ratio = draw.log_prob - prior.log_prob(draw.code(), &self.prior_encoder());
        let kl = posterior.kl(code, &**prior).map_or(ratio, Tensor::sum_rows);
        let outputs = self.decoder.forward(draw.z, labels);
        let log_likelihood = given.log_likelihood(&**likelihood, outputs);
        let [kl, ratio] = [kl, ratio].map(|t| t.reshape(&[rows, each]));
        let log_weight = log_likelihood - ratio - self.log_classes();
        Bound { reconstruction: -log_likelihood, kl, log_weight, z: draw.z, outputs }
    }

    /// The bound of rows whose label is not known, over all labels.
    fn unlabelled<'g>(&self, rows: Rows<'g>) -> Unlabelled<'g> {
        let log_q = self.network.log_probs(rows.input());
        let q = log_q.exp();
        let Bound { reconstruction, kl, .. } = self.bound(rows, self.every_label(rows.count()));
        // KL(q(y | x) ‖ 1/C) is ln C less the entropy.
        let kl = kl + (log_q + self.log_classes());
        Unlabelled { log_q, reconstruction: (q * reconstruction).sum_rows(), kl: (q * kl).sum_rows() }
    }

    /// −ELBO with the KL weighted by β.
    fn weighted<'g>(&self, reconstruction: Tensor<'g>, kl: Tensor<'g>) -> Tensor<'g> {
        reconstruction + kl.graph().scalar(BETA) * kl
    }

    /// The likeliest label of each row, as a one among zeros, through which no gradient flows. `[rows, classes]`
    fn guess<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        likeliest(self.network.log_probs(x))
    }

    fn outputs<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let x = rows.input();
        let y = rows.y.unwrap_or_else(|| self.guess(x));
        self.encoder.forward(x, Known::Label(y))
    }
}

impl Model for M2 {
    fn features(&self) -> usize {
        self.network.features()
    }

    fn condition(&self) -> Condition {
        Condition::Inferred(self.classes())
    }

    fn measure(&self, black_and_white: bool) -> Measure {
        Measure::of(self.parts.likelihood.support(), black_and_white)
    }

    fn plan(&self) -> TrainingPlan<'_> {
        TrainingPlan::of_one_loss(self)
    }

    fn terms<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        let (x, y) = (batch.rows.x, batch.rows.y);
        let Unlabelled { log_q, reconstruction, kl } = self.unlabelled(batch.rows);
        let bound = self.weighted(reconstruction, kl);
        let mu = Encode::mean(self, Rows { y: None, ..batch.rows });
        let told = |log_q, y| [("classification", cross_entropy(log_q, y)), ("accuracy", is_right(log_q, y))];
        let (mut loss, mut parts) = (bound, vec![]);
        match (batch.labelled, y) {
            (Some(part), _) => {
                let share = part.count as f32 / batch.count as f32;
                let y = part.rows.y.expect("labelled rows have labels");
                let (log_q, found) = x.graph().beside_batch(|| {
                    (self.network.log_probs(part.rows.input()), self.bound(part.rows, Known::Label(y)))
                });
                let labelled = self.weighted(found.reconstruction, found.kl + self.log_classes());
                let of_rows = |t| mean_in_every_row(t, batch.rows.count());
                parts.extend(told(log_q, y).map(|(name, t)| (name, of_rows(t))));
                let of_labelled = of_rows(labelled) * share + parts[0].1 * self.alpha;
                loss = bound * (1.0 - share) + of_labelled;
            }
            (None, Some(y)) => parts.extend(told(log_q, y)),
            (None, None) => {}
        }
        Terms { loss, reconstruction, kl: Some(kl), mu, parts, gradient_scale: None }
    }

    fn score<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let Unlabelled { reconstruction, kl, .. } = self.unlabelled(rows);
        reconstruction + kl
    }

    fn scalar(&self, name: &str, epochs: f64) -> Option<f64> {
        self.parts.posterior.scalar(name, epochs)
    }

    fn couples_rows(&self) -> Option<String> {
        Some("the model m2 learns from labelled rows beside each batch, which have no part in it and would not be weighed".to_owned())
    }

    fn can(&self) -> Can<'_> {
        Can {
            encode: Some(self),
            decode: Some(self),
            reconstruct: Some(self),
            generate: Some(self),
            density: Some(self),
            posterior: None,
            classify: Some(self),
            fit_prior: None,
            compress: None,
        }
    }
}

impl Encode for M2 {
    fn latent(&self) -> usize {
        self.latent
    }

    fn mean<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.parts.posterior.mean(self.outputs(rows))
    }

    fn draw<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g> {
        let outputs = self.outputs(rows).repeat_rows(samples);
        let noise = self.parts.posterior.noise(outputs.graph(), rows.count() * samples, self.latent);
        self.parts.posterior.sample(outputs, noise).z
    }

    fn variance<'g>(&self, rows: Rows<'g>) -> Option<Tensor<'g>> {
        self.parts.posterior.marginal_variance(self.outputs(rows))
    }
}

impl Decode for M2 {
    fn mean<'g>(&self, z: Tensor<'g>, y: Option<Tensor<'g>>) -> Tensor<'g> {
        self.parts.likelihood.mean(self.decode(z, y))
    }

    fn draw<'g>(&self, z: Tensor<'g>, y: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        self.parts.likelihood.sample(self.decode(z, y))
    }
}

impl Reconstruct for M2 {
    fn reconstruct<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let y = Some(rows.y.unwrap_or_else(|| self.guess(rows.x)));
        Decode::mean(self, Encode::mean(self, Rows { y, ..rows }), y)
    }

    /// The mean over the labels, by how likely each is for the row, of one code for each.
    fn feature_losses<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let ([count, features], classes) = (rows.x.dims(), self.classes());
        let q = self.network.log_probs(rows.x).exp().reshape(&[count, classes, 1]);
        let Bound { outputs, .. } = self.bound(rows, self.every_label(count));
        let each = rows.log_likelihoods(&*self.parts.likelihood, outputs).reshape(&[count, classes, features]);
        -(q * each).sum(&[1]).reshape(&[count, features])
    }
}

impl M2 {
    /// What the codes of [`Density::weighted`] consist of.
    fn code_and_label<'g>(&self, codes: Tensor<'g>) -> [Tensor<'g>; 2] {
        [(0, self.latent), (self.latent, self.classes())].map(|(start, width)| codes.slice(1, start, width))
    }

    /// The decoder's outputs, all labels being as likely where none is given.
    fn decode<'g>(&self, z: Tensor<'g>, y: Option<Tensor<'g>>) -> Tensor<'g> {
        let classes = self.classes();
        let y = y.unwrap_or_else(|| z.graph().full(1.0 / classes as f32, &[z.shape()[0], classes]));
        self.decoder.forward(z, Known::Label(y))
    }
}

impl Generate for M2 {
    fn codes<'g>(&self, graph: &'g Graph, rows: usize) -> Tensor<'g> {
        self.parts.prior.sample(graph, rows, self.latent, &self.prior_encoder())
    }

    fn gaussian<'g>(&self, graph: &'g Graph) -> Option<[Tensor<'g>; 2]> {
        self.parts.prior.gaussian(graph, self.latent)
    }

    fn rows<'g>(&self, graph: &'g Graph, rows: usize, y: Option<Tensor<'g>>) -> Tensor<'g> {
        Decode::mean(self, self.codes(graph, rows), y)
    }
}

impl Density for M2 {
    fn kl_is_closed_form(&self) -> bool {
        self.parts.kl_is_closed_form(self.latent)
    }

    /// Labels are summed over, not drawn: ln Σ_y p(x, y, z_y)/q(z_y | x, y).
    fn log_weights<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g> {
        let count = rows.count();
        let Bound { log_weight, .. } = self.bound(rows.repeat(samples), self.every_label(count * samples));
        log_weight.log_sum_exp(&[1]).reshape(&[count, samples])
    }

    /// Every code goes with every label.
    fn weighted<'g>(&self, rows: Rows<'g>, samples: usize) -> Weighted<'g> {
        let count = rows.count();
        let Bound { log_weight, outputs, z, .. } = self.bound(rows.repeat(samples), self.every_label(count * samples));
        let log_weights = log_weight.reshape(&[count, samples * self.classes()]);
        let (graph, classes) = (z.graph(), self.classes());
        let every = [count * samples, classes, classes];
        let distance = (graph.coordinate(1, &every) - graph.coordinate(2, &every)).abs();
        let labels = distance.less(graph.constant(0.5)).reshape(&[count * samples * classes, classes]);
        let codes = graph.concat(&[z, labels], 1);
        Weighted { log_weights, codes, means: self.parts.likelihood.mean(outputs) }
    }

    /// A code and the label that it goes with.
    fn code_shape(&self) -> [usize; 2] {
        [self.classes(), self.latent + self.classes()]
    }

    fn mean_given<'g>(&self, codes: Tensor<'g>, _: Option<Tensor<'g>>) -> Tensor<'g> {
        let [z, y] = self.code_and_label(codes);
        Decode::mean(self, z, Some(y))
    }

    fn draw_given<'g>(&self, codes: Tensor<'g>, _: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        let [z, y] = self.code_and_label(codes);
        Decode::draw(self, z, Some(y))
    }

    fn note(&self) -> Option<&'static str> {
        self.parts.note_on_likelihood()
    }
}

impl Classify for M2 {
    fn probabilities<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        self.network.log_probs(x).exp()
    }
}
