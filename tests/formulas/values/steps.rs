//! What every step of a run is given: the rate and the weight of its place, counted across epochs.

use elbo::config::Schedule;

use super::run::{close, config, finished};

const RATE: f64 = 0.03;
const BETA: f64 = 2.5;

#[test]
fn rates_and_weights_go_on_where_the_last_epoch_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.model.beta = BETA;
    let t = &mut config.training;
    // 50 rows in batches of 8: seven steps an epoch, the last of which has two rows.
    (t.epochs, t.learning_rate, t.schedule, t.step_every, t.step_factor) = (4, RATE, Schedule::Step, 2, 0.2);
    (t.warmup_steps, t.kl_warmup_epochs, t.kl_cycle_epochs) = (10, 2, 3);
    (t.log_every, t.steps_per_submit) = (1, Some(3));
    let (_, seen) = finished(config, &folder.path().join("run"));
    assert_eq!(seen.steps.len(), 28);
    for (i, step) in seen.steps.iter().enumerate() {
        assert_eq!((step.step, step.epoch), (i as u64 + 1, i as u64 / 7 + 1));
        let warm = ((i + 1) as f64 / 10.0).min(1.0);
        close(step.learning_rate.unwrap(), RATE * warm * if i < 14 { 1.0 } else { 0.2 });
        let beta = BETA * ((i % 21 + 1) as f64 / 14.0).min(1.0);
        close(step.beta.unwrap(), beta);
        // The device was given the same weight.
        close(step.loss, step.reconstruction + beta * step.kl);
        assert!(step.kl > 1e-3, "a weight of nothing is not seen");
    }
    // An epoch's record tells them of its last step, and means over rows: those of the last batch count for two.
    let train = &seen.records[0];
    close(train.learning_rate.unwrap(), 0.2 * RATE);
    close(train.beta.unwrap(), BETA * 7.0 / 14.0);
    let weighted =
        |of: &dyn Fn(usize) -> f64| (0..7).map(|i| of(21 + i) * if i < 6 { 8.0 } else { 2.0 }).sum::<f64>() / 50.0;
    close(train.kl, weighted(&|i| seen.steps[i].kl));
    close(train.loss, weighted(&|i| seen.steps[i].loss));
    let even = (21..28).map(|i| seen.steps[i].kl).sum::<f64>() / 7.0;
    assert!((train.kl / even - 1.0).abs() > 1e-4, "{} and {even}", train.kl);
    // Held-out sets are told with the whole weight, as it is in the end.
    assert_eq!(seen.records[2].beta, Some(BETA));
    close(seen.records[2].loss, seen.records[2].reconstruction + BETA * seen.records[2].kl);
}
