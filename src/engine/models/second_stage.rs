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

use super::{
    Batch, Can, Classify, Condition, Decode, Density, Encode, Generate, Labelled, Model, PosteriorSample, Reconstruct,
    Rows, Terms, TrainingPlan, Weighted, parameters,
};
use crate::catalogue::{About, Kind};
use crate::distributions::Measure;
use crate::error::{Error, Result};
use crate::graph::{Graph, Role, Tensor};
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

/// The scope of the first model, so that the names of its parameters do not meet those of the second's.
pub const FIRST: &str = "first";

/// A second model over the codes of a first one, which is frozen.
///
/// Its code is the second model's; [`Decode::mean`] goes through E\[z | u\], and [`Generate::rows`] through z ~ p(z | u)
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
    /// If the first has no codes with a density, is told something of rows, or stands on another itself; if the second has
    /// another number of features than the first has dimensions, or no prior.
    pub fn new(first: Box<dyn Model>, second: Box<dyn Model>) -> Result<SecondStage> {
        let latent = carries(&*first)?;
        if second.features() != latent {
            return Err(Error::invalid(format!(
                "the second model is over {} values, and codes of the first have {latent}",
                second.features(),
            )));
        }
        second.can().generate()?;
        Ok(SecondStage { first, second })
    }

    /// What the first model makes of something: all of its parameters are read and never trained.
    fn first<T>(&self, graph: &Graph, work: impl FnOnce(Can<'_>) -> Result<T>) -> T {
        let out = graph.freeze(|_| true, || graph.scope(FIRST, || work(self.first.can())));
        out.expect("the first model can do it, which was checked")
    }

    /// What the second model makes of something that it was checked to be able to do.
    fn second<T>(&self, work: impl FnOnce(Can<'_>) -> Result<T>) -> T {
        work(self.second.can()).expect("the second model can do it, which was checked")
    }

    /// Codes of the first model, `samples` of each row.
    fn first_codes<'g>(&self, rows: Rows<'g>, samples: usize) -> PosteriorSample<'g> {
        self.first(rows.x.graph(), |can| Ok(can.posterior()?.sample_posterior(rows, samples)))
    }

    /// The mean of the first model's code of each row.
    fn first_means<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        self.first(x.graph(), |can| Ok(can.encode()?.mean(x.into())))
    }

    /// ln p(x|z) + \[ln p(z|u) + ln p(u) − ln q(u|z)\] − ln q(z|x) of pairs (z_k, u_k), u_k ~ q(u | z_k) `[rows, samples]`, and
    /// the codes z_k `[rows·samples, …]`.
    fn weighed_codes<'g>(&self, rows: Rows<'g>, samples: usize) -> (Tensor<'g>, Tensor<'g>) {
        let PosteriorSample { z, log_posterior, log_likelihood } = self.first_codes(rows, samples);
        let codes = codes_of(rows.repeat(samples), z);
        let of_second = self.second(|can| Ok(can.density()?.log_weights(codes, 1)));
        (log_likelihood - log_posterior + of_second.reshape(&[rows.count(), samples]), z)
    }

    /// E\[x | z\] of codes of the first model.
    fn first_decode<'g>(&self, z: Tensor<'g>) -> Tensor<'g> {
        self.first(z.graph(), |can| Ok(can.decode()?.mean(z, None)))
    }
}

/// Codes of rows, as rows of the second model: it is told what the rows come with, and observes codes whole.
fn codes_of<'g>(rows: Rows<'g>, z: Tensor<'g>) -> Rows<'g> {
    Rows { y: rows.y, ..z.into() }
}

/// Dimensions of the codes of a model that another can stand on.
///
/// # Errors
/// If none can.
pub fn carries(first: &dyn Model) -> Result<usize> {
    let refuse = |why: &str| Err(Error::invalid(format!("no second model can stand on this one: {why}")));
    if parameters(first).iter().any(|parameter| parameter.role == Role::Frozen) {
        return refuse("it stands on another model itself");
    }
    if first.condition() != Condition::None {
        return refuse("it is told something of every row, and its codes mean nothing without that");
    }
    first.can().posterior()?;
    first.can().decode()?;
    Ok(first.can().encode()?.latent())
}

impl Model for SecondStage {
    fn features(&self) -> usize {
        self.first.features()
    }

    fn condition(&self) -> Condition {
        self.second.condition()
    }

    fn measure(&self, black_and_white: bool) -> Measure {
        self.first.measure(black_and_white)
    }

