//! SWAG: the weights behind the last epochs are those of a run without it, their mean is what is used, and draws around it go where those of other
//! distributions of weights go.

use elbo::apps::{CHECKPOINT, Outcome, PriorFit, Saved, ScoreKind, TrainRun, Trained, Wanted, fit_prior};
use elbo::config::{Config, DeviceChoice, Schedule};
use elbo::engine::cpu::Cpu;
use elbo::engine::program::Executor;
use elbo::engine::training::checkpoint::Checkpoint;
use elbo::engine::training::part_of_seed;

use crate::runs::{Device, Run, StopAt, devices, small};
use crate::uncertain::scoring;

/// Four epochs of six steps, of which the weights behind the last three are taken, in two columns.
fn settings() -> Config {
    let mut config = small();
    (config.training.swag, config.training.swag_start) = (2, 0.25);
    config.device.device = DeviceChoice::Cpu;
    config
}

fn cpu() -> Box<dyn Executor> {
    Box::new(Cpu::new())
}

fn whole(config: &Config, device: &Device) -> Run {
    let run = Run::new();
    assert_eq!(run.start(config, device, &mut StopAt::never()).unwrap(), Outcome::Finished);
    run
}

fn opened(run: &Run) -> Saved {
    Saved::open(run.path(), cpu()).unwrap()
}

fn checkpoint(run: &Run) -> Checkpoint {
    Checkpoint::load(&run.path().join(CHECKPOINT)).unwrap()
}

/// The names of the weights that are used.
fn names(checkpoint: &Checkpoint) -> Vec<String> {
    let trained = checkpoint.tensors.iter().filter_map(|t| t.0.strip_prefix("trained."));
    trained.map(str::to_string).collect()
}

/// At a constant rate the weights behind an epoch are those of a run that ends there.
#[test]
fn the_mean_and_the_spread_are_of_the_weights_behind_the_last_epochs() {
    for device in devices() {
        let config = settings();
        let found = checkpoint(&whole(&config, &device));
        let ends: Vec<Checkpoint> = (1..=4)
            .map(|epochs| {
                let mut plain = config.clone();
                (plain.training.epochs, plain.training.swag) = (epochs, 0);
                checkpoint(&whole(&plain, &device))
            })
            .collect();
        assert_eq!(found.metadata["swag"], "3");
        let names = names(&found);
        assert!(names.len() > 8, "{names:?}");
        let mut moved = 0;
        for name in names {
            let value = |name: &str, i: usize| f64::from(found.tensor(name).unwrap().1[i]);
            let last = &ends[3].tensor(&name).unwrap().1;
            let is_last = found.tensor(&format!("trained.{name}")).unwrap().1 == *last;
            assert!(is_last, "{}, {name}", device.name);
            for i in 0..last.len() {
                let course: Vec<f64> = ends.iter().map(|end| f64::from(end.tensor(&name).unwrap().1[i])).collect();
                let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
                let taken = &course[1..];
                let close = |found: f64, wanted: f64| (found - wanted).abs() < 1e-6 * (1.0 + wanted.abs());
                assert!(close(value(&name, i), mean(taken)), "{name}, {i}: {taken:?}");
                let squares: f64 = taken.iter().map(|w| (w - mean(taken)).powi(2)).sum();
                assert!(close(value(&format!("swag.squares.{name}"), i), squares), "{name}, {i}: {squares}");
                for (place, count) in [(0, 2), (1, 3)] {
                    let wanted = taken[count - 1] - mean(&taken[..count]);
                    assert!(close(value(&format!("swag.deviation.{place}.{name}"), i), wanted), "{name}, {i}, {place}");
                    moved += usize::from(wanted.abs() > 1e-4);
                }
                // A mean of all four epochs would be another.
                moved += usize::from((mean(&course) - mean(taken)).abs() > 1e-4);
            }
            assert!(found.tensor(&format!("swag.deviation.2.{name}")).is_none());
        }
        assert!(moved > 1000, "{}: {moved}", device.name);
    }
}

#[test]
fn a_break_changes_no_bit_wherever_it_comes() {
    let mut config = settings();
    config.training.schedule = Schedule::Cosine;
    for device in devices() {
        let continuous = whole(&config, &device).kept();
        // Before the first weights are taken, between, and behind the second.
        for step in [3, 9, 12, 20] {
            let broken = Run::new();
            assert_eq!(broken.start(&config, &device, &mut StopAt::step(step)).unwrap(), Outcome::Stopped);
            assert_eq!(broken.resume(&config, &device, &mut StopAt::never()).unwrap(), Outcome::Finished);
            assert!(broken.kept() == continuous, "{}, {step}", device.name);
        }
        let mut other = config.clone();
        other.training.swag = 3;
        assert!(whole(&other, &device).kept() != continuous, "{}: another column is seen", device.name);
    }
}

