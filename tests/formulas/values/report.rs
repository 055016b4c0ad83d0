//! What a report says of codes: draws from the posteriors are held against the prior, and means against known factors.

use elbo::apps::{Saved, Wanted};
use elbo::config::{Config, Preset};
use elbo::engine::cpu::Cpu;
use elbo::engine::evaluation::distances::{DISTANCES, Points};
use elbo::engine::evaluation::{Coded, METRICS};
use elbo::engine::kernels::Step;
use elbo::engine::kernels::random::normal4;

use super::run::{LATENT, TEST, Weights, close, config, finished, rows, scaled};

const SEED: u64 = 12;

/// So many standard normals of the first stream of a seed.
fn normals(seed: u64, count: usize) -> Vec<f64> {
    let step = Step { seed: Step::seed_words(seed), ..Step::default() };
    (0..count).map(|e| f64::from(normal4(&step, 1, e as u32 / 4)[e % 4])).collect()
}

fn points(values: &[f64]) -> Points {
    Points::new(values.iter().map(|&v| v as f32).collect(), LATENT).unwrap()
}

/// The aggregate posterior is one of draws: means alone lie closer together.
#[test]
fn draws_from_the_posteriors_are_held_against_the_prior() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    finished(config(folder.path()), &run);
    let weights = Weights::of(&run);
    let encoded: Vec<_> = scaled(&rows(TEST, 190, 2)).iter().map(|x| weights.encode(x)).collect();
    let noise = normals(SEED, TEST * LATENT);
    let draw = |(i, (mu, log_var)): (usize, &(Vec<f64>, Vec<f64>))| {
        (0..LATENT).map(|d| mu[d] + (0.5 * log_var[d]).exp() * noise[i * LATENT + d]).collect::<Vec<f64>>()
    };
    let codes = points(&encoded.iter().enumerate().flat_map(draw).collect::<Vec<f64>>());
    let means = points(&encoded.iter().flat_map(|row| row.0.clone()).collect::<Vec<f64>>());
    // Two samples of the prior, of as many codes, from the seeds behind this one.
    let [prior, other] = [1, 2].map(|i| points(&normals(SEED + i, TEST * LATENT)));
    let mut saved = Saved::open(&run, Box::new(Cpu::new())).unwrap();
    let splits = saved.data().unwrap();
    let (split, data) = splits.evaluation_split();
    let wanted = Wanted { samples: None, codes: true, factors: false, seed: SEED };
    let report = saved.evaluate(split, data, wanted).unwrap();
    assert_eq!(report.aggregate_posterior.len(), DISTANCES.len());
    for distance in DISTANCES {
        let found = &report.aggregate_posterior[distance.id];
        let of = |points: &Points| (distance.compute)(points, &prior, SEED).unwrap();
        close(found.value, of(&codes).value);
        close(found.of_prior, of(&other).value);
        assert_eq!(found.standard_error.is_some(), of(&codes).standard_error.is_some());
        assert!((found.value - of(&means).value).abs() > 1e-2, "{}: the means alone cannot be told apart", distance.id);
    }
}

/// Scores are of the means, in the order of the rows; beside them what shuffled codes and the factors themselves reach.
#[test]
fn means_are_held_against_the_factors() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut config: Config = Preset::default().config();
    (config.data.resolution, config.data.count, config.data.validation) = (8, Some(3000), 0);
    (config.model.encoder, config.model.latent) = ("mlp:12".parse().unwrap(), 3);
    (config.training.epochs, config.training.batch, config.training.learning_rate) = (2, 50, 0.01);
    finished(config, &run);
    let mut saved = Saved::open(&run, Box::new(Cpu::new())).unwrap();
    let splits = saved.data().unwrap();
    let (split, data) = splits.evaluation_split();
    let wanted = Wanted { samples: None, codes: true, factors: false, seed: SEED };
    let report = saved.evaluate(split, data, wanted).unwrap();
    let (x, _) = data.gather(0..data.rows);
    let coded = |codes: &[f32]| Coded::new(codes, 3, data.factors.as_ref().unwrap()).unwrap();
    let means = coded(&saved.session.encode(&x).unwrap());
    let draws = coded(&saved.session.draw_codes(&x, SEED).unwrap());
    let mig = METRICS.iter().find(|metric| metric.id == "mig").unwrap();
    let of = |coded: &Coded| (mig.compute)(coded, SEED).unwrap()[0].mean;
    let found = &report.disentanglement["mig"];
    close(found.value, of(&means));
    close(found.chance, of(&means.shuffled(SEED)));
    close(found.perfect, of(&means.of_factors()));
    assert!((found.value - of(&draws)).abs() > 1e-3 && (found.value - found.chance).abs() > 1e-3);
    assert_eq!(report.excluded_factors, means.excluded());
}
