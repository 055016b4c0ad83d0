//! Layers, files, and everything that is refused.

mod swag;

use super::*;
use crate::catalogue::Spec;
use crate::data::{Bytes, Condition, PictureSize};
use crate::error::Error;

/// Reads `text` as a file.
fn load(text: &str) -> Result<Config> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    std::fs::write(&path, text).unwrap();
    Config::load(&path)
}

#[track_caller]
fn refused(text: &str, expected: &str) {
    let error = load(text).unwrap_err();
    let said = error.to_string();
    assert!(matches!(error, Error::Malformed { .. }) && said.contains("x.toml"), "{said}");
    assert!(said.contains(expected), "{said}\n  expected: {expected}");
    for jargon in ["usize", "f64", "u64", "struct", "sequence", "Config", "TOML parse error"] {
        assert!(!said.contains(jargon), "{said}");
    }
}

#[track_caller]
fn invalid(change: impl FnOnce(&mut Config), expected: &str) {
    let mut config = Config::default();
    change(&mut config);
    let said = config.validate().unwrap_err().to_string();
    assert!(said.contains(expected) && !said.contains('\n'), "{said}\n  expected: {expected}");
}

/// A configuration in which every setting is given, and differs from every preset.
pub(super) fn other() -> Config {
    Config {
        preset: Preset::Classic,
        data: DataConfig {
            source: "sprites".into(),
            validation_data: None,
            test_data: None,
            rows: None,
            validation: 7,
            binarise: Binarise::Dynamic,
            condition: Condition::Labels,
            labels: None,
            label: Some("class".into()),
            condition_on: vec![],
            factors: vec!["shape".into()],
            split: Some("part".into()),
            weight: None,
            ignore: vec!["a".into(), "b, c".into()],
            columns: [("age".to_owned(), "count".to_owned())].into(),
            memory: Some(Bytes::new(4_000_000_000)),
            size: None,
            levels: Some(17),
            standardise: Some(false),
            resolution: 16,
            count: Some(99),
            binary: true,
            full: false,
        },
        model: ModelConfig {
            kind: "vae".parse().unwrap(),
            encoder: "mlp:activation=tanh,hidden=3,4".parse().unwrap(),
            decoder: Some("residual:width=5".parse().unwrap()),
            latent: 2,
            likelihood: Spec::new("gaussian").with("sigma", 0.1),
            posterior: Spec::new("diagonal-gaussian"),
            prior: Spec::new("standard-normal"),
            missing_mechanism: Spec::new("at-random"),
            network_weights: Spec::new("bayes-by-backprop").with("sigma", 0.5),
            objective: Spec::new("free-bits").with("lambda", 0.25),
            beta: 4.0,
            alpha: 2.0,
            upper: None,
        },
        training: TrainingConfig {
            epochs: 3,
            batch: 5,
            learning_rate: 3.3e-5,
            schedule: Schedule::Step,
            warmup_steps: 11,
            step_every: 2,
            step_factor: 0.3,
            kl_warmup_epochs: 1,
            kl_cycle_epochs: 2,
            clip_norm: Some(5.0),
            skip_norm: 300.0,
            average: 0.999,
            swag: 0,
            swag_start: 0.5,
            accumulate: 4,
            optimiser: "adamax:beta1=0.5".parse().unwrap(),
            augment: Some("flip,crop=4".parse().unwrap()),
            corrupt: None,
            class_balance: true,
            seed: i64::MAX as u64,
            members: 1,
            member: Some(1),
            patience: Some(6),
            log_every: 1,
            checkpoint_every: 4,
            checkpoint_minutes: 2.5,
            retries: 5,
            steps_per_submit: Some(8),
        },
        device: DeviceConfig {
            device: DeviceChoice::Name("Radeon \"7\"".into()),
            devices: Some("Radeon \"7\",cpu".parse().unwrap()),
            deterministic: true,
        },
        first_stage: Some(FirstStage { run: "/runs/first".into(), seed: 9, model: ModelConfig::default() }),
    }
}

