//! A model of pictures whose channels are scaled: u = (x − shift)/scale of each channel is what it learns, and what it makes is given
//! back as x = shift + scale·u.
//!
//! Its likelihood is one of u, so that figures in nats are of the numbers that it sees, as they are of scaled columns. In those of the
//! rows ln p(x) is less by Σ ln scale over the values of a row.

use super::{
    Batch, Can, Classify, Condition, Decode, Density, Encode, FitPrior, Generate, Labelled, Model, Phase,
    PosteriorSample, Reconstruct, Rows, SamplePosterior, Terms, TrainingPlan, Weighted,
};
use crate::data::schema::Scaling;
use crate::distributions::Measure;
use crate::distributions::prior::Points;
use crate::error::Result;
use crate::graph::{Graph, Tensor};

/// A model that sees pictures with scaled channels.
#[derive(Debug)]
pub struct Normalised {
    model: Box<dyn Model>,
    scales: Vec<Scaling>,
}

impl Normalised {
    /// A model that sees channel c of every pixel by the scale of place c.
    pub fn new(model: Box<dyn Model>, scales: Vec<Scaling>) -> Normalised {
        Normalised { model, scales }
    }

    /// A number for each channel `[1, channels]`.
    fn of_channels<'g>(&self, graph: &'g Graph, of: impl Fn(&Scaling) -> f64) -> Tensor<'g> {
        let all: Vec<Tensor> = self.scales.iter().map(|scale| graph.full(of(scale) as f32, &[1, 1])).collect();
        graph.concat(&all, 1)
    }

    /// Values `[rows, features]` pixel by pixel, something being done to each `[rows·pixels, channels]`.
    fn each_pixel<'g>(&self, t: Tensor<'g>, work: impl FnOnce(Tensor<'g>) -> Tensor<'g>) -> Tensor<'g> {
        let ([rows, features], channels) = (t.dims(), self.scales.len());
        work(t.reshape(&[rows * features / channels, channels])).reshape(&[rows, features])
    }

    /// What the model sees of rows; 0 of what was not observed, unless that was guessed.
    fn seen<'g>(&self, rows: Rows<'g>) -> Rows<'g> {
        let mask = rows.observed.filter(|_| !rows.is_guessed);
        let seen = |x| {
            let x = self.seen_values(x);
            mask.map_or(x, |observed| x * observed)
        };
        Rows { x: seen(rows.x), shown: rows.shown.map(seen), ..rows }
    }

    fn seen_values<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let shift = self.of_channels(x.graph(), |scaling| scaling.shift);
        let factor = self.of_channels(x.graph(), |scaling| 1.0 / scaling.scale);
        self.each_pixel(x, |x| (x - shift) * factor)
    }

    /// What it makes, in the numbers of rows.
    fn made<'g>(&self, u: Tensor<'g>) -> Tensor<'g> {
        let shift = self.of_channels(u.graph(), |scaling| scaling.shift);
        let scale = self.of_channels(u.graph(), |scaling| scaling.scale);
        self.each_pixel(u, |u| u * scale + shift)
    }

    fn seen_batch<'g>(&self, batch: &Batch<'g>) -> Batch<'g> {
        let labelled = batch.labelled.map(|part| Labelled { rows: self.seen(part.rows), ..part });
        Batch { rows: self.seen(batch.rows), labelled, ..*batch }
    }

    fn can_decode(&self) -> &dyn Decode {
        self.model.can().decode.expect("it was asked for before the capability was given")
    }

    fn can_reconstruct(&self) -> &dyn Reconstruct {
        self.model.can().reconstruct.expect("it was asked for before the capability was given")
    }

    fn can_encode(&self) -> &dyn Encode {
        self.model.can().encode.expect("it was asked for before the capability was given")
    }

    fn can_generate(&self) -> &dyn Generate {
        self.model.can().generate.expect("it was asked for before the capability was given")
    }

    fn can_tell_density(&self) -> &dyn Density {
        self.model.can().density.expect("it was asked for before the capability was given")
    }
}

impl Model for Normalised {
    fn features(&self) -> usize {
        self.model.features()
    }

    fn condition(&self) -> Condition {
        self.model.condition()
    }

    fn measure(&self, black_and_white: bool) -> Measure {
        self.model.measure(black_and_white)
    }

