//! Deep ensembles: members that differ in their seed alone, the same bits again behind a break, and figures of the mixture by hand.

use std::path::{Path, PathBuf};

use elbo::apps::{
    CHECKPOINT, Draws, Outcome, Prepared, PriorFit, Saved, ScoreKind, Team, TrainRun, Wanted, fit_prior, member_folder,
    prepare_member,
};
use elbo::config::{Config, DeviceChoice};
use elbo::engine::cpu::Cpu;
use elbo::engine::program::Executor;
use elbo::engine::training::checkpoint::Checkpoint;
use elbo::engine::training::part_of_seed;

use crate::runs::{Device, Run, StopAt, devices, small};
use crate::uncertain::scoring;

const MEMBERS: usize = 3;

fn settings() -> Config {
    let mut config = small();
    (config.training.epochs, config.training.members) = (2, MEMBERS);
    config.device.device = DeviceChoice::Cpu;
    config
}

fn cpu() -> Box<dyn Executor> {
    Box::new(Cpu::new())
}

fn train(prepared: Prepared, watcher: &mut StopAt) -> Outcome {
    prepared.kept().unwrap().train(watcher).unwrap()
}

fn member(run: &Run, number: usize, device: &Device) -> Prepared {
    prepare_member(run.path(), number, Team::from(device.open()), false).unwrap()
}

/// All members, trained one after the other.
fn ensemble(config: &Config, device: &Device) -> Run {
    let run = Run::new();
    assert_eq!(run.start(config, device, &mut StopAt::never()).unwrap(), Outcome::Finished);
    for number in 2..=config.training.members {
        assert_eq!(train(member(&run, number, device), &mut StopAt::never()), Outcome::Finished);
    }
    run
}

fn checkpoints(run: &Run) -> Vec<Vec<u8>> {
    let of = |number| std::fs::read(member_folder(run.path(), number).join(CHECKPOINT)).unwrap();
    (1..=MEMBERS).map(of).collect()
}

fn all_of(folder: &Path) -> Saved {
    let mut saved = Saved::open(folder, cpu()).unwrap();
    saved.join_members().unwrap();
    saved
}

/// Each member by itself, as any other run is opened.
fn alone(run: &Run) -> Vec<Saved> {
    (1..=MEMBERS).map(|number| Saved::open(&place(run, number), cpu()).unwrap()).collect()
}

/// The checkpoint of a member.
fn place(run: &Run, number: usize) -> PathBuf {
    member_folder(run.path(), number).join(CHECKPOINT)
}

fn rows(count: usize) -> Vec<f32> {
    (0..64 * count).map(|i| (i % 7) as f32 / 6.0).collect()
}

fn mean(of: impl Iterator<Item = f64> + Clone) -> f64 {
    of.clone().sum::<f64>() / of.count() as f64
}

#[test]
fn members_differ_in_what_is_random_and_the_first_is_the_run_by_itself() {
    for device in devices() {
        let run = ensemble(&settings(), &device);
        let found = checkpoints(&run);
        let mut single = settings();
        single.training.members = 1;
        let by_itself = Run::new();
        by_itself.start(&single, &device, &mut StopAt::never()).unwrap();
        assert!(found[0] == by_itself.checkpoint(), "{}", device.name);
        assert!(found[0] != found[1] && found[1] != found[2] && found[0] != found[2], "{}", device.name);
        // They know the same rows, and are measured on the same.
        let data = |bytes: &Vec<u8>| Checkpoint::from_bytes(bytes).unwrap().metadata["data"].clone();
        assert!(found.iter().all(|bytes| data(bytes) == data(&found[0])));
    }
}

#[test]
fn a_break_in_a_member_changes_no_bit_of_any() {
    for device in devices() {
        let continuous = ensemble(&settings(), &device);
        let broken = Run::new();
        broken.start(&settings(), &device, &mut StopAt::never()).unwrap();
        assert_eq!(train(member(&broken, 2, &device), &mut StopAt::step(8)), Outcome::Stopped);
        assert!(std::fs::read(place(&broken, 2)).unwrap() != checkpoints(&continuous)[1]);
        for number in [2, 3] {
            assert_eq!(train(member(&broken, number, &device), &mut StopAt::never()), Outcome::Finished);
        }
        assert!(checkpoints(&broken) == checkpoints(&continuous), "{}", device.name);
    }
}

