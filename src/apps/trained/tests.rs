//! The front door: what goes in comes out, what was saved comes back, and what cannot be is refused with a reason.

use std::ops::ControlFlow;

use super::*;
use crate::apps::saved::CONFIG;
use crate::apps::{Epoch, Training, train};
use crate::catalogue::Spec;
use crate::config::Preset;
use crate::data::{Condition, Dataset, Labels, Values};
use crate::training::checkpoint::Checkpoint;
use crate::training::metrics::StepRecord;

const WIDTH: usize = 12;

/// A wave from 0.1 to 0.9 that starts anywhere.
fn wave(phase: usize) -> impl Iterator<Item = f32> {
    (0..WIDTH).map(move |i| 0.5 + 0.4 * (i as f32 * 0.5 + phase as f32).sin())
}

fn waves(rows: usize) -> Dataset {
    let values = (0..rows).flat_map(wave).collect();
    Dataset::new("waves", Values::Floats(values), Shape::vector(WIDTH)).unwrap()
}

fn config() -> Config {
    let mut config = Preset::Classic.config();
    config.device.device = DeviceChoice::Cpu;
    (config.model.encoder, config.model.latent) = ("mlp:24".parse().unwrap(), 2);
    config.model.likelihood = Spec::new("gaussian").with("sigma", 0.1);
    (config.training.epochs, config.training.batch, config.training.learning_rate) = (20, 25, 0.01);
    config
}

fn complaint<T>(result: Result<T>) -> String {
    result.err().expect("an error").to_string()
}

#[test]
fn a_model_learns_and_finds_what_is_strange() {
    let data = waves(300);
    let mut vae = train(&data, &config()).unwrap();
    let history = &vae.history().train;
    assert_eq!(history.len(), 20);
    assert!(history[19].loss < history[0].loss - 5.0, "{} {}", history[0].loss, history[19].loss);
    let x: Vec<f32> = (300..400).flat_map(wave).collect();
    let again = vae.reconstruct(&x).unwrap();
    let error = x.iter().zip(&again).map(|(a, b)| (a - b).powi(2)).sum::<f32>() / x.len() as f32;
    assert!(error < 0.01, "the variance of the data is 0.08, and the error {error}");
    let scores = vae.score(&x, 1).unwrap();
    assert_eq!(scores.len(), 100);
    let mean = scores.iter().map(|&s| f64::from(s)).sum::<f64>() / 100.0;
    assert!((mean - vae.history().train[19].loss).abs() < 3.0, "{mean}");
    let zigzag: Vec<f32> = (0..WIDTH).map(|i| (i % 2) as f32).collect();
    let strange = vae.score(&zigzag, 1).unwrap();
    assert!(scores.iter().all(|&score| score < strange[0] - 50.0), "{scores:?} {strange:?}");
    assert_ne!(vae.score(&x, 2).unwrap(), scores);
}

#[test]
fn codes_are_drawn_around_their_means() {
    let mut vae = train(&waves(300), &config()).unwrap();
    let x: Vec<f32> = wave(5).collect();
    let mean = vae.encode(&x).unwrap();
    let draws: Vec<Vec<f32>> = (0..400).map(|seed| vae.draw_codes(&x, seed).unwrap()).collect();
    for d in 0..2 {
        let each = || draws.iter().map(|z| f64::from(z[d]));
        let average = each().sum::<f64>() / 400.0;
        let variance = each().map(|z| (z - average).powi(2)).sum::<f64>() / 399.0;
        assert!(variance > 1e-6, "{variance}");
        let apart = (average - f64::from(mean[d])).abs();
        assert!(apart < 5.0 * (variance / 400.0).sqrt(), "{average} and {}", mean[d]);
    }
    assert_eq!(draws[3], vae.draw_codes(&x, 3).unwrap());
    assert!(complaint(vae.draw_codes(&x[1..], 3)).contains("whole rows of 12"));
}