    fn plan(&self) -> TrainingPlan<'_> {
        let TrainingPlan { groups, phases } = self.model.plan();
        let of_seen = |Phase { name, every, after, losses }| Phase {
            every,
            after,
            ..Phase::new(name, move |batch| losses(&self.seen_batch(batch)))
        };
        TrainingPlan { groups, phases: phases.into_iter().map(of_seen).collect() }
    }

    fn terms<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        self.model.terms(&self.seen_batch(batch))
    }

    fn score<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.model.score(self.seen(rows))
    }

    fn scalar(&self, name: &str, epochs: f64) -> Option<f64> {
        self.model.scalar(name, epochs)
    }

    fn couples_rows(&self) -> Option<String> {
        self.model.couples_rows()
    }

    fn examples(&self, batch: &Batch) -> usize {
        self.model.examples(batch)
    }

    fn can(&self) -> Can<'_> {
        let can = self.model.can();
        Can {
            encode: can.encode.map(|_| self as &dyn Encode),
            decode: can.decode.map(|_| self as &dyn Decode),
            reconstruct: can.reconstruct.map(|_| self as &dyn Reconstruct),
            generate: can.generate.map(|_| self as &dyn Generate),
            density: can.density.map(|_| self as &dyn Density),
            posterior: can.posterior.map(|_| self as &dyn SamplePosterior),
            classify: can.classify.map(|_| self as &dyn Classify),
            fit_prior: can.fit_prior.map(|_| self as &dyn FitPrior),
            // Values of which there are finitely many are not scaled.
            compress: None,
        }
    }
}

impl Encode for Normalised {
    fn latent(&self) -> usize {
        self.can_encode().latent()
    }

    fn mean<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.can_encode().mean(self.seen(rows))
    }

    fn draw<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g> {
        self.can_encode().draw(self.seen(rows), samples)
    }

    fn variance<'g>(&self, rows: Rows<'g>) -> Option<Tensor<'g>> {
        self.can_encode().variance(self.seen(rows))
    }

    fn indices<'g>(&self, rows: Rows<'g>) -> Option<Tensor<'g>> {
        self.can_encode().indices(self.seen(rows))
    }
}

impl Decode for Normalised {
    fn mean<'g>(&self, z: Tensor<'g>, y: Option<Tensor<'g>>) -> Tensor<'g> {
        self.made(self.can_decode().mean(z, y))
    }

    fn variance<'g>(&self, z: Tensor<'g>, y: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        let of_seen = self.can_decode().variance(z, y)?;
        let scale = self.of_channels(of_seen.graph(), |scaling| scaling.scale * scaling.scale);
        Some(self.each_pixel(of_seen, |variance| variance * scale))
    }

    fn draw<'g>(&self, z: Tensor<'g>, y: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        self.can_decode().draw(z, y).map(|u| self.made(u))
    }
}

impl Reconstruct for Normalised {
    fn reconstruct<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.made(self.can_reconstruct().reconstruct(self.seen(rows)))
    }

    fn feature_losses<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.can_reconstruct().feature_losses(self.seen(rows))
    }
}

impl Generate for Normalised {
    fn codes<'g>(&self, graph: &'g Graph, rows: usize) -> Tensor<'g> {
        self.can_generate().codes(graph, rows)
    }

    fn is_of_choices(&self) -> bool {
        self.can_generate().is_of_choices()
    }

    fn tempered_codes<'g>(&self, graph: &'g Graph, rows: usize, temperature: f32) -> Tensor<'g> {
        self.can_generate().tempered_codes(graph, rows, temperature)
    }

    fn gaussian<'g>(&self, graph: &'g Graph) -> Option<[Tensor<'g>; 2]> {
        self.can_generate().gaussian(graph)
    }

    fn rows<'g>(&self, graph: &'g Graph, rows: usize, y: Option<Tensor<'g>>) -> Tensor<'g> {
        self.made(self.can_generate().rows(graph, rows, y))
    }
}

impl Density for Normalised {
    fn kl_is_closed_form(&self) -> bool {
        self.can_tell_density().kl_is_closed_form()
    }

    fn log_weights<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g> {
        self.can_tell_density().log_weights(self.seen(rows), samples)
    }