#[test]
fn figures_are_of_the_mixture_and_of_each_member_by_itself() {
    let run = ensemble(&settings(), &Device::cpu());
    let wanted = Wanted { samples: Some(70), codes: true, factors: false, seed: 1 };
    let mut saved = all_of(run.path());
    let (split, data) = saved.shown(None).unwrap();
    let before = saved.session.values().unwrap();
    let found = saved.evaluate(split, &data, wanted).unwrap();
    assert_eq!(saved.session.values().unwrap(), before, "the first stands where it stood");
    let each: Vec<_> = alone(&run).iter_mut().map(|one| one.evaluate(split, &data, wanted).unwrap()).collect();
    for (place, (own, known)) in each.iter().zip(&found.members).enumerate() {
        let expected = (place + 1, own.record.elbo, own.importance.map(|of| of.nll));
        assert_eq!((known.member, known.elbo, known.nll), expected, "to the bit what it says by itself");
    }
    let by_hand = mean(each.iter().map(|own| own.record.elbo));
    assert!((found.record.elbo - by_hand).abs() < 1e-12, "{} {by_hand}", found.record.elbo);
    assert!((found.record.loss - mean(each.iter().map(|own| own.record.loss))).abs() < 1e-12);
    let first_two = mean(each[..2].iter().map(|own| own.record.elbo));
    assert!((found.record.elbo - first_two).abs() > 1e-3, "a member that is left out is missed");
    // −ln of a mean lies below the mean of −ln, and above the least less ln M.
    let nll = found.importance.unwrap().nll;
    let own = each.iter().map(|own| own.importance.unwrap().nll);
    assert!(nll < mean(own.clone()) - 1e-3 && nll > own.fold(f64::INFINITY, f64::min) - (MEMBERS as f64).ln());
    assert!(found.notes[0].contains("an ensemble of 3 models"), "{:?}", found.notes);
    // Rows are rebuilt by the mean of the members.
    let (x, _) = data.gather(0..data.rows);
    let rebuilt: Vec<Vec<f32>> = alone(&run).iter_mut().map(|one| one.session.reconstruct(&x).unwrap()).collect();
    let off = |i: usize| mean(rebuilt.iter().map(|of| f64::from(of[i]))) - f64::from(x[i]);
    let error = mean((0..x.len()).map(|i| off(i).powi(2)));
    assert!(
        (found.reconstruction_error.unwrap() / error - 1.0).abs() < 1e-5,
        "{:?} {error}",
        found.reconstruction_error
    );
    let of_members = mean(each.iter().map(|own| own.reconstruction_error.unwrap()));
    assert!(found.reconstruction_error.unwrap() < of_members * 0.999, "it is no mean of errors");
}

#[test]
fn the_likelihood_of_rows_is_that_of_the_mean_of_the_members() {
    let run = ensemble(&settings(), &Device::cpu());
    let x = rows(3);
    let found = all_of(run.path()).session.log_likelihood(&x, 20, 5).unwrap();
    let seeds = [5, part_of_seed(5, 1), part_of_seed(5, 2)];
    let each: Vec<Vec<f64>> = alone(&run)
        .iter_mut()
        .zip(seeds)
        .map(|(one, seed)| {
            let found = one.session.log_likelihood(&x, 20, seed).unwrap();
            found.into_iter().map(|of| of.log_likelihood).collect()
        })
        .collect();
    for (row, found) in found.iter().enumerate() {
        let largest = each.iter().map(|of| of[row]).fold(f64::NEG_INFINITY, f64::max);
        let by_hand = largest + mean(each.iter().map(|of| (of[row] - largest).exp())).ln();
        assert!((found.log_likelihood - by_hand).abs() < 1e-9, "{found:?} {by_hand}");
        assert!((found.log_likelihood - mean(each.iter().map(|of| of[row]))).abs() > 1e-3, "no mean of logarithms");
    }
}