#[test]
fn presets_are_valid_and_leave_out_what_may_be_left_out() {
    for preset in Preset::ALL {
        let config = preset.config();
        config.validate().unwrap();
        assert_eq!(config.preset, preset);
        let optional = (&config.data.count, &config.model.decoder);
        assert_eq!(optional, (&None, &None));
        assert_eq!((config.training.clip_norm, config.training.steps_per_submit), (None, None));
    }
    assert_eq!(Config::default(), Preset::Sprites.config());
    let classic = Preset::Classic.config();
    assert_eq!(
        (classic.model.encoder.to_string(), classic.model.latent),
        ("mlp:activation=relu,hidden=400".into(), 20)
    );
    assert_eq!((classic.training.epochs, classic.data.validation), (10, 0));
}

#[test]
fn a_second_stage_has_a_network_of_codes() {
    let first = FirstStage { run: "/runs/first".into(), seed: 9, model: ModelConfig::default() };
    let network = |preset: Preset| preset.config().standing_on(&first, &preset.config()).model.encoder;
    assert_eq!(network(Preset::Classic), Preset::Classic.config().model.encoder);
    for preset in [Preset::KerasConv, Preset::Burgess, Preset::Dcgan, Preset::Resnet] {
        assert_eq!(network(preset), ModelConfig::default().encoder);
    }
}

#[test]
fn what_is_written_is_read_back() {
    other().validate().unwrap();
    // What a second stage does not take.
    let mut first = Config { first_stage: None, ..other() };
    first.training.corrupt = Some("mask:share=0.5".parse().unwrap());
    first.model.missing_mechanism = Spec::new("self-masking").with("missing", "large");
    first.validate().unwrap();
    for config in [other(), first, Preset::Sprites.config(), Preset::Classic.config()] {
        let text = config.to_toml().unwrap();
        assert!(text.starts_with("# The settings"), "{text}");
        assert_eq!(load(&text).unwrap(), config, "{text}");
    }
}

#[test]
fn a_second_stage_learns_from_codes_that_nothing_corrupts() {
    let mut config = other();
    config.training.corrupt = Some("mask".into());
    let said = config.validate().unwrap_err().to_string();
    assert!(said.contains("`corrupt` is about rows of data"), "{said}");
    config.training.corrupt = Some("fog".into());
    config.first_stage = None;
    let said = config.validate().unwrap_err().to_string();
    assert!(said.contains("there is no corruption `fog`; there are gaussian, salt-and-pepper, mask"), "{said}");
}

#[test]
fn a_file_lies_over_the_preset_it_names() {
    assert_eq!(load("").unwrap(), Config::default());
    assert_eq!(load("preset = 'classic'").unwrap(), Preset::Classic.config());
    let config = load("preset = 'classic'\n[model]\nlatent = 2\nbeta = 4\nlikelihood = 'mse'").unwrap();
    let mut expected = Preset::Classic.config();
    (expected.model.latent, expected.model.beta, expected.model.likelihood) = (2, 4.0, Spec::new("gaussian"));
    assert_eq!(config, expected);
}

#[test]
fn the_example_in_the_documentation_can_be_used() {
    let lines = include_str!("mod.rs").lines().skip_while(|line| *line != "//! ```toml").skip(1);
    let example: Vec<&str> = lines.take_while(|line| *line != "//! ```").map(|line| line[3..].trim()).collect();
    let config = load(&example.join("\n")).unwrap();
    assert_eq!((config.preset, config.data.source.as_str()), (Preset::Classic, "mnist"));
}

#[test]
fn devices_are_words_or_numbers() {
    for (text, expected) in [
        ("'auto'", DeviceChoice::Auto),
        ("'CPU'", DeviceChoice::Cpu),
        ("'cpu-exact'", DeviceChoice::CpuExact),
        ("'gpu'", DeviceChoice::Gpu),
        ("1", DeviceChoice::Index(1)),
        ("'1'", DeviceChoice::Index(1)),
        ("'GeForce'", DeviceChoice::Name("GeForce".into())),
    ] {
        assert_eq!(load(&format!("[device]\ndevice = {text}")).unwrap().device.device, expected);
    }
    refused("[device]\ndevice = ''", "give auto, cpu, cpu-exact, gpu, a number");
    refused("[device]\ndevice = -1", "numbered from 0");
    refused("[device]\ndevice = true", "line 2 (device = true): found `true`, expected auto, cpu, cpu-exact, gpu");
    refused("[device]\ndevice = 'exact'", "only the processor gives the same bits everywhere");
}

