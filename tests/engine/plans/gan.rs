//! A generative adversarial network (Goodfellow et al. 2014): two groups that take turns, each with a loss of its own.

use elbo::engine::graph::{Graph, Tensor};
use elbo::engine::models::{Batch, Group, Losses, Model, Phase, TrainingPlan};
use elbo::engine::nn::{Activation, Mlp, linear};

use super::by_hand::{Fault, Rows, apart, descend, slopes, train};
use super::course::{Sketch, Sketched, devices, numbers, parameters, plain, run, trainer};

const FEATURES: usize = 5;
const NOISE: usize = 3;

/// Tells rows that it makes of noise from those of the data. The two take turns, the generator in every `every`th iteration; or
/// both are moved at once, in one pass, where that is 0.
#[derive(Clone, Copy, Debug)]
struct Gan {
    every: u64,
}

impl Gan {
    fn generate(self, graph: &Graph, rows: usize) -> Tensor<'_> {
        let z = graph.normal(graph.stream(), &[rows, NOISE]);
        let hidden = Mlp::new(vec![6], Activation::Tanh).hidden("generator", z);
        linear("generator.out", hidden, FEATURES)
    }

    /// The logit of a row's being real `[rows, 1]`.
    fn judge(self, x: Tensor<'_>) -> Tensor<'_> {
        let hidden = Mlp::new(vec![7], Activation::Tanh).hidden("discriminator", x);
        linear("discriminator.out", hidden, 1)
    }

    /// −ln D(x) − ln(1 − D(G(z))).
    fn discriminator<'g>(self, batch: &Batch<'g>) -> Tensor<'g> {
        let made = self.generate(batch.rows.x.graph(), batch.rows.count()).detach();
        (-self.judge(batch.rows.x)).softplus() + self.judge(made).softplus()
    }

    /// −ln D(G(z)), which does not saturate.
    fn generator<'g>(self, batch: &Batch<'g>) -> Tensor<'g> {
        (-self.judge(self.generate(batch.rows.x.graph(), batch.rows.count()))).softplus()
    }

    fn both<'g>(self, batch: &Batch<'g>) -> Losses<'g> {
        let mut both = Losses::of("discriminator", "loss", self.discriminator(batch));
        let other = Losses::of("generator", "generator_loss", self.generator(batch));
        both.losses.extend(other.losses);
        both.statistics.extend(other.statistics);
        both
    }
}

impl Sketch for Gan {
    const FEATURES: usize = FEATURES;
    const LATENT: usize = FEATURES;

    fn loss<'g>(&self, batch: &Batch<'g>) -> [Tensor<'g>; 2] {
        [self.discriminator(batch), batch.rows.x]
    }

    fn plan<'m>(&'m self, _: &'m dyn Model) -> TrainingPlan<'m> {
        let [first, second] = ["discriminator", "generator"];
        let phases = match self.every {
            0 => vec![Phase::new("both", |batch| self.both(batch))],
            every => {
                let generator = Phase::new(second, |batch| Losses::of(second, "generator_loss", self.generator(batch)));
                let discriminator = Phase::new(first, |batch| Losses::of(first, "loss", self.discriminator(batch)));
                vec![discriminator, Phase { every, after: 1, ..generator }]
            }
        };
        TrainingPlan { groups: [first, second].map(|name| Group::new(name, name)).into(), phases }
    }
}

#[test]
fn its_gradients_are_those_of_its_losses() {
    let (model, x) = (Sketched(Gan { every: 1 }), numbers(1, 12, FEATURES));
    let rows = Rows { x: &x, features: FEATURES };
    let at = parameters(&mut trainer(model, devices().remove(0), &rows, &plain(12)));
    for [gradient, difference] in slopes(&model, &at, &rows) {
        assert!(
            (gradient - difference).abs() < 1e-6 * gradient.abs() && gradient.abs() > 1e-3,
            "{gradient}, {difference}"
        );
    }
}

#[test]
fn two_groups_take_turns() {
    let (model, x) = (Sketched(Gan { every: 2 }), numbers(1, 12, FEATURES));
    let rows = Rows { x: &x, features: FEATURES };
    for executor in devices() {
        let mut trainer = trainer(model, executor, &rows, &plain(12));
        let start = parameters(&mut trainer);
        let steps = run(&mut trainer, 6);
        let found = parameters(&mut trainer);
        let by_hand = |fault| train(&model, &start, &rows, 6, fault, &mut descend(0.1));
        let far = apart(&found, &by_hand(None));
        assert!(far < 1e-4, "{}: {far:e}", trainer.session.executor.describe());
        for fault in [Fault::OtherOrder, Fault::EveryTime] {
            let far = apart(&found, &by_hand(Some(fault)));
            assert!(far > 1e-3, "{fault:?} is not seen: {far:e}");
        }
        // Each statistic is there in the iterations in which its phase is done, and the norms of both groups are.
        for (i, step) in steps.iter().enumerate() {
            assert!(step.loss > 0.1, "{step:?}");
            for name in ["generator_loss", "generator.gradient_norm"] {
                assert_eq!(step.parts.contains_key(name), i % 2 == 1, "step {i}: {step:?}");
            }
            assert!(step.parts["discriminator.gradient_norm"] > 0.0);
        }
    }
}

/// Neither sees the other moved: in turns they would come to something else.
#[test]
fn two_groups_are_moved_in_one_pass() {
    let (model, x) = (Sketched(Gan { every: 0 }), numbers(1, 12, FEATURES));
    let rows = Rows { x: &x, features: FEATURES };
    for executor in devices() {
        let mut trainer = trainer(model, executor, &rows, &plain(12));
        let start = parameters(&mut trainer);
        let steps = run(&mut trainer, 6);
        let found = parameters(&mut trainer);
        let by_hand = |model| train(&model, &start, &rows, 6, None, &mut descend(0.1));
        let far = apart(&found, &by_hand(model));
        assert!(far < 1e-4, "{}: {far:e}", trainer.session.executor.describe());
        assert!(apart(&found, &by_hand(Sketched(Gan { every: 1 }))) > 1e-3);
        let norms = ["generator.gradient_norm", "discriminator.gradient_norm"].map(|name| steps[0].parts[name]);
        assert!(norms.iter().all(|norm| *norm > 0.0) && norms[0] != norms[1], "{norms:?}");
    }
}

/// Both programs replay: nothing is made, and nothing waited for.
#[test]
fn the_steady_state_makes_nothing() {
    let (model, x) = (Sketched(Gan { every: 3 }), numbers(1, 120, FEATURES));
    let rows = Rows { x: &x, features: FEATURES };
    for executor in devices() {
        let mut trainer = trainer(model, executor, &rows, &plain(10));
        trainer.steps(24).unwrap();
        let before = trainer.session.executor.counters();
        trainer.send(12).unwrap();
        let made = trainer.session.executor.counters() - before;
        // Twelve of the discriminator, and of the generator those of the iterations 1, 4, 7 and 10.
        assert_eq!((made.steps, made.buffers, made.bind_groups, made.pipelines, made.waits), (16, 0, 0, 0, 0));
        assert!(trainer.session.executor.is_cpu() || made.submits == 1, "{made:?}");
    }
}
