//! Runs on changed pictures and weighed classes: the same bits when they are gone on with, and held-out rows left as they are.

use std::ops::ControlFlow;
use std::sync::Arc;

use elbo::config::{Augment, Config, Preset, TrainingConfig};
use elbo::data::{Dataset, Shape, Split, Values};
use elbo::engine::cpu::Cpu;
use elbo::engine::distributions::{Bernoulli, SquaredError};
use elbo::engine::models::{Autoencoder, Parts, Vae};
use elbo::engine::nn::Activation;
use elbo::engine::training::{Session, Trainer};

use crate::runs::{resumed_is_continuous, small};

/// A small run on sprites that are changed in every way, their classes counting alike.
fn changed() -> Config {
    let mut config = small();
    config.training.augment = Some("flip,flip-vertical,shift=2,crop=3".parse().unwrap());
    config.training.class_balance = true;
    config
}

#[test]
fn a_resumed_run_on_changed_pictures_is_a_continuous_one() {
    // Without either of the two it is another run.
    let without = |leave: fn(&mut TrainingConfig)| {
        let mut config = changed();
        leave(&mut config.training);
        config
    };
    let others = [without(|t| t.augment = None), without(|t| t.class_balance = false)];
    resumed_is_continuous(&changed(), 8, &others);
}

fn pictures(shape: Shape) -> Dataset {
    let values = (0..40 * shape.features()).map(|i| (i * 37 % 256) as u8).collect();
    Dataset::new("pictures", Values::Bytes(values), shape).unwrap()
}

fn trainer(data: &Dataset, augment: Option<Augment>) -> elbo::Result<Trainer> {
    let features = data.shape().features();
    let model = Autoencoder::new(features, 2, (&[4], &[4]), Activation::Tanh, Arc::new(SquaredError));
    let config = TrainingConfig { batch: 16, learning_rate: 1e-9, augment, ..Preset::Classic.config().training };
    Trainer::new(Session::new(Box::new(model), Box::new(Cpu::new()), 3), data, &config, 1.0, false)
}

#[test]
fn held_out_rows_are_never_changed() {
    let data = pictures(Shape { height: 5, width: 4, channels: 3 });
    let told = |augment: Option<Augment>| {
        let mut trainer = trainer(&data, augment).unwrap();
        let train = trainer.epoch(&mut |_| ControlFlow::Continue(())).unwrap().unwrap().loss;
        (train, trainer.session.evaluate(Split::Test, &data, (16, 1.0)).unwrap().0.loss)
    };
    // At a rate at which nothing is learnt, training rows cost what held-out ones do, unless they are changed.
    let ((plain, held_out), (changed, again)) = (told(None), told(Some("crop=3".parse().unwrap())));
    assert!((plain - held_out).abs() < 1e-5 * plain && (held_out - again).abs() < 1e-5 * plain);
    assert!((changed - again).abs() > 1e-2 * changed, "{changed} {again}");
}

#[test]
fn what_is_no_picture_or_too_small_is_refused() {
    let refused = |shape, how: &str| {
        let found = trainer(&pictures(shape), Some(how.parse().unwrap()));
        found.err().expect("it is refused").to_string()
    };
    assert!(refused(Shape::vector(12), "flip").contains("are vectors"));
    let small = Shape { height: 3, width: 7, channels: 1 };
    assert!(
        refused(small, "shift=3").contains("up to 3 pixels")
            && refused(small, "flip,crop=9").contains("give less than 3")
    );
    assert!(trainer(&pictures(small), Some("shift=2,crop=2".parse().unwrap())).is_ok());
}

/// Which values were observed is changed as the values are: where a picture is cut from beyond its edge nothing was, and costs nothing.
#[test]
fn gaps_move_with_their_pixels() {
    let shape = Shape { height: 3, width: 3, channels: 1 };
    // Each picture lacks its left column, and is 0.25 elsewhere.
    let row = [f32::NAN, 0.25, 0.25].repeat(3);
    let data = Dataset::with_gaps("gaps", row.repeat(64), shape).unwrap();
    let loss = |augment: Option<Augment>| {
        let model = Vae::new(9, 1, (&[], &[]), Activation::Tanh, Parts::new(Arc::new(Bernoulli)));
        let config = TrainingConfig {
            batch: 64,
            learning_rate: 1e-9,
            kl_warmup_epochs: 0,
            augment,
            ..Preset::Classic.config().training
        };
        let session = Session::new(Box::new(model), Box::new(Cpu::new()), 3).with_gaps(true);
        let mut trainer = Trainer::new(session, &data, &config, 1.0, false).unwrap();
        // A decoder that says 1/2 of every pixel, whatever the code: each one that was observed costs ln 2.
        let set = trainer.session.layout.groups[0].clone();
        trainer.session.executor.write_f32(&set.values(), &vec![0.0; set.words()]).unwrap();
        trainer.epoch(&mut |_| ControlFlow::Continue(())).unwrap().unwrap().reconstruction
    };
    let pixels = |augment: Option<&str>| loss(augment.map(|how| how.parse().unwrap())) / std::f64::consts::LN_2;
    assert!((pixels(None) - 6.0).abs() < 1e-4 && (pixels(Some("flip")) - 6.0).abs() < 1e-4);
    // Cut by −1, 0 or 1 along each axis: 2, 3 or 2 lines, of 1, 2 or 2 columns (1 to the left of the gap's edge, 2 without it): 7/3·5/3.
    let found = pixels(Some("crop=1"));
    assert!((found - 35.0 / 9.0).abs() < 0.5 && found < 5.5, "{found}");
    // With edges repeated, 3 lines of 1, 2 or 3 columns: 6 in the mean, and not in every batch.
    let found = pixels(Some("shift=1"));
    assert!((found - 6.0).abs() < 1.0 && (found - 6.0).abs() > 1e-4, "{found}");
}