const KINDS: [ScoreKind; 3] = [ScoreKind::Elbo, ScoreKind::Disagreement, ScoreKind::Waic];

/// The columns of a table, by their names.
fn columns(saved: &mut Saved, to: &Path, names: [&str; 3]) -> [Vec<f64>; 3] {
    saved.score_to(None, &scoring(KINDS.to_vec()), None, Some(to)).unwrap();
    let text = std::fs::read_to_string(to).unwrap();
    names.map(|wanted| {
        let at = text.lines().next().unwrap().split(',').position(|name| name == wanted).unwrap();
        text.lines().skip(1).map(|line| line.split(',').nth(at).unwrap().parse().unwrap()).collect()
    })
}

#[test]
fn scores_are_means_over_members_and_disagreement_their_variance() {
    let run = ensemble(&settings(), &Device::cpu());
    let mut saved = all_of(run.path());
    let [elbo, disagreement, waic] =
        columns(&mut saved, &run.path().join("scores.csv"), ["elbo", "disagreement", "waic"]);
    let (_, data) = saved.shown(None).unwrap();
    let (x, _) = data.gather(0..data.rows);
    let seed = part_of_seed(4, 0);
    let each: Vec<Vec<f64>> = alone(&run)
        .iter_mut()
        .map(|one| {
            let [a, b] = [seed, seed + 1].map(|seed| one.session.score(&x, seed).unwrap());
            a.iter().zip(&b).map(|(a, b)| f64::from(a + b) / 2.0).collect()
        })
        .collect();
    let of = |members: &[Vec<f64>], row: usize| {
        let mean = mean(members.iter().map(|of| of[row]));
        let squares: f64 = members.iter().map(|of| (of[row] - mean).powi(2)).sum();
        [mean, squares / (members.len() - 1) as f64]
    };
    for row in 0..data.rows {
        let [mean, variance] = of(&each, row);
        let near = |a: f64, b: f64| (a - b).abs() < 1e-4 * (1.0 + b.abs());
        assert!(near(elbo[row], mean), "{row}: {} {mean}", elbo[row]);
        assert!(near(disagreement[row], variance), "{row}: {} {variance}", disagreement[row]);
        assert!(near(waic[row], mean + variance), "{row}");
        assert!(!near(elbo[row], of(&each[..2], row)[0]), "a member that is left out is missed");
    }
    // One model has nothing to disagree with.
    let why = Saved::open(run.path(), cpu())
        .unwrap()
        .score_to(None, &scoring(KINDS.to_vec()), None, None)
        .unwrap_err()
        .to_string();
    assert!(why.contains("--members 5"), "{why}");
}

/// Var[x] = Var_m E[x|m] + E_m Var_z E[x|z,m] + E_m E_z Var[x|z,m].
#[test]
fn how_sure_an_ensemble_is_tells_its_members_apart() {
    let mut config = settings();
    config.model.likelihood = "gaussian-learned".parse().unwrap();
    let run = ensemble(&config, &Device::cpu());
    let x = rows(2);
    let found = all_of(run.path()).session.uncertainty(&x, (16, 99), 3).unwrap();
    let each: Vec<_> = alone(&run).iter_mut().map(|one| one.session.uncertainty(&x, (16, 99), 3).unwrap()).collect();
    assert!(each.iter().all(|own| own.of_weights.is_empty()));
    for i in 0..x.len() {
        let of = |what: fn(&elbo::engine::training::Uncertainty) -> &Vec<f32>| {
            each.iter().map(move |own| f64::from(what(own)[i]))
        };
        let near = |a: f32, b: f64| (f64::from(a) - b).abs() < 1e-5 * (1e-3 + b.abs());
        let expected = mean(of(|own| &own.mean));
        assert!(near(found.mean[i], expected) && near(found.of_codes[i], mean(of(|own| &own.of_codes))));
        assert!(near(found.of_likelihood[i], mean(of(|own| &own.of_likelihood))));
        let between = of(|own| &own.mean).map(|m| (m - expected).powi(2)).sum::<f64>() / (MEMBERS - 1) as f64;
        assert!((f64::from(found.of_weights[i]) / between - 1.0).abs() < 1e-3 && between > 1e-9);
    }
}