#[test]
fn a_wrong_type_is_named_with_its_line() {
    refused("[training]\nepochs = 'ten'", "line 2 (epochs = 'ten'): found string \"ten\", expected a whole number");
    refused("[training]\n\nbatch = 1.5", "line 3 (batch = 1.5): found the number `1.5`, expected a whole number");
    refused("[training]\nbatch = -3", "found integer `-3`, expected a whole number");
    refused("[model]\nbeta = '4'", "expected a number");
    refused("[model]\nhidden = 400", "expected a list such as [400, 200]");
    refused("[model]\nhidden = [400, 'x']", "expected a whole number");
    refused("[model]\nactivation = 'rellu'", "there is no `rellu`, expected one of `relu`, `leaky-relu`");
    refused("[device]\ndeterministic = 1", "expected true or false");
    refused("model = 'ae'", "found string \"ae\", expected a table");
    refused("preset = 'clasic'", "there is no `clasic`, expected one of `sprites`, `classic`, `table`");
    refused("preset = 'classic'\n[model]\nlatent = 99999999999999999999", "line 3");
}

#[test]
fn a_broken_file_is_named_with_its_line() {
    refused("[training\nepochs = 1", "line 1");
    refused("[training]\nepochs 1", "line 2");
    refused("[training]\nepochs = 1\nepochs = 2", "line 3 (epochs = 2): duplicate key");
    refused("[training]\nlr = 1\n[model]\nlatents = 2", "no key `lr` in [training]: did you mean `learning-rate`?");
    refused("[training]\nlr = 1\n[model]\nlatents = 2", "no key `latents` in [model]: did you mean `latent`?");
    refused("[training]\nepochs = 0", "`epochs` is 0: give a whole number from 1");
}

#[test]
fn other_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let say = |path: &std::path::Path| Config::load(path).unwrap_err().to_string();
    assert!(say(folder.path()).contains("this is a folder"));
    assert!(say(&folder.path().join("missing.toml")).contains("cannot read"));
    let path = folder.path().join("a");
    std::fs::write(&path, b"\x89PNG\r\n\x1a\n").unwrap();
    assert!(say(&path).contains("this is not text"));
    std::fs::write(&path, "#".repeat(2 << 20)).unwrap();
    assert!(say(&path).contains("more than"));
    #[cfg(unix)]
    assert!(say(std::path::Path::new("/dev/zero")).contains("more than"));
}

#[test]
fn sizes_that_make_no_sense() {
    invalid(|c| c.model.latent = 0, "`latent` is 0: give a whole number from 1 to 65536");
    invalid(|c| c.model.latent = usize::MAX, "`latent` is");
    invalid(|c| c.training.batch = 0, "`batch` is 0");
    invalid(|c| c.training.batch = usize::MAX, "`batch` is");
    invalid(|c| c.training.epochs = 0, "`epochs` is 0");
    invalid(|c| c.training.step_every = 0, "`step-every` is 0");
    invalid(|c| c.training.log_every = 0, "`log-every` is 0");
    invalid(|c| c.training.accumulate = 0, "`accumulate` is 0");
    invalid(|c| c.training.optimiser = "sgd:beta1=0.9".parse().unwrap(), "the optimiser `sgd` has no setting `beta1`");
    invalid(|c| c.training.optimiser = "lion".into(), "there is no optimiser `lion`; there are adam, adamw, adamax");
    invalid(|c| c.training.checkpoint_every = 0, "`checkpoint-every` is 0");
    invalid(|c| c.training.steps_per_submit = Some(0), "`steps-per-submit` is 0");
    invalid(|c| c.training.warmup_steps = usize::MAX, "`warmup-steps` is");
    invalid(|c| c.training.kl_warmup_epochs = usize::MAX, "`kl-warmup-epochs` is");
    invalid(|c| c.training.seed = u64::MAX, "`seed` is");
    invalid(|c| c.data.resolution = 7, "`resolution` is 7: give a whole number from 8 to 1024");
    let none = Some(PictureSize { height: 0, width: 3 });
    invalid(|c| (c.data.source, c.data.size) = ("x".into(), none), "`size` is 0x3: give pixels from 1 to 2048");
    invalid(|c| c.data.count = Some(0), "`count` is 0");
    invalid(|c| c.data.source = " ".into(), "`source` is empty");
}