#[test]
fn any_number_of_rows_goes_through() {
    let mut vae = train(&waves(50), &Config { training: short(), ..config() }).unwrap();
    for rows in [0, 1, 255, 256, 257, 600] {
        let x: Vec<f32> = (0..rows).flat_map(wave).collect();
        assert_eq!(vae.encode(&x).unwrap().len(), 2 * rows);
        assert_eq!(vae.reconstruct(&x).unwrap().len(), x.len());
        assert_eq!(vae.score(&x, 0).unwrap().len(), rows);
        assert_eq!(vae.sample(rows, 0).unwrap().len(), x.len());
    }
    // A row's code does not depend on its company.
    let x: Vec<f32> = (0..300).flat_map(wave).collect();
    let (all, one) = (vae.encode(&x).unwrap(), vae.encode(&x[270 * WIDTH..][..WIDTH]).unwrap());
    assert!(all[540..542].iter().zip(&one).all(|(a, b)| (a - b).abs() < 1e-5), "{one:?}");
    for values in [1, WIDTH + 1] {
        assert!(complaint(vae.score(&vec![0.0; values], 0)).contains("not whole rows"));
    }
    assert!(complaint(vae.sample(usize::MAX, 0)).contains("ask for at most"));
}

#[test]
fn rows_may_have_a_type_that_says_their_width() {
    let mut vae = train(&waves(50), &Config { training: short(), ..config() }).unwrap();
    let x: Vec<f32> = (0..3).flat_map(wave).collect();
    let flat = vae.encode(&x).unwrap();
    let rows: Vec<[f32; WIDTH]> = x.chunks_exact(WIDTH).map(|row| row.try_into().unwrap()).collect();
    let array: [[f32; WIDTH]; 3] = rows.clone().try_into().unwrap();
    assert_eq!(vae.encode(&rows).unwrap(), flat);
    assert_eq!(vae.encode(rows.as_slice()).unwrap(), flat);
    assert_eq!(vae.encode(&array).unwrap(), flat);
    // As many values, in rows that are half as wide.
    let halves: Vec<[f32; WIDTH / 2]> = x.chunks_exact(WIDTH / 2).map(|row| row.try_into().unwrap()).collect();
    assert!(complaint(vae.encode(&halves)).contains("rows of 6 values were given, and rows of 12 were expected"));
}

/// Mean, variance and sample variance of `draw_codes`, of each dimension of one row.
fn drawn(vae: &mut Trained, x: &[f32], draws: u64) -> Vec<(f64, f64)> {
    let codes: Vec<Vec<f32>> = (0..draws).map(|seed| vae.draw_codes(x, 1000 + seed).unwrap()).collect();
    let of = |d: usize| {
        let each = || codes.iter().map(|z| f64::from(z[d]));
        let mean = each().sum::<f64>() / draws as f64;
        (mean, each().map(|z| (z - mean).powi(2)).sum::<f64>() / (draws - 1) as f64)
    };
    (0..2).map(of).collect()
}

#[test]
fn moments_of_codes_are_those_of_their_draws() {
    let posteriors =
        [("diagonal-gaussian", true), ("full-covariance", true), ("householder", true), ("sylvester", false)];
    for (posterior, closed) in posteriors {
        let mut config = config();
        config.model.posterior = posterior.parse().unwrap();
        let mut vae = train(&waves(300), &config).unwrap();
        let x: Vec<f32> = [5, 9, 2].into_iter().flat_map(wave).collect();
        let moments = vae.code_moments(&x, 7).unwrap();
        assert_eq!(moments.draws, (!closed).then_some(1024), "{posterior}");
        assert_eq!((moments.mean.len(), moments.variance.len()), (6, 6));
        // Of all but the last, the code that stands for a row is the mean.
        let codes = vae.encode(&x).unwrap();
        for (row, x) in x.chunks_exact(WIDTH).enumerate() {
            for (d, (mean, variance)) in drawn(&mut vae, x, 600).into_iter().enumerate() {
                let at = 2 * row + d;
                let (told_mean, told) = (f64::from(moments.mean[at]), f64::from(moments.variance[at]));
                assert!((told_mean - mean).abs() < 5.0 * (variance / 500.0).sqrt(), "{posterior}: {told_mean}, {mean}");
                assert!(!closed || (told_mean - f64::from(codes[at])).abs() < 5.0 * (told / 1000.0).sqrt());
                assert!((told / variance - 1.0).abs() < 0.4, "{posterior}: {told} beside {variance} of draws");
                assert_eq!(moments.standard_deviation()[at], moments.variance[at].sqrt());
            }
        }
        // A seed decides what is drawn, and nothing else.
        let (again, other) = (vae.code_moments(&x, 7).unwrap(), vae.code_moments(&x, 8).unwrap());
        assert_eq!(again, moments);
        assert_eq!(other == moments, closed);
        // Each row's are its own, whatever its company.
        let alone = vae.code_moments(&x[WIDTH..2 * WIDTH], 7).unwrap();
        assert!(!closed || (alone.variance[0] / moments.variance[2] - 1.0).abs() < 1e-4);
    }
}