#[test]
fn every_new_row_is_that_of_a_member() {
    let run = ensemble(&settings(), &Device::cpu());
    let mut saved = all_of(run.path());
    for draws in [Draws::default(), Draws { temperature: Some(0.7), truncate: None }] {
        let found = saved.new_rows(60, &[], draws, 9).unwrap();
        let each: Vec<Vec<f32>> = alone(&run).iter_mut().map(|one| one.new_rows(60, &[], draws, 9).unwrap()).collect();
        let of = |row: usize| row * 64..(row + 1) * 64;
        let whose = |row: usize| each.iter().position(|own| own[of(row)] == found[of(row)]).expect("a member's");
        let whose: Vec<usize> = (0..60).map(whose).collect();
        // Of 60 rows 20 are expected of each, give or take 3.7.
        assert!((0..MEMBERS).all(|one| (8..33).contains(&whose.iter().filter(|&&of| of == one).count())), "{whose:?}");
        assert!(saved.new_rows(60, &[], draws, 10).unwrap() != found);
    }
}

#[test]
fn labels_are_told_by_the_mean_of_the_members() {
    let mut config = settings();
    config.data.source = "digits".into();
    config.model.kind = "classifier".parse().unwrap();
    (config.data.count, config.data.resolution) = (None, Config::default().data.resolution);
    (config.training.kl_warmup_epochs, config.data.validation) = (0, 300);
    let run = ensemble(&config, &Device::cpu());
    let mut saved = all_of(run.path());
    let (split, data) = saved.shown(None).unwrap();
    let wanted = Wanted { samples: None, codes: false, factors: false, seed: 1 };
    let found = saved.evaluate(split, &data, wanted).unwrap();
    let (x, y) = data.gather(0..data.rows);
    let each: Vec<Vec<f32>> = alone(&run).iter_mut().map(|one| one.session.classify(&x).unwrap()).collect();
    let p = |i: usize| mean(each.iter().map(|of| f64::from(of[i])));
    let (mut loss, mut right) = (0.0, 0.0);
    for row in 0..data.rows {
        let of_row = row * 10..(row + 1) * 10;
        let label = of_row.clone().find(|&i| y[i] == 1.0).unwrap();
        let told = of_row.max_by(|&a, &b| p(a).total_cmp(&p(b))).unwrap();
        loss -= p(label).ln() / data.rows as f64;
        right += f64::from(u8::from(told == label)) / data.rows as f64;
    }
    assert!((found.record.loss - loss).abs() < 1e-6, "{} {loss}", found.record.loss);
    assert!((found.record.parts["accuracy"] - right).abs() < 1e-9, "{:?} {right}", found.record.parts);
    let of_members = mean(found.members.iter().map(|own| own.loss));
    assert!(found.record.loss < of_members - 1e-3, "−ln of a mean, and no mean of −ln");
}

#[test]
fn the_device_holds_one_model_whatever_the_number_of_members() {
    let run = ensemble(&settings(), &Device::cpu());
    let (mut one, mut all) = (Saved::open(run.path(), cpu()).unwrap(), all_of(run.path()));
    let x = rows(2);
    for saved in [&mut one, &mut all] {
        saved.session.mean_reconstruction(&x).unwrap();
        saved.new_rows(3, &[], Draws::default(), 1).unwrap();
    }
    assert_eq!((one.session.members(), all.session.members()), (1, MEMBERS));
    assert_eq!(one.session.executor.objects(), all.session.executor.objects());
}