#[test]
fn numbers_that_make_no_sense() {
    for value in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e-60, 1e60] {
        invalid(|c| c.training.learning_rate = value, "`learning-rate` is");
        invalid(|c| c.training.step_factor = value, "`step-factor` is");
        invalid(|c| c.training.clip_norm = Some(value), "`clip-norm` is");
        let epsilon = |c: &mut Config| c.training.optimiser = Spec::new("adam").with("epsilon", value);
        invalid(epsilon, "`epsilon` of the optimiser `adam` is");
        let change = |c: &mut Config| c.model.likelihood = Spec::new("gaussian").with("sigma", value);
        invalid(change, "`sigma` of the likelihood `gaussian` is");
    }
    for value in [-1.0, f64::NAN, f64::INFINITY, 1e60] {
        invalid(|c| c.model.beta = value, "`beta` is");
    }
    for value in [-0.1, 1.0, 0.999_999_999_9, f64::NAN, f64::INFINITY] {
        for (name, expected) in [("beta1", "`beta1` of the optimiser `adam` is"), ("beta2", "`beta2` of the")] {
            invalid(|c| c.training.optimiser = Spec::new("adam").with(name, value), expected);
        }
        let momentum = |c: &mut Config| c.training.optimiser = Spec::new("sgd").with("momentum", value);
        invalid(momentum, "`momentum` of the optimiser `sgd` is");
    }
    for value in [-0.1, 1.0, 0.999_999_999_9, f64::NAN] {
        invalid(|c| c.training.average = value, "`average` is");
    }
    for value in [-0.1, f64::NAN, f64::INFINITY, 1e60] {
        invalid(|c| c.training.skip_norm = value, "`skip-norm` is");
    }
    for value in [-0.1, 1.0, f64::NAN] {
        invalid(|c| c.training.swag_start = value, "`swag-start` is");
    }
    invalid(|c| c.training.step_factor = 1.5, "`step-factor` is 1.5: give a number from above 0 to 1");
    let mut fine = Config::default();
    (fine.model.beta, fine.training.optimiser) = (0.0, Spec::new("adam").with("beta1", 0.0));
    fine.validate().unwrap();
}

#[test]
fn settings_that_exclude_each_other() {
    invalid(|c| (c.data.full, c.data.count) = (true, Some(5)), "`full` asks for all");
    let size = Some(PictureSize::square(32));
    invalid(|c| c.data.size = size, "`size` is about pictures in a folder or an archive, and the data is sprites");
    invalid(|c| (c.data.source, c.data.size) = ("digits".into(), size), "and the data is digits");
    invalid(|c| (c.data.source, c.data.count) = ("digits".into(), Some(5)), "`count` is about the built-in sprites");
    invalid(|c| (c.data.source, c.data.count) = ("mnist".into(), Some(5)), "`count` is about the built-in sprites");
    invalid(|c| (c.data.source, c.data.full) = ("mnist".into(), true), "`full` is about the built-in sprites");
    invalid(|c| (c.data.source, c.data.binary) = ("mnist".into(), true), "`binary` is about the built-in sprites");
    invalid(|c| c.model.likelihood = Spec::new("bernoulli").with("sigma", 0.5), "`bernoulli` has no setting `sigma`");
    let ae = |change: fn(&mut Config)| {
        move |c: &mut Config| {
            c.model.kind = "ae".parse().unwrap();
            change(c);
        }
    };
    invalid(ae(|c| c.model.beta = 4.0), "`beta` weighs the KL term");
    invalid(ae(|c| c.training.kl_warmup_epochs = 4), "`kl-warmup-epochs` is about the KL term");
    invalid(ae(|c| c.model.likelihood = Spec::new("gaussian-learned")), "no use for the density `gaussian-learned`");
    invalid(ae(|c| c.model.objective = Spec::new("free-bits")), "has no objective to choose");
    let mut fine = Config::default();
    (fine.model.kind, fine.model.likelihood) = ("ae".parse().unwrap(), Spec::new("gaussian"));
    fine.validate().unwrap();
}