/// −ln N(x; m, σ²) and KL(N(μ, σ²) ‖ N(0, 1)) by hand, of what the model says of codes and rows.
#[test]
fn scores_of_features_by_hand() {
    let mut vae = train(&waves(300), &config()).unwrap();
    let mut x: Vec<f32> = [5, 9].into_iter().flat_map(wave).collect();
    x[3] = 2.0;
    let (each, whole) = (vae.score_features(&x, 4).unwrap(), vae.score(&x, 4).unwrap());
    let codes = vae.draw_codes(&x, 4).unwrap();
    let means = vae.decode(&codes).unwrap();
    let constant = (0.1 * std::f64::consts::TAU.sqrt()).ln();
    let by_hand: Vec<f64> =
        x.iter().zip(&means).map(|(x, m)| f64::from(x - m).powi(2) / (2.0 * 0.01) + constant).collect();
    for (found, hand) in each.iter().zip(&by_hand) {
        assert!((f64::from(*found) - hand).abs() < 1e-3 * (1.0 + hand.abs()), "{found} {hand}");
    }
    let strangest = (0..2 * WIDTH).max_by(|&a, &b| each[a].total_cmp(&each[b]));
    assert_eq!(strangest, Some(3), "the value that was changed");
    let moments = vae.code_moments(&x, 0).unwrap();
    for row in 0..2 {
        let kl = |at: usize| {
            let (mean, variance) = (f64::from(moments.mean[at]), f64::from(moments.variance[at]));
            0.5 * (mean * mean + variance - variance.ln() - 1.0)
        };
        let sum: f64 = each[row * WIDTH..][..WIDTH].iter().map(|&loss| f64::from(loss)).sum();
        let parts = sum + kl(2 * row) + kl(2 * row + 1);
        assert!((parts - f64::from(whole[row])).abs() < 1e-3 * parts.abs(), "{parts} {}", whole[row]);
    }
    // Another seed draws other codes, of which the sum is another.
    assert_ne!(vae.score_features(&x, 5).unwrap(), each);
}

#[test]
fn likelihoods_of_rows_are_those_of_an_evaluation() {
    let mut vae = train(&waves(300), &config()).unwrap();
    // More rows than are worked on at once, and more codes, of which the last are fewer.
    let held_out = waves(70);
    let x: Vec<f32> = (0..70).flat_map(wave).collect();
    let whole = vae.session.importance(&held_out, 100).unwrap();
    let seed = !vae.config.training.seed;
    let rows = vae.log_likelihood(&x, 100, seed).unwrap();
    assert_eq!(rows.len(), 70);
    let mean = |of: &dyn Fn(&LogLikelihood) -> f64| rows.iter().map(of).sum::<f64>() / 70.0;
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9 * (1.0 + b.abs()), "{a} {b}");
    close(-mean(&|row| row.log_likelihood), whole.nll);
    close(-mean(&|row| row.bias.unwrap()), whole.bias.unwrap());
    close(mean(&|row| row.effective_samples), whole.effective_samples);
    close((mean(&|row| row.standard_error.unwrap().powi(2)) / 70.0).sqrt(), whole.monte_carlo_error.unwrap());
    // Tighter than the ELBO, of which each row's is another, and of another seed another.
    let elbo = |seed| -vae.score(&x, seed).unwrap().iter().map(|&s| f64::from(s)).sum::<f64>() / 70.0;
    let elbo = (0..50).map(elbo).sum::<f64>() / 50.0;
    assert!(-whole.nll > elbo, "{} {elbo}", whole.nll);
    assert_ne!(vae.log_likelihood(&x, 100, 3).unwrap(), rows);
    assert_eq!(vae.log_likelihood(&x[..WIDTH], 1, 3).unwrap()[0].standard_error, None);
    assert!(complaint(vae.log_likelihood(&x, 0, 3)).contains("from 1 to 5000"));
    assert!(complaint(vae.log_likelihood(&x[1..], 5, 3)).contains("whole rows of 12"));
}