#[test]
fn what_is_no_member_is_refused() {
    let refused = |run: &Run, words: &[&str]| {
        let mut saved = Saved::open(run.path(), cpu()).unwrap();
        let why = saved.join_members().unwrap_err().to_string();
        assert!(words.iter().all(|word| why.contains(word)), "{why}");
        // The first by itself is still there.
        let mut first = Saved::open(&run.path().join(CHECKPOINT), cpu()).unwrap();
        first.join_members().unwrap();
        assert_eq!(first.session.members(), 1);
    };
    let run = ensemble(&settings(), &Device::cpu());
    let [second, third] = [2, 3].map(|number| place(&run, number));
    let [of_second, of_third] = [&second, &third].map(|path| std::fs::read(path).unwrap());
    std::fs::write(&third, &of_second).unwrap();
    refused(&run, &["it is the checkpoint of member 2, and that of member 3 was expected"]);
    std::fs::copy(run.path().join(CHECKPOINT), &third).unwrap();
    refused(&run, &["it is the checkpoint of no member"]);
    std::fs::write(&third, &of_third[..of_third.len() / 2]).unwrap();
    refused(&run, &["member-3", "not a usable checkpoint"]);
    std::fs::remove_file(&third).unwrap();
    refused(&run, &["an ensemble of 3 models, and member 3 is not there", "elbo train --resume"]);
    std::fs::write(&third, &of_third).unwrap();
    // Other settings.
    let settings_file = member_folder(run.path(), 2).join("config.toml");
    let text = std::fs::read_to_string(&settings_file).unwrap();
    std::fs::write(&settings_file, text.replace("latent = 3", "latent = 4")).unwrap();
    refused(&run, &["member-2 holds no member of this ensemble", "`latent`"]);
    let again = prepare_member(run.path(), 2, Team::from(cpu()), false).err().unwrap().to_string();
    assert!(again.contains("`latent`"), "{again}");
    std::fs::write(&settings_file, text).unwrap();
    // Other rows.
    let mut other = Checkpoint::from_bytes(&of_second).unwrap();
    other.set_metadata("data", "180 rows 0123456789abcdef");
    other.save(&second).unwrap();
    refused(&run, &["member-2 is of other training and validation rows"]);
    std::fs::write(&second, of_second).unwrap();
    assert_eq!(all_of(run.path()).session.members(), MEMBERS);
}

#[test]
fn an_ensemble_grows_and_its_first_member_serves_where_one_is_wanted() {
    let mut config = settings();
    config.training.members = 1;
    let (run, device) = (Run::new(), Device::cpu());
    run.start(&config, &device, &mut StopAt::never()).unwrap();
    config.training.members = 2;
    run.resume(&config, &device, &mut StopAt::never()).unwrap();
    train(member(&run, 2, &device), &mut StopAt::never());
    assert_eq!(all_of(run.path()).session.members(), 2);
    let to = run.path().join("fitted");
    let fit = PriorFit { prior: "mixture:components=3".parse().unwrap(), epochs: 1, learning_rate: 0.02, seed: 1 };
    fit_prior(run.path(), &to, &fit, &|| Ok(cpu()), &mut |_, _| ()).unwrap();
    let mut fitted = Saved::open(&to, cpu()).unwrap();
    assert_eq!((fitted.models, fitted.config.training.members), (1, 1));
    let x = rows(2);
    let first = Saved::open(run.path(), cpu()).unwrap().session.encode(&x).unwrap();
    assert_eq!(fitted.session.encode(&x).unwrap(), first);
    // A member is a run as any other, too.
    let second = Saved::open(&member_folder(run.path(), 2), cpu()).unwrap();
    assert_eq!((second.models, second.config.training.member), (1, Some(2)));
    assert!(TrainRun::is_in(&member_folder(run.path(), 2)));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut config = settings();
    config.model.network_weights = "bayes-by-backprop".parse().unwrap();
    let why = config.validate().unwrap_err().to_string();
    assert!(why.contains("`members` is 3, and of the `network-weights`"), "{why}");
    let mut config = settings();
    config.training.member = Some(4);
    let why = config.validate().unwrap_err().to_string();
    assert!(why.contains("`member` is 4, and `members` says that there are 3"), "{why}");
    let data =
        elbo::data::Dataset::new("rows", elbo::data::Values::Floats(rows(40)), elbo::data::Shape::vector(64)).unwrap();
    let why = elbo::train(&data, &settings()).unwrap_err().to_string();
    assert!(why.contains("this trains one model"), "{why}");
    // One of them by itself.
    let mut config = settings();
    config.training.member = Some(2);
    elbo::train(&data, &config).unwrap();
}