#[test]
fn all_problems_are_said_at_once() {
    let mut config = Config::default();
    (config.model.latent, config.training.batch, config.training.learning_rate) = (0, 0, f64::NAN);
    let said = config.validate().unwrap_err().to_string();
    assert_eq!(said.lines().count(), 4, "{said}");
    assert!(said.starts_with("3 settings cannot be used:\n  - `latent` is 0"), "{said}");
}

/// What is short for networks, folded into what it is short for.
#[test]
fn networks_have_one_form() {
    let whole = |text: &str| {
        let config = Config::from_toml(text).unwrap();
        let again = Config::from_toml(&config.to_toml().unwrap()).unwrap();
        assert_eq!(again, config);
        let ModelConfig { encoder, decoder, .. } = config.model;
        (encoder.to_string(), decoder.map(|spec| spec.to_string()))
    };
    let mlp = |rest: &str| format!("mlp:activation={rest}");
    for (text, encoder, decoder) in [
        ("", mlp("silu,hidden=512,256"), None),
        ("hidden = [400]", mlp("silu,hidden=400"), None),
        ("activation = 'relu'", mlp("relu,hidden=512,256"), None),
        // As files were written when perceptrons were all there was.
        ("hidden = [3, 4]\nactivation = 'tanh'", mlp("tanh,hidden=3,4"), None),
        (
            "hidden = [3, 4]\ndecoder-hidden = [5]\nactivation = 'tanh'",
            mlp("tanh,hidden=3,4"),
            Some(mlp("tanh,hidden=5")),
        ),
        ("decoder-hidden = [5]", mlp("silu,hidden=512,256"), Some(mlp("silu,hidden=5"))),
        ("encoder = 'mlp:7,8'", "mlp:hidden=7,8".into(), None),
        ("encoder = 'residual:64'\nactivation = 'elu'", "residual:activation=elu,width=64".into(), None),
        (
            "encoder = 'residual'\ndecoder = 'mlp:9'\nactivation = 'elu'",
            "residual:activation=elu".into(),
            Some(mlp("elu,hidden=9")),
        ),
        (
            "encoder = 'residual:activation=elu'\ndecoder-hidden = [5]",
            "residual:activation=elu".into(),
            Some(mlp("elu,hidden=5")),
        ),
        ("encoder = 'residual'\ndecoder-hidden = [5]", "residual".into(), Some("mlp:hidden=5".into())),
    ] {
        assert_eq!(whole(&format!("[model]\n{text}")), (encoder, decoder), "{text}");
    }
    // The later layer goes before the earlier, whatever each calls it.
    let mut config = Config::from_toml("[model]\nencoder = 'residual:activation=tanh'\ndecoder = 'mlp:3'").unwrap();
    let (hidden, decoder_hidden) = (Some(vec![6]), Some(vec![7]));
    let model = ModelOptions { hidden, decoder_hidden, ..ModelOptions::default() };
    Layer { model, ..Layer::default() }.lay_over(&mut config).unwrap();
    assert_eq!(config.model.encoder.to_string(), "mlp:activation=tanh,hidden=6");
    assert_eq!(config.model.decoder.unwrap().to_string(), "mlp:activation=tanh,hidden=7");
}

