//! Which rows the figures named `test` and `validation` are of: a run over files whose test rows are like no others.

use std::path::Path;

use elbo::apps::{Evaluation, Saved, Wanted};
use elbo::cpu::Cpu;
use elbo::data::Dataset;
use elbo::training::metrics::Split;

use crate::run::{FEATURES, TEST, TRAIN, VALIDATION, Weights, close, config, finished, rows, scaled};

fn of_data(data: &Dataset) -> Vec<Vec<f64>> {
    (0..data.rows).map(|i| data.row(i).into_iter().map(f64::from).collect()).collect()
}

fn evaluated(run: &Path) -> (Split, Evaluation) {
    let mut saved = Saved::open(run, Box::new(Cpu::new())).unwrap();
    let splits = saved.data(None).unwrap();
    let (split, data) = splits.to_judge();
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
    // In bits: −ELBO and −ln p(x) by values and ln 2.
    let bits = |nats: f64| nats / (FEATURES as f64 * 2f64.ln());
    close(report.record.bits_per_dimension.unwrap(), bits(-report.record.elbo));
    close(report.nll_bits_per_dimension.unwrap(), bits(report.importance.unwrap().nll));
}