/// The codes of a classifier are as wide as its last hidden layer, whatever `latent` says.
#[test]
fn a_code_has_as_many_numbers_as_is_said() {
    let labels = (0..50).map(|row| row % 3).collect();
    let labels = Labels { values: labels, classes: 3, names: ["a", "b", "c"].map(String::from).to_vec() };
    let data = Dataset { labels: Some(labels), ..waves(50) };
    let mut config = Config { training: short(), ..config() };
    assert_eq!(train(&data, &config).unwrap().latent(), 2);
    config.model.kind = "classifier".parse().unwrap();
    let mut classifier = train(&data.conditioned(Condition::Labels).unwrap(), &config).unwrap();
    assert_eq!(classifier.latent(), 24);
    let x: Vec<f32> = (0..5).flat_map(wave).collect();
    assert_eq!(classifier.encode(&x).unwrap().len(), 5 * classifier.latent());
}

#[test]
fn blanks_are_filled_in() {
    let gaps = |phase: usize| {
        wave(phase).enumerate().map(move |(i, x)| if (i + phase).is_multiple_of(4) { f32::NAN } else { x })
    };
    let values: Vec<f32> = (0..300).flat_map(gaps).collect();
    let data = Dataset::with_gaps("waves", values, Shape::vector(WIDTH)).unwrap();
    let mut vae = train(&data, &config()).unwrap();
    let (x, whole): (Vec<f32>, Vec<f32>) = ((300..330).flat_map(gaps).collect(), (300..330).flat_map(wave).collect());
    let filled = vae.impute(&x, 100, 1).unwrap();
    let error = |of: &dyn Fn(usize) -> f32| {
        let blanks = (0..x.len()).filter(|&i| x[i].is_nan());
        let errors: Vec<f32> = blanks.map(|i| (of(i) - whole[i]).powi(2)).collect();
        errors.iter().sum::<f32>() / errors.len() as f32
    };
    // The mean of all values is 0.5.
    let (found, constant) = (error(&|i| filled[i]), error(&|_| 0.5));
    assert!(found < 0.2 * constant, "{found} beside {constant}");
    assert!((0..x.len()).all(|i| x[i].is_nan() || filled[i] == x[i]), "what is known stays");
    assert!(complaint(train(&waves(50), &config()).unwrap().impute(&x, 100, 1)).contains("NaN"));
}

fn short() -> crate::config::TrainingConfig {
    crate::config::TrainingConfig { epochs: 1, ..config().training }
}

#[test]
fn what_is_saved_comes_back_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("waves.safetensors");
    let mut vae = train(&waves(50), &Config { training: short(), ..config() }).unwrap();
    vae.save(&path).unwrap();
    let mut loaded = Trained::load(&path, &DeviceChoice::Cpu).unwrap();
    assert_eq!((loaded.config(), loaded.shape()), (vae.config(), vae.shape()));
    assert_eq!((loaded.features(), loaded.latent(), loaded.parameters()), (WIDTH, 2, vae.parameters()));
    assert_eq!(loaded.sample(9, 4).unwrap(), vae.sample(9, 4).unwrap());
    assert!(loaded.history().train.is_empty() && vae.history().train.len() == 1);

    let mut checkpoint = Checkpoint::load(&path).unwrap();
    checkpoint.set_metadata(CONFIG, config().to_toml().unwrap().replace("hidden=24", "hidden=60000"));
    checkpoint.save(&path).unwrap();
    assert!(complaint(Trained::load(&path, &DeviceChoice::Cpu)).contains("parameters, and the checkpoint holds"));
    checkpoint.metadata.remove(CONFIG);
    checkpoint.save(&path).unwrap();
    assert!(complaint(Trained::load(&path, &DeviceChoice::Cpu)).contains("give the folder"));
    assert!(complaint(Trained::load(folder.path(), &DeviceChoice::Cpu)).contains("config.toml"));
}