#[test]
fn networks_that_cannot_be() {
    invalid(
        |c| c.model.encoder = Spec::new("convolution"),
        "there is no network `convolution`; there are mlp, residual",
    );
    invalid(|c| c.model.encoder = "mlp:0".parse().unwrap(), "`hidden` of the network `mlp` is 0: give 1 to 64 numbers");
    invalid(
        |c| c.model.decoder = Some("mlp:2,activation=x".parse().unwrap()),
        "`activation` of the network `mlp` is x",
    );
    invalid(
        |c| c.model.decoder = Some("residual:blocks=0".parse().unwrap()),
        "`blocks` of the network `residual` is 0",
    );
    refused(
        "[model]\nhidden = []",
        "`hidden` of the network `mlp` is empty: give 1 to 64 numbers, each a whole number",
    );
    refused("[model]\nhidden = [400, 0]", "`hidden` of the network `mlp` is 400,0: give 1 to 64 numbers, each a whole");
    let deep = vec!["1"; 65].join(",");
    refused(&format!("[model]\nhidden = [{deep}]"), "`hidden` of the network `mlp` is 1,1");
    refused("[model]\ndecoder-hidden = [65537]", "`hidden` of the network `mlp` is 65537: give 1 to 64 numbers");
    let both = "`hidden` is short for `encoder`, which is given as well: leave one of the two out";
    refused("[model]\nencoder = 'mlp:4'\nhidden = [4]", both);
    refused("[model]\ndecoder = 'mlp:4'\ndecoder-hidden = [4]", "`decoder-hidden` is short for `decoder`");
    let activation = "`activation` is short for the setting of that name of `encoder`, which is given as well";
    refused("[model]\nencoder = 'mlp:4,activation=elu'\nactivation = 'relu'", activation);
    let decoder = "`activation` is short for the setting of that name of `decoder`, which is given as well";
    refused("[model]\ndecoder = 'mlp:4,activation=elu'\nactivation = 'relu'", decoder);
    refused("[first-stage]\nrun = 'r'\nseed = 1\nmodel = {encoder = 'mlp:4', hidden = [4]}", both);
}

#[test]
fn what_is_wrong_is_said_once() {
    let mut config = Config::default();
    (config.model.kind, config.model.objective) = ("m2".parse().unwrap(), "iwae".into());
    let said = config.validate().unwrap_err().to_string();
    assert_eq!(said.matches("a bound of its own to minimise").count(), 1, "{said}");
}

#[test]
fn a_setting_is_not_given_twice_in_one_place() {
    for (text, expected) in [
        (
            "[model]\nlikelihood = 'gaussian:sigma=0.1'\nsigma = 0.2",
            "`sigma` is short for the setting of that name of `likelihood`",
        ),
        ("[model]\nlikelihood = 'gaussian:0.1'\nsigma = 0.2", "`sigma` of the likelihood `gaussian` is given twice"),
        (
            "[training]\noptimiser = 'adam:beta1=0.8'\nbeta1 = 0.9",
            "`beta1` is short for the setting of that name of `optimiser`",
        ),
        (
            "[training]\noptimiser = 'adamw:epsilon=1e-6'\nepsilon = 1e-7",
            "`epsilon` is short for the setting of that name of",
        ),
    ] {
        refused(text, expected);
    }
    // What a file says is no part of the command line, and another setting of the same piece is another.
    let mut config = Config::from_toml("[training]\noptimiser = 'adam:beta1=0.8'\nbeta2 = 0.7").unwrap();
    let training = TrainingOptions { beta1: Some(0.6), ..TrainingOptions::default() };
    Layer { training, ..Layer::default() }.lay_over(&mut config).unwrap();
    assert_eq!(config.training.optimiser.to_string(), "adam:beta1=0.6,beta2=0.7");
}

#[test]
fn names_of_runs() {
    let mut config = Config::default();
    assert_eq!(config.run_name(), "vae-sprites");
    for (source, expected) in [("a b/mnist.idx", "ae-mnist"), ("x/my data", "ae-my-data"), ("..", "ae-data")] {
        (config.model.kind, config.data.source) = ("ae".parse().unwrap(), source.into());
        assert_eq!(config.run_name(), expected);
    }
    let options = other().data.options(5);
    assert_eq!((options.validation, options.seed, options.sprites.count), (7, 5, Some(99)));
}
