//! A model over the codes of another: the second stage of Dai and Wipf 2019, and whatever else learns from codes.
//!
//! A first model is trained and then frozen. Its prior p(z) is seldom what its codes are really spread like, so that codes
//! drawn from the prior decode to rows that look like none of the data. A second model is trained on codes z ~ q(z | x), drawn
//! anew at every step, and takes the prior's place: p(z) = ∫ p(z | u) p(u) du, with codes u of its own.
//!
//! What is reported is a bound on ln p(x) of the two together, to be held against the first model's own:
//!
//! ```text
//! ln p(x) ≥ E_q(z|x)[ln p(x|z) + ln p(z) − ln q(z|x)]                        Jensen, with z
//!         ≥ E_q(z|x)[ln p(x|z) − ln q(z|x) + ELBO₂(z)]                       ln p(z) ≥ ELBO₂(z), Jensen again, with u
//! ```
//!
//! so the reconstruction is −ln p(x|z), and the KL is ln q(z|x) − ELBO₂(z). Its second part is all that is minimised, by the
//! second model's own objective.

use super::networks::repeat;
use super::{Batch, DrawnCodes, Labelled, Model, Rows, Terms};
use crate::catalogue::{About, Kind};
use crate::distributions::Measure;
use crate::error::{Error, Result};
use crate::graph::{Graph, Tensor};
use crate::nn::ParameterSpec;
use crate::objectives::BETA;

/// Any model, trained on the codes of a frozen one.
pub(super) static ABOUT: About = About {
    kind: Kind::Model,
    id: "second-stage",
    aliases: &[],
    name: "any model, trained on the codes of a trained one whose prior it replaces (--second-stage RUN)",
    formula: "ln p(x) ≥ E_q(z|x)[ln p(x|z) − ln q(z|x) + ELBO₂(z)], the first model frozen",
    source: "Dai & Wipf 2019, section 4",
    settings: &[],
    example: "elbo train --second-stage runs/vae-sprites",
};

/// What stands before the names of the first model's parameters, so that they do not meet the second's.
pub const FIRST: &str = "first.";

/// A second model over the codes of a first one, which is frozen.
///
/// Its code is the second model's; [`Model::decode`] goes through E\[z | u\], and [`Model::sample`] through z ~ p(z | u)
/// where the second model can draw that, as Dai and Wipf do.
#[derive(Debug)]
pub struct SecondStage {
    first: Box<dyn Model>,
    second: Box<dyn Model>,
}

impl SecondStage {
    /// A second model on a first one.
    ///
    /// # Errors
    /// If the first has no codes with a density, is given conditions, or stands on another itself; if the second has another
    /// number of features than the first has dimensions, or no prior.
    pub fn new(first: Box<dyn Model>, second: Box<dyn Model>) -> Result<SecondStage> {
        if let Some(why) = cannot_be_stood_on(&*first) {
            return Err(Error::invalid(format!("no second model can stand on this one: {why}")));
        }
        if second.features() != first.latent() {
            return Err(Error::invalid(format!(
                "the second model is over {} values, and codes of the first have {}",
                second.features(),
                first.latent()
            )));
        }
        if !second.is_generative() {
            return Err(Error::invalid(
                "a second model takes the place of the first one's prior, and a model without a prior cannot: use a vae",
            ));
        }
        Ok(SecondStage { first, second })
    }

    /// Codes of the first model, `samples` of each row.
    fn first_codes(&self, graph: &mut Graph, x: Tensor, samples: usize) -> DrawnCodes {
        let drawn = graph.scoped(FIRST, |graph| self.first.codes(graph, x.into(), samples));
        drawn.expect("it has codes with a density, which was checked")
    }

    /// The mean of the first model's code of each row.
    fn first_means(&self, graph: &mut Graph, x: Tensor) -> Tensor {
        graph.scoped(FIRST, |graph| self.first.encode(graph, x.into()))
    }

    /// E\[x | z\] of codes of the first model.
    fn first_decode(&self, graph: &mut Graph, z: Tensor) -> Tensor {
        graph.scoped(FIRST, |graph| self.first.decode(graph, z, None))
    }
}

/// Why no model can stand on this one, if so.
pub fn cannot_be_stood_on(first: &dyn Model) -> Option<&'static str> {
    let mut graph = Graph::new();
    let x = graph.input("x", &[1, first.features()]);
    if !first.frozen().is_empty() {
        return Some("it stands on another model itself");
    }
    if first.condition() > 0 {
        return Some("it is told something of every row, and its codes mean nothing without that");
    }
    first
        .codes(&mut graph, x.into(), 1)
        .is_none()
        .then_some("it gives codes no density q(z|x) over real numbers, as a vae with a Gaussian posterior does")
}

impl Model for SecondStage {
    fn features(&self) -> usize {
        self.first.features()
    }

    fn latent(&self) -> usize {
        self.second.latent()
    }

    fn condition(&self) -> usize {
        self.second.condition()
    }

    fn infers_label(&self) -> bool {
        self.second.infers_label()
    }