#[test]
fn weights_are_used_as_they_are_until_some_are_taken() {
    let (config, run) = (settings(), Run::new());
    assert_eq!(run.start(&config, &Device::cpu(), &mut StopAt::step(3)).unwrap(), Outcome::Stopped);
    let found = checkpoint(&run);
    for name in names(&found) {
        assert_eq!(found.tensor(&name), found.tensor(&format!("trained.{name}")), "{name}");
    }
    let scoring = scoring(vec![ScoreKind::Disagreement]);
    let why = opened(&run).score_to(None, &scoring, None, None).unwrap_err().to_string();
    assert!(why.contains("are none yet") && why.contains("--resume"), "{why}");
    // Asked for more epochs, a run whose next epoch is one of the new last ones keeps what it took.
    let run = whole(&config, &Device::cpu());
    let mut longer = config.clone();
    longer.training.epochs = 8;
    longer.training.swag_start = 0.25;
    assert_eq!(run.resume(&longer, &Device::cpu(), &mut StopAt::never()).unwrap(), Outcome::Finished);
    assert_eq!(checkpoint(&run).metadata["swag"], "7");
    let run = whole(&config, &Device::cpu());
    longer.training.epochs = 24;
    assert_eq!(run.resume(&longer, &Device::cpu(), &mut StopAt::step(36)).unwrap(), Outcome::Stopped);
    assert_eq!(checkpoint(&run).metadata["swag"], "0", "the sixth of 24 epochs is before the last three quarters");
}

#[test]
fn draws_go_where_those_of_other_distributions_go() {
    let run = whole(&settings(), &Device::cpu());
    let mut saved = opened(&run);
    let x: Vec<f32> = (0..128).map(|i| (i % 5) as f32 / 4.0).collect();
    let (before, by_mean) = (saved.session.values().unwrap(), saved.session.reconstruct(&x).unwrap());
    let mut drawn = |seed: u64| saved.session.with_drawn_weights(seed, |session| session.reconstruct(&x)).unwrap();
    let (first, again, other) = (drawn(1), drawn(1), drawn(2));
    assert_eq!(first, again);
    assert!(first != other && first != by_mean);
    assert_eq!(saved.session.values().unwrap(), before, "the mean is put back");
    let sure = saved.session.uncertainty(&x, (16, 6), 3);
    assert!(sure.unwrap_or_default().of_weights.iter().all(|variance| *variance > 0.0));
    let table = run.path().join("scores.csv");
    let kinds = vec![ScoreKind::Disagreement, ScoreKind::Waic];
    saved.score_to(None, &scoring(kinds), None, Some(&table)).unwrap();
    let text = std::fs::read_to_string(&table).unwrap();
    let place = text.lines().next().unwrap().split(',').position(|name| name == "disagreement").unwrap();
    let found: Vec<f64> = text.lines().skip(1).map(|l| l.split(',').nth(place).unwrap().parse().unwrap()).collect();
    assert!(found.len() == 20 && found.iter().all(|variance| *variance > 0.0), "{found:?}");
    // As members of an ensemble.
    let mut several = opened(&run);
    several.join_draws(3, 5).unwrap();
    assert_eq!(several.session.members(), 3);
    let members = several.session.each_member(|session| session.reconstruct(&x)).unwrap();
    for (draw, member) in (0..).zip(&members) {
        let by_hand = saved.session.with_drawn_weights(part_of_seed(5, draw), |session| session.reconstruct(&x));
        assert_eq!(*member, by_hand.unwrap(), "{draw}");
    }
    let wanted = Wanted { samples: Some(5), codes: false, factors: false, seed: 1 };
    let (split, rows) = several.shown(None).unwrap();
    let mixture = several.evaluate(split, &rows, wanted).unwrap();
    assert_eq!(mixture.members.len(), 3);
    assert!(mixture.notes[0].contains("3 draws of the weights"), "{:?}", mixture.notes);
    let of_members: Vec<f64> = mixture.members.iter().map(|member| member.nll.unwrap()).collect();
    let (nll, mean) = (mixture.importance.unwrap().nll, of_members.iter().sum::<f64>() / 3.0);
    assert!(nll < mean, "−ln is convex: {nll}, {of_members:?}");
    assert!(saved.evaluate(split, &rows, wanted).unwrap().members.is_empty(), "by the mean there is one");
    let why = several.join_draws(3, 5).unwrap_err().to_string();
    assert!(why.contains("several models are used already"), "{why}");
}