    fn weighted<'g>(&self, rows: Rows<'g>, samples: usize) -> Weighted<'g> {
        let weighted = self.can_tell_density().weighted(self.seen(rows), samples);
        Weighted { means: self.made(weighted.means), ..weighted }
    }

    fn code_shape(&self) -> [usize; 2] {
        self.can_tell_density().code_shape()
    }

    fn mean_given<'g>(&self, codes: Tensor<'g>, y: Option<Tensor<'g>>) -> Tensor<'g> {
        self.made(self.can_tell_density().mean_given(codes, y))
    }

    fn draw_given<'g>(&self, codes: Tensor<'g>, y: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        self.can_tell_density().draw_given(codes, y).map(|u| self.made(u))
    }

    fn explains_gaps(&self) -> bool {
        self.can_tell_density().explains_gaps()
    }

    fn note(&self) -> Option<&'static str> {
        self.can_tell_density().note()
    }
}

impl SamplePosterior for Normalised {
    fn sample_posterior<'g>(&self, rows: Rows<'g>, samples: usize) -> PosteriorSample<'g> {
        let posterior = self.model.can().posterior.expect("it was asked for before the capability was given");
        posterior.sample_posterior(self.seen(rows), samples)
    }
}

impl Classify for Normalised {
    fn probabilities<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let labels = self.model.can().classify.expect("it was asked for before the capability was given");
        labels.probabilities(self.seen_values(x))
    }
}

impl FitPrior for Normalised {
    fn terms_of_prior<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        let prior = self.model.can().fit_prior.expect("it was asked for before the capability was given");
        prior.terms_of_prior(&self.seen_batch(batch))
    }

    fn data_dependent_init(&self, points: &Points) -> Result<Vec<(&'static str, Vec<f32>)>> {
        let prior = self.model.can().fit_prior.expect("it was asked for before the capability was given");
        prior.data_dependent_init(points)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::distributions::SquaredError;
    use crate::graph::eval::{Values, evaluate};
    use crate::models::{Autoencoder, parameters};
    use crate::nn::Activation;

    /// An autoencoder whose decoder says 2 and −1 of the channels of its one pixel, whatever the row.
    fn model(graph: &Graph) -> (Normalised, Values, Tensor<'_>) {
        let inner = Autoencoder::new(2, 1, (&[], &[]), Activation::Tanh, Arc::new(SquaredError));
        let scales = vec![Scaling { shift: 0.5, scale: 0.25 }, Scaling { shift: 10.0, scale: 4.0 }];
        let mut values = Values::default();
        for spec in parameters(&inner) {
            let says = spec.name == "decoder.0.bias";
            let zeros = vec![0.0; spec.shape.iter().product()];
            values.tensors.insert(spec.name, if says { vec![2.0, -1.0] } else { zeros });
        }
        let x = graph.input("x", &[2, 2]);
        values.tensors.insert("x".to_string(), vec![0.5, 10.0, 1.0, 2.0]);
        (Normalised::new(Box::new(inner), scales), values, x)
    }

    #[test]
    fn it_sees_scaled_channels_and_gives_back_what_rows_hold() {
        let graph = Graph::new();
        let (model, values, x) = model(&graph);
        let again = model.can().reconstruct().unwrap().reconstruct(x.into());
        let found = evaluate(&values, &[model.seen(x.into()).x, again, model.score(x.into())]);
        assert_eq!(found[0], [0.0, 0.0, 2.0, -2.0]);
        // 0.5 + 2/4 and 10 − 4.
        assert_eq!(found[1], [1.0, 6.0, 1.0, 6.0]);
        // (0 − 2)² + (0 + 1)² and (2 − 2)² + (−2 + 1)².
        assert_eq!(found[2], [5.0, 1.0]);
    }

    #[test]
    fn what_was_not_observed_is_0() {
        let graph = Graph::new();
        let (model, mut values, x) = model(&graph);
        let observed = graph.input("observed", &[2, 2]);
        values.tensors.insert("observed".to_string(), vec![1.0, 0.0, 0.0, 1.0]);
        let seen = model.seen(Rows { observed: Some(observed), ..x.into() });
        assert_eq!(evaluate(&values, &[seen.x])[0], [0.0, 0.0, 0.0, -2.0]);
    }
}