    fn plan(&self) -> TrainingPlan<'_> {
        TrainingPlan::of_one_loss(self)
    }

    fn terms<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        let PosteriorSample { z, log_posterior, log_likelihood } = self.first_codes(batch.rows, 1);
        let labelled = batch.labelled.map(|part| {
            let z = self.first_codes(part.rows, 1).z;
            Labelled { rows: codes_of(part.rows, z), ..part }
        });
        let terms = self.second.terms(&Batch { rows: codes_of(batch.rows, z), labelled, ..*batch });
        let mut kl = log_posterior + terms.reconstruction;
        if let Some(of_second) = terms.kl {
            kl = kl + of_second.sum_rows();
        }
        Terms { reconstruction: -log_likelihood, kl: Some(kl), ..terms }
    }

    fn score<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let PosteriorSample { z, log_posterior, log_likelihood } = self.first_codes(rows, 1);
        let of_second = self.second.score(codes_of(rows, z));
        log_posterior - log_likelihood + of_second
    }

    fn scalar(&self, name: &str, epochs: f64) -> Option<f64> {
        match name.strip_prefix(FIRST).and_then(|name| name.strip_prefix('.')) {
            // The first model is as it was when its training ended.
            Some(name) if name == BETA => Some(1.0),
            Some(name) => self.first.scalar(name, f64::INFINITY),
            None => self.second.scalar(name, epochs),
        }
    }

    fn couples_rows(&self) -> Option<String> {
        self.second.couples_rows()
    }

    fn examples(&self, batch: &Batch) -> usize {
        self.second.examples(batch)
    }

    fn can(&self) -> Can<'_> {
        let second = self.second.can();
        Can {
            encode: Some(self),
            decode: second.decode.map(|_| self as &dyn Decode),
            reconstruct: second.reconstruct.map(|_| self as &dyn Reconstruct),
            generate: Some(self),
            density: second.density.map(|_| self as &dyn Density),
            posterior: None,
            classify: second.classify.map(|_| self as &dyn Classify),
            fit_prior: None,
            compress: None,
        }
    }
}

impl Encode for SecondStage {
    fn latent(&self) -> usize {
        self.second(|can| Ok(can.encode()?.latent()))
    }

    fn mean<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let z = self.first_means(rows.x);
        self.second(|can| Ok(can.encode()?.mean(codes_of(rows, z))))
    }

    fn draw<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g> {
        let z = self.first_codes(rows, samples).z;
        self.second(|can| Ok(can.encode()?.draw(codes_of(rows.repeat(samples), z), 1)))
    }

    /// The second model's codes are spread by what the first draws as well.
    fn variance<'g>(&self, _: Rows<'g>) -> Option<Tensor<'g>> {
        None
    }
}

impl Decode for SecondStage {
    fn mean<'g>(&self, u: Tensor<'g>, y: Option<Tensor<'g>>) -> Tensor<'g> {
        self.first_decode(self.second(|can| Ok(can.decode()?.mean(u, y))))
    }

    fn draw<'g>(&self, u: Tensor<'g>, y: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        let z = self.second(|can| Ok(can.decode()?.draw(u, y)))?;
        self.first(z.graph(), |can| Ok(can.decode()?.draw(z, None)))
    }
}

impl Reconstruct for SecondStage {
    fn reconstruct<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let z = self.first_means(rows.x);
        self.first_decode(self.second(|can| Ok(can.reconstruct()?.reconstruct(codes_of(rows, z)))))
    }

    /// Those of the first model, which alone says how likely a row is.
    fn feature_losses<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.first(rows.x.graph(), |can| Ok(can.reconstruct()?.feature_losses(rows)))
    }
}

impl Generate for SecondStage {
    fn codes<'g>(&self, graph: &'g Graph, rows: usize) -> Tensor<'g> {
        self.second(|can| Ok(can.generate()?.codes(graph, rows)))
    }

    fn gaussian<'g>(&self, graph: &'g Graph) -> Option<[Tensor<'g>; 2]> {
        self.second(|can| Ok(can.generate()?.gaussian(graph)))
    }

    fn rows<'g>(&self, graph: &'g Graph, rows: usize, y: Option<Tensor<'g>>) -> Tensor<'g> {
        let u = self.codes(graph, rows);
        let z = self.second(|can| {
            let decoder = can.decode()?;
            Ok(decoder.draw(u, y).unwrap_or_else(|| decoder.mean(u, y)))
        });
        self.first_decode(z)
    }
}

impl Density for SecondStage {
    /// ln q(z|x) is that of the codes which are drawn, whatever the second model's KL is.
    fn kl_is_closed_form(&self) -> bool {
        false
    }

    fn log_weights<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g> {
        let (log_weights, _) = self.weighed_codes(rows, samples);
        log_weights
    }

    fn weighted<'g>(&self, rows: Rows<'g>, samples: usize) -> Weighted<'g> {
        let (log_weights, z) = self.weighed_codes(rows, samples);
        Weighted { log_weights, codes: z, means: self.first_decode(z) }
    }

    /// Those of the first model, below which nothing more is known of a row.
    fn code_shape(&self) -> [usize; 2] {
        [1, self.second.features()]
    }

    fn mean_given<'g>(&self, codes: Tensor<'g>, _: Option<Tensor<'g>>) -> Tensor<'g> {
        self.first_decode(codes)
    }

    fn draw_given<'g>(&self, codes: Tensor<'g>, _: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        self.first(codes.graph(), |can| Ok(can.decode()?.draw(codes, None)))
    }

    fn note(&self) -> Option<&'static str> {
        self.second(|can| Ok(can.density()?.note()))
    }
}

impl Classify for SecondStage {
    fn probabilities<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let z = self.first_means(x);
        self.second(|can| Ok(can.classify()?.probabilities(z)))
    }
}
