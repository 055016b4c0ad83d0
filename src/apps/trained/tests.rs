//! The front door: what goes in comes out, what was saved comes back, and what cannot be is refused with a reason.

use super::*;
use crate::catalogue::Spec;
use crate::config::Preset;
use crate::data::Values;

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
    (config.model.hidden, config.model.latent) = (vec![24], 2);
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
    let history = vae.history();
    assert_eq!(history.len(), 20);
    assert!(history[19].loss < history[0].loss - 5.0, "{} {}", history[0].loss, history[19].loss);
    let x: Vec<f32> = (300..400).flat_map(wave).collect();
    let again = vae.reconstruct(&x).unwrap();
    let error = x.iter().zip(&again).map(|(a, b)| (a - b).powi(2)).sum::<f32>() / x.len() as f32;
    assert!(error < 0.01, "the variance of the data is 0.08, and the error {error}");
    let scores = vae.score(&x, 1).unwrap();
    assert_eq!(scores.len(), 100);
    let mean = scores.iter().map(|&s| f64::from(s)).sum::<f64>() / 100.0;
    assert!((mean - vae.history()[19].loss).abs() < 3.0, "{mean}");
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
    assert!(loaded.history().is_empty());

    let mut checkpoint = Checkpoint::load(&path).unwrap();
    checkpoint.set_metadata(CONFIG, config().to_toml().unwrap().replace("[24]", "[60000]"));
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
    let stop = |record: &EpochRecord| {
        seen += 1;
        if record.epoch == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let vae = train_with(&waves(50), &config(), stop).unwrap();
    assert_eq!((seen, vae.history().len(), vae.epochs), (2, 2, 2));
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
            assert!(complaint(result).contains(&format!("value 4 of row 1 is {said}")));
        }
        assert!(complaint(vae.decode(&[0.0, 0.0, 0.0, number])).contains(&format!("value 1 of row 1 is {said}")));
    }
}