#[test]
fn one_file_holds_the_spread_as_well() {
    let mut config = settings();
    config.training.epochs = 3;
    let data = elbo::data::open(&config.data.parsed_source(), &config.data.options(0)).unwrap().train;
    let mut trained = elbo::train(&data, &config).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    trained.save(file.path()).unwrap();
    let mut saved = Saved::load(file.path(), cpu()).unwrap();
    let first = saved.session.with_drawn_weights(3, |session| session.values()).unwrap();
    assert_ne!(first, saved.session.values().unwrap());
    let bytes = trained.to_bytes().unwrap();
    assert_eq!(bytes, std::fs::read(file.path()).unwrap());
    assert_eq!(
        Trained::from_bytes(&bytes, &config.device.device).unwrap().weights().unwrap(),
        trained.weights().unwrap()
    );
    // A run in a folder has the same.
    let mut of_folder = opened(&whole(&config, &Device::cpu()));
    assert_eq!(of_folder.session.with_drawn_weights(3, |session| session.values()).unwrap(), first);
}

#[test]
fn a_prior_is_fitted_to_the_mean_alone() {
    let run = whole(&settings(), &Device::cpu());
    let to = tempfile::tempdir().unwrap();
    let fit = PriorFit { prior: "mixture:components=3".parse().unwrap(), epochs: 1, learning_rate: 0.02, seed: 1 };
    let open = || -> elbo::Result<Box<dyn Executor>> { Ok(cpu()) };
    fit_prior(run.path(), &to.path().join("fitted"), &fit, &open, &mut |_, _| ()).unwrap();
    let (mut fitted, mut before) = (Saved::open(&to.path().join("fitted"), cpu()).unwrap(), opened(&run));
    let x = vec![0.5; 64];
    assert_eq!(fitted.session.reconstruct(&x).unwrap(), before.session.reconstruct(&x).unwrap());
    assert_eq!(fitted.config.training.swag, 0);
    assert!(fitted.join_draws(2, 1).unwrap_err().to_string().contains("--swag 20"));
    let config = fitted.config.clone();
    drop(fitted);
    let mut more = config;
    more.training.epochs += 1;
    let run = TrainRun::resume(more, &to.path().join("fitted"), cpu()).unwrap().train(&mut StopAt::never());
    assert_eq!(run.unwrap(), Outcome::Finished);
}

/// Rows are packed by the mean, so a file that holds the model as well holds no spread.
#[test]
fn a_model_in_a_file_of_packed_rows_is_the_mean_alone() {
    let size = |swag: usize| {
        let mut config = settings();
        config.model.likelihood = "discretized-logistic".into();
        config.training.swag = swag;
        let run = whole(&config, &Device::cpu());
        let mut saved = opened(&run);
        let (data, mut file) = (saved.data().unwrap().train, vec![]);
        let model = saved.compress(&data, true, &mut file).unwrap().model_bytes;
        let checkpoint = std::fs::metadata(run.path().join(CHECKPOINT)).unwrap().len();
        [model, checkpoint]
    };
    let ([plain, plain_run], [packed, run]) = (size(0), size(20));
    assert!(packed.abs_diff(plain) < 200, "{packed} and {plain}");
    assert!(run > plain_run + 3 * plain, "the run has three columns: {run} and {plain_run}");
}

#[test]
fn what_has_no_such_spread_is_refused() {
    let refused = |change: &dyn Fn(&mut Config)| {
        let mut config = settings();
        change(&mut config);
        let run = Run::new();
        let why = run.start(&config, &Device::cpu(), &mut StopAt::never()).unwrap_err().to_string();
        let written = std::fs::read_dir(run.path()).map_or(0, Iterator::count);
        assert_eq!(written, 0, "nothing is written");
        why
    };
    let why = refused(&|c| c.model.encoder = "dcgan:4,norm=batch".parse().unwrap());
    assert!(why.contains("keeps state that follows each of them (encoder."), "{why}");
    let of_kind =
        |kind: &'static str| refused(&|c| (c.model.kind, c.training.kl_warmup_epochs) = (kind.parse().unwrap(), 0));
    let why = of_kind("vq-vae:codes=8");
    assert!(why.contains("keeps state that follows each of them"), "{why}");
    for kind in ["aae", "factor-vae", "gan"] {
        let why = of_kind(kind);
        assert!(why.contains("minimise losses against each other"), "{kind}: {why}");
    }
    let mut fine = settings();
    fine.model.encoder = "mlp:16,norm=layer".parse().unwrap();
    whole(&fine, &Device::cpu());
    (fine.model.kind, fine.training.kl_warmup_epochs) = ("ae".parse().unwrap(), 0);
    whole(&fine, &Device::cpu());
}