    fn parameters(&self) -> Vec<ParameterSpec> {
        self.second.parameters()
    }

    fn frozen(&self) -> Vec<ParameterSpec> {
        let first = self.first.parameters().into_iter().map(|spec| spec.scoped(FIRST));
        first.chain(self.second.frozen()).collect()
    }

    fn note_on_likelihood(&self) -> Option<&'static str> {
        self.second.note_on_likelihood()
    }

    fn measure(&self, black_and_white: bool) -> Measure {
        self.first.measure(black_and_white)
    }

    /// ln q(z|x) is that of the codes which are drawn, whatever the second model's KL is.
    fn kl_is_closed_form(&self) -> Option<bool> {
        Some(false)
    }

    fn terms(&self, graph: &mut Graph, batch: &Batch) -> Terms {
        let Rows { x, y } = batch.rows;
        let DrawnCodes { z, log_posterior, log_likelihood } = self.first_codes(graph, x, 1);
        let labelled = batch.labelled.map(|part| {
            let z = self.first_codes(graph, part.rows.x, 1).z;
            Labelled { rows: Rows { x: z, y: part.rows.y }, ..part }
        });
        let terms = self.second.terms(graph, &Batch { rows: Rows { x: z, y }, labelled, ..*batch });
        let mut kl = graph.add(log_posterior, terms.reconstruction);
        if let Some(of_second) = terms.kl {
            let sum = graph.sum_rows(of_second);
            kl = graph.add(kl, sum);
        }
        Terms { reconstruction: graph.neg(log_likelihood), kl: Some(kl), ..terms }
    }

    fn score(&self, graph: &mut Graph, Rows { x, y }: Rows) -> Tensor {
        let DrawnCodes { z, log_posterior, log_likelihood } = self.first_codes(graph, x, 1);
        let of_second = self.second.score(graph, Rows { x: z, y });
        let ratio = graph.sub(log_posterior, log_likelihood);
        graph.add(ratio, of_second)
    }

    /// Of pairs (z_k, u_k), u_k ~ q(u | z_k): ln p(x|z) + \[ln p(z|u) + ln p(u) − ln q(u|z)\] − ln q(z|x).
    fn log_weights(&self, graph: &mut Graph, Rows { x, y }: Rows, samples: usize) -> Option<Tensor> {
        let rows = graph.shape(x)[0];
        let DrawnCodes { z, log_posterior, log_likelihood } = self.first_codes(graph, x, samples);
        let y = y.map(|y| repeat(graph, y, samples));
        let of_second = self.second.log_weights(graph, Rows { x: z, y }, 1)?;
        let of_second = graph.reshape(of_second, &[rows, samples]);
        let of_first = graph.sub(log_likelihood, log_posterior);
        Some(graph.add(of_first, of_second))
    }

    fn draw_code(&self, graph: &mut Graph, Rows { x, y }: Rows) -> Tensor {
        let z = self.first_codes(graph, x, 1).z;
        self.second.draw_code(graph, Rows { x: z, y })
    }

    fn encode(&self, graph: &mut Graph, Rows { x, y }: Rows) -> Tensor {
        let z = self.first_means(graph, x);
        self.second.encode(graph, Rows { x: z, y })
    }

    fn decode(&self, graph: &mut Graph, u: Tensor, y: Option<Tensor>) -> Tensor {
        let z = self.second.decode(graph, u, y);
        self.first_decode(graph, z)
    }

    fn draw_rows(&self, graph: &mut Graph, u: Tensor, y: Option<Tensor>) -> Option<Tensor> {
        let z = self.second.draw_rows(graph, u, y)?;
        graph.scoped(FIRST, |graph| self.first.draw_rows(graph, z, None))
    }

    fn reconstruct(&self, graph: &mut Graph, Rows { x, y }: Rows) -> Tensor {
        let z = self.first_means(graph, x);
        let z = self.second.reconstruct(graph, Rows { x: z, y });
        self.first_decode(graph, z)
    }

    fn prior_sample(&self, graph: &mut Graph, rows: usize) -> Option<Tensor> {
        self.second.prior_sample(graph, rows)
    }

    fn sample(&self, graph: &mut Graph, rows: usize, y: Option<Tensor>) -> Option<Tensor> {
        let u = self.second.prior_sample(graph, rows)?;
        let z = match self.second.draw_rows(graph, u, y) {
            Some(z) => z,
            None => self.second.decode(graph, u, y),
        };
        Some(self.first_decode(graph, z))
    }

    fn classify(&self, graph: &mut Graph, x: Tensor) -> Tensor {
        let z = self.first_means(graph, x);
        self.second.classify(graph, z)
    }

    fn scalar(&self, name: &str, epochs: f64) -> Option<f64> {
        match name.strip_prefix(FIRST) {
            // The first model is as it was when its training ended.
            Some(name) if name == BETA => Some(1.0),
            Some(name) => self.first.scalar(name, f64::INFINITY),
            None => self.second.scalar(name, epochs),
        }
    }
}