#[test]
fn training_ends_where_it_is_told_to() {
    let mut seen = 0;
    let data = waves(50);
    let stop = |epoch: Epoch| {
        seen += 1;
        if epoch.train.epoch == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let vae = Training::new(&data, &config()).on_epoch(stop).run().unwrap();
    assert_eq!((vae.history().train.len(), vae.epochs), (2, 2));
    assert_eq!(seen, 2);
}

#[test]
fn training_ends_within_an_epoch() {
    let (data, mut steps) = (waves(100), vec![]);
    let mut every = config();
    every.training.log_every = 1;
    every.training.steps_per_submit = Some(1);
    let stop = |step: &StepRecord| {
        steps.push(step.step);
        if step.step == 6 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    // Four batches an epoch: the sixth step is the second of the second epoch.
    let mut broken = Training::new(&data, &every).on_step(stop).run().unwrap();
    assert_eq!((broken.history().train.len(), broken.epochs), (1, 1));
    assert_eq!(steps, [1, 2, 3, 4, 5, 6], "and it is not called again");
    // It has the weights of so many steps, as a run of an epoch does not.
    let mut whole = train(&data, &Config { training: short(), ..every }).unwrap();
    assert_ne!(broken.sample(2, 1).unwrap(), whole.sample(2, 1).unwrap());
}

/// Rows that are held out are waves as well, or else noise, of which training makes the loss worse and worse.
#[test]
fn patience_keeps_the_weights_of_the_best_epoch() {
    let (data, mut noise) = (waves(100), waves(40));
    noise.values = Values::Floats((0..40 * WIDTH).map(|i| (i * 7919 % 97) as f32 / 97.0).collect());
    let mut patient = config();
    patient.training.patience = Some(3);
    let mut told = vec![];
    let mut vae = Training::new(&data, &patient)
        .validation(&noise)
        .on_epoch(|epoch| {
            told.push((epoch.validation.unwrap().loss, epoch.is_best));
            ControlFlow::Continue(())
        })
        .run()
        .unwrap();
    let history = vae.history().clone();
    let losses: Vec<f64> = history.validation.iter().map(|record| record.loss).collect();
    let best = history.best.unwrap();
    let by_hand = (1..).zip(&losses).min_by(|a, b| a.1.total_cmp(b.1)).unwrap();
    assert_eq!((best.epoch, &best.loss), by_hand);
    assert_eq!((best.step, vae.epochs), (4 * best.epoch, best.epoch));
    assert_eq!(history.train.len() as u64, best.epoch + 3, "{losses:?}");
    assert!(history.train.len() < 20, "it ended early");
    assert_eq!(told.iter().map(|(loss, _)| *loss).collect::<Vec<_>>(), losses);
    assert!(told[best.epoch as usize - 1].1 && told[best.epoch as usize..].iter().all(|(_, is_best)| !is_best));
    assert!(history.validation.iter().zip(&history.train).all(|(v, t)| (v.epoch, v.steps) == (t.epoch, t.steps)));
    // A run of as many epochs as the best has the same weights; one of an epoch more has others.
    let until = |epochs: u64| {
        let mut config = config();
        config.training.epochs = epochs as usize;
        train(&data, &config).unwrap().sample(4, 1).unwrap()
    };
    let sample = vae.sample(4, 1).unwrap();
    assert_eq!(sample, until(best.epoch));
    assert_ne!(sample, until(best.epoch + 1));
}

#[test]
fn patience_wants_rows_that_are_held_out() {
    let data = waves(50);
    let mut patient = config();
    patient.training.patience = Some(3);
    assert!(complaint(train(&data, &patient)).contains("give some as `validation`"));
    let other = Dataset::new("short", Values::Floats(vec![0.5; 4]), Shape::vector(2)).unwrap();
    assert!(complaint(Training::new(&data, &patient).validation(&other).run()).contains("short has images of"));
    patient.training.patience = Some(0);
    assert!(complaint(Training::new(&data, &patient).validation(&data).run()).contains("`patience` is 0"));
}

#[test]
fn what_cannot_be_is_refused() {
    let data = waves(50);
    let refused = |change: &dyn Fn(&mut Config)| {
        let mut config = config();
        change(&mut config);
        complaint(train(&data, &config))
    };
    assert!(refused(&|c| c.training.epochs = 0).contains("`epochs` is 0"));
    assert!(refused(&|c| c.training.batch = 51).contains("has 50 rows"));
    let mut scaled = waves(3);
    scaled.values = Values::Floats(vec![2.5; 3 * WIDTH]);
    let bernoulli = Config { model: Preset::Classic.config().model, ..config() };
    assert!(complaint(train(&scaled, &bernoulli)).contains("holds 2.5 in row 0, column 0"));
    let mut plain = Config { training: short(), ..config() };
    plain.model.kind = "ae".parse().unwrap();
    plain.model.likelihood = Spec::new("bernoulli");
    let mut plain = train(&data, &plain).unwrap();
    assert!(complaint(plain.sample(1, 0)).contains("this model cannot draw new rows: that takes a prior over codes"));
    assert_eq!(plain.score(&data.row(0), 0).unwrap(), plain.score(&data.row(0), 1).unwrap());
}

/// A model goes from thread to thread, and says what it is.
#[test]
fn a_trained_model_moves_between_threads() {
    let mut vae = train(&waves(50), &Config { training: short(), ..config() }).unwrap();
    let here = vae.sample(3, 1).unwrap();
    let said = format!("{vae:?}");
    assert!(
        said.contains("model: vae") && said.contains(&format!("features: {WIDTH}")) && said.contains("latent: 2"),
        "{said}"
    );
    let there = std::thread::spawn(move || vae.sample(3, 1).unwrap()).join().unwrap();
    assert_eq!(here, there);
}

#[test]
fn what_is_no_number_is_refused_by_its_place() {
    let mut vae = train(&waves(50), &Config { training: short(), ..config() }).unwrap();
    for (number, said) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        let mut x = [0.5; 3 * WIDTH];
        assert!(vae.encode(&x).is_ok() && vae.decode(&[0.5; 2]).is_ok());
        x[WIDTH + 4] = number;
        for result in [vae.encode(&x), vae.reconstruct(&x), vae.score(&x, 0)] {
            assert!(complaint(result).contains(&format!("the value in row 1, column 4 is {said}")));
        }
        assert!(
            complaint(vae.decode(&[0.0, 0.0, 0.0, number]))
                .contains(&format!("the value in row 1, column 1 is {said}"))
        );
    }
}

/// A piece may be asked for by another of its names, in code as on the command line.
#[test]
fn other_names_of_pieces_are_understood() {
    let mut config = config();
    config.training.epochs = 1;
    (config.model.kind, config.model.likelihood) = ("ae".parse().unwrap(), "mse".into());
    let named = train(&waves(50), &config).unwrap().config().model.likelihood.clone();
    assert_eq!(named, Spec::new("gaussian"));
    config.model.likelihood = "l1".into();
    assert!(complaint(train(&waves(50), &config)).contains("laplace"));
}

#[test]
fn bytes_are_those_of_the_file() {
    let mut vae = train(&waves(50), &Config { training: short(), ..config() }).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("waves.safetensors");
    vae.save(&path).unwrap();
    let bytes = vae.to_bytes().unwrap();
    assert_eq!(bytes, std::fs::read(&path).unwrap());
    let mut again = Trained::from_bytes(&bytes, &DeviceChoice::Cpu).unwrap();
    assert_eq!(
        (again.sample(3, 7).unwrap(), again.weights().unwrap()),
        (vae.sample(3, 7).unwrap(), vae.weights().unwrap())
    );
    let (cut, other) = (&bytes[..bytes.len() - 1], Checkpoint::default().to_bytes().unwrap());
    assert!(complaint(Trained::from_bytes(cut, &DeviceChoice::Cpu)).contains("not a usable checkpoint"));
    assert!(complaint(Trained::from_bytes(&other, &DeviceChoice::Cpu)).contains("does not say its `config`"));
}

#[test]
fn training_ends_in_the_middle_of_an_epoch_when_it_is_enough() {
    let (data, mut asked) = (waves(400), 0);
    // One step at a time, of 16 in an epoch, so that it is asked behind each.
    let mut config = config();
    config.training.steps_per_submit = Some(1);
    let is_enough = || {
        asked += 1;
        asked > 20
    };
    let mut vae = Training::new(&data, &config).until(is_enough).run().unwrap();
    assert_eq!(vae.history().train.len(), 1);
    // What came behind the first epoch is kept, and no more.
    config.training.epochs = 1;
    let mut first = Training::new(&data, &config).run().unwrap();
    assert_ne!(vae.weights().unwrap(), first.weights().unwrap());
    assert!(asked < 16 * 20, "{asked}");
}
