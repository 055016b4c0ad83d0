//! Which rows the figures named `test` and `validation` are of: a run over files whose test rows are like no others.

use std::path::Path;

use elbo::apps::{Evaluation, Saved, Wanted};
use elbo::config::Binarise;
use elbo::data::{Dataset, Shape, Values};
use elbo::engine::cpu::Cpu;
use elbo::engine::distributions::Measure;
use elbo::engine::training::metrics::Split;

use super::run::{FEATURES, TEST, TRAIN, VALIDATION, Weights, close, config, finished, rows, scaled};

fn of_data(data: &Dataset) -> Vec<Vec<f64>> {
    (0..data.rows).map(|i| data.row(i).into_iter().map(f64::from).collect()).collect()
}

fn evaluated(run: &Path) -> (Split, Evaluation) {
    let mut saved = Saved::open(run, Box::new(Cpu::new())).unwrap();
    let splits = saved.data().unwrap();
    let (split, data) = splits.evaluation_split();
    let wanted = Wanted { samples: Some(10), codes: false, factors: false, seed: 0 };
    (split, saved.evaluate(split, data, wanted).unwrap())
}

#[test]
fn figures_are_of_the_rows_they_are_named_after() {
    let folder = tempfile::tempdir().unwrap();
    let run_folder = folder.path().join("run");
    let (run, seen) = finished(config(folder.path()), &run_folder);
    let weights = Weights::of(&run_folder);
    // The rows as they were written here; those of validation are all among those to train on.
    let (written, test) = (scaled(&rows(TRAIN, 0, 1)), scaled(&rows(TEST, 190, 2)));
    let validation = of_data(run.data.validation.as_ref().unwrap());
    let is_of =
        |rows: &[Vec<f64>], x: &Vec<f64>| rows.iter().any(|row| row.iter().zip(x).all(|(a, b)| (a - b).abs() < 1e-6));
    assert!(validation.len() == VALIDATION && validation.iter().all(|x| is_of(&written, x) && !is_of(&test, x)));
    let kls = [weights.kl(&validation), weights.kl(&test)];
    assert!((kls[0] - kls[1]).abs() > 0.1 * kls[1], "{kls:?} cannot be told apart");
    let splits: Vec<Split> = seen.records.iter().map(|record| record.split).collect();
    assert_eq!(splits, [Split::Train, Split::Validation, Split::Test]);
    close(seen.records[1].kl, kls[0]);
    close(seen.records[2].kl, kls[1]);
    // What is said of the run later is of the test rows as well.
    let (split, report) = evaluated(&run_folder);
    assert_eq!((split, report.record.split, report.rows), (Split::Test, Split::Test, TEST));
    close(report.record.kl, kls[1]);
    close(report.record.elbo, seen.records[2].elbo);
    let error = weights.reconstruction_error(&test);
    close(report.reconstruction_error.unwrap(), error);
    for wrong in
        [weights.reconstruction_error(&validation), error * FEATURES as f64, weights.reconstruction_error(&written)]
    {
        assert!((error / wrong - 1.0).abs() > 0.05, "{error} and {wrong}");
    }
    // Grey rows under a Bernoulli: cross-entropies, and no bits.
    assert_eq!((report.measure, report.record.bits_per_dimension), (Measure::CrossEntropy, None));
    assert_eq!((report.nll_bits_per_dimension, report.binarisation_seed), (None, None));
    assert!(report.notes[0].contains("grey"), "{:?}", report.notes);
}

/// Where training binarises, all figures are of one draw of the test rows, which is the same for every run: −ELBO and −ln p(x) in
/// bits, and the error of reconstructions, are those of black and white rows.
#[test]
fn figures_of_a_binarised_run_are_of_one_draw() {
    let folder = tempfile::tempdir().unwrap();
    let reports = [3, 4].map(|seed| {
        let run_folder = folder.path().join(format!("run-{seed}"));
        let mut config = config(folder.path());
        (config.data.binarise, config.training.seed) = (Binarise::Dynamic, seed);
        let (_, seen) = finished(config, &run_folder);
        let weights = Weights::of(&run_folder);
        let grey = Dataset::new("grey", Values::Bytes(rows(TEST, 190, 2).concat()), Shape::vector(FEATURES)).unwrap();
        let drawn = of_data(&grey.black_and_white(0));
        let (_, report) = evaluated(&run_folder);
        // The same rows after every epoch and in the report, and in all of its figures.
        close(seen.records[2].kl, weights.kl(&drawn));
        close(report.record.kl, weights.kl(&drawn));
        close(report.reconstruction_error.unwrap(), weights.reconstruction_error(&drawn));
        let error = |rows: &[Vec<f64>]| weights.reconstruction_error(rows);
        for wrong in [scaled(&rows(TEST, 190, 2)), of_data(&grey.black_and_white(1))] {
            assert!((error(&drawn) / error(&wrong) - 1.0).abs() > 1e-3, "other rows are told apart");
        }
        report
    });
    for report in reports {
        assert_eq!((report.measure, report.binarisation_seed), (Measure::Probability, Some(0)));
        let bits = |nats: f64| nats / (FEATURES as f64 * 2f64.ln());
        close(report.record.bits_per_dimension.unwrap(), bits(-report.record.elbo));
        close(report.nll_bits_per_dimension.unwrap(), bits(report.importance.unwrap().nll));
    }
}
