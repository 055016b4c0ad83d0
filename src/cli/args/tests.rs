//! What is typed, what becomes of it, and what the help says.

use std::path::Path;

use clap::FromArgMatches;

use super::*;
use crate::catalogue::Spec;
use crate::config::{Binarise, Config, DeviceChoice, FILE_NAME, Schedule};

fn parse(line: &str) -> Result<Command, clap::Error> {
    let words = std::iter::once("elbo").chain(line.split_whitespace());
    let matches = command().try_get_matches_from(words)?;
    Ok(Cli::from_arg_matches(&matches)?.command.expect("a command"))
}

/// The settings that `elbo train` with these options trains with.
fn settings(options: &str) -> crate::error::Result<Config> {
    match parse(&format!("train {options}")).unwrap() {
        Command::Train(args) => Ok(resolve(&args)?.config),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn refused(options: &str, expected: &str) {
    let said = match parse(&format!("train {options}")) {
        Ok(_) => settings(options).unwrap_err().to_string(),
        Err(error) => error.to_string(),
    };
    assert!(said.contains(expected), "{said}\n  expected: {expected}");
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn without_options_sprites_are_learnt() {
    assert_eq!(settings("").unwrap(), Config::default());
}

#[test]
fn rows_decide_the_preset_unless_it_is_named() {
    let of = |options: &str| {
        let config = settings(options).unwrap();
        (config.preset, config.training.epochs, config.training.kl_warmup_epochs, config.model.latent)
    };
    // 1,439 digits are left to learn from, in 178 epochs of 45 steps.
    assert_eq!(of("--data digits"), (Preset::Grey, 178, 35, 16));
    assert_eq!(of("--data digits --preset classic"), (Preset::Classic, 10, 0, 20));
    assert_eq!(of("--data digits --binarise dynamic").0, Preset::Drawings);
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "a.toml", "[data]\nsource = 'digits'\n[model]\nlatent = 3");
    assert_eq!(of(&format!("--config {file}")), (Preset::Grey, 178, 35, 3));
    let file = write(folder.path(), "b.toml", "preset = 'sprites'\n[data]\nsource = 'digits'");
    assert_eq!(of(&format!("--config {file}")), (Preset::Sprites, 60, 15, 8));
}

#[test]
fn a_warm_up_fits_into_the_run_unless_it_is_given() {
    let warm_up = |options: &str| settings(options).unwrap().training.kl_warmup_epochs;
    assert_eq!(["--epochs 5", "--epochs 40", "--epochs 100", "--epochs 3"].map(warm_up), [1, 10, 15, 0]);
    assert_eq!(warm_up("--epochs 5 --kl-warmup-epochs 9"), 9);
    assert_eq!(warm_up("--data digits --epochs 20"), 5);
    // What has no KL term has no warm-up of it, and is refused one.
    assert_eq!(["--model ae", "--model ae --epochs 8", "--model ae --data digits"].map(warm_up), [0; 3]);
    refused("--model ae --kl-warmup-epochs 3", "`kl-warmup-epochs` is about the KL term");
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "a.toml", "[training]\nepochs = 20");
    assert_eq!([format!("--config {file}"), format!("--config {file} --epochs 8")].map(|o| warm_up(&o)), [5, 2]);
    let file = write(folder.path(), "b.toml", "[training]\nkl-warmup-epochs = 12");
    assert_eq!(warm_up(&format!("--config {file} --epochs 20")), 12);
}

#[test]
fn the_command_line_lies_over_the_file_over_the_preset() {
    let folder = tempfile::tempdir().unwrap();
    let text = "preset = 'classic'\n[model]\nlatent = 3\nbeta = 2\n[training]\nclip-norm = 5\n";
    let file = write(folder.path(), "a.toml", text);
    let mut expected = Preset::Classic.config();
    (expected.model.latent, expected.model.beta, expected.training.clip_norm) = (3, 2.0, Some(5.0));
    assert_eq!(settings(&format!("--config {file}")).unwrap(), expected);

    (expected.model.latent, expected.training.clip_norm) = (4, Some(1.0));
    assert_eq!(settings(&format!("--config {file} --latent 4 --clip-norm 1")).unwrap(), expected);

    // A preset on the command line goes before the one the file names, not before the file's own settings.
    let config = settings(&format!("--config {file} --preset sprites")).unwrap();
    assert_eq!((config.preset, config.model.latent, config.model.beta), (Preset::Sprites, 3, 2.0));
    assert_eq!(config.model.encoder, Preset::Sprites.config().model.encoder);

    // What the file gets wrong, the command line may put right.
    let file = write(folder.path(), "b.toml", "[model]\nlatent = 0");
    assert!(settings(&format!("--config {file}")).is_err());
    assert_eq!(settings(&format!("--config {file} --latent 1")).unwrap().model.latent, 1);
    let file = write(folder.path(), "c.toml", "[model]\nlatnt = 0");
    refused(&format!("--config {file}"), "did you mean `latent`?");
}

#[test]
fn every_setting_has_an_option() {
    let config = settings(
        "--preset classic --validation 7 --binarise dynamic --resolution 16 --count 20_000 --binary --full=false \
         --model vae --hidden 3,4 --decoder-hidden 5 --latent 2 --activation leaky-relu --likelihood mse:sigma=0.1 \
         --objective iwae:samples=5 --beta 4 --epochs 3 --batch 5 --lr 3e-5 --schedule cosine --warmup-steps 11 --step-every 2 --step-factor 0.3 \
         --kl-warmup-epochs 1 --clip-norm 5 --accumulate 6 --average 0.9 --swag 0 --swag-start 0.25 --optimizer adam --beta1 0.5 --beta2 0.99 --epsilon 1e-7 --seed 9 --log-every 1 \
         --checkpoint-every 4 --steps-per-submit 8 --device 1 --deterministic --data sprites",
    )
    .unwrap();
    let (data, model, training) = (&config.data, &config.model, &config.training);
    assert_eq!((data.validation, data.binarise, data.resolution), (7, Binarise::Dynamic, 16));
    assert_eq!((data.count, data.binary, data.full), (Some(20_000), true, false));
    assert_eq!(
        (model.kind.clone(), model.likelihood.clone()),
        ("vae".parse().unwrap(), Spec::new("gaussian").with("sigma", 0.1))
    );
    assert_eq!(model.objective, Spec::new("iwae").with("samples", 5.0));
    assert_eq!(model.encoder.to_string(), "mlp:activation=leaky-relu,hidden=3,4");
    assert_eq!(model.decoder.as_ref().unwrap().to_string(), "mlp:activation=leaky-relu,hidden=5");
    assert_eq!((model.latent, model.beta), (2, 4.0));
    assert_eq!((training.epochs, training.batch, training.learning_rate), (3, 5, 3e-5));
    assert_eq!((training.schedule, training.warmup_steps), (Schedule::Cosine, 11));
    assert_eq!((training.step_every, training.step_factor, training.kl_warmup_epochs), (2, 0.3, 1));
    assert_eq!(training.optimiser.to_string(), "adam:beta1=0.5,beta2=0.99,epsilon=0.0000001");
    assert_eq!((training.accumulate, training.average), (6, 0.9));
    assert_eq!((training.swag, training.swag_start), (0, 0.25));
    assert_eq!((training.clip_norm, training.seed, training.log_every), (Some(5.0), 9, 1));
    assert_eq!((training.checkpoint_every, training.steps_per_submit), (4, Some(8)));
    assert_eq!((&config.device.device, config.device.deterministic), (&DeviceChoice::Index(1), true));

    // Each key is an option of its own name, but for three that have another.
    let train = command().find_subcommand("train").unwrap().clone();
    let has = |name: &str| train.get_arguments().any(|arg| arg.get_long() == Some(name));
    let tables = toml::Table::try_from(&config).unwrap();
    let keys = tables.values().filter_map(toml::Value::as_table).flat_map(|table| table.keys());
    let missing: Vec<_> = keys.filter(|key| !has(key)).collect();
    assert_eq!(missing, ["columns", "source", "kind"]);
}

#[test]
fn what_a_preset_picks_weights_by_gives_way_to_swag() {
    let average = |options: &str| settings(&format!("--preset very-deep {options}")).unwrap().training.average;
    assert_eq!([average(""), average("--swag 20")], [0.999, 0.0]);
    refused("--preset very-deep --swag 20 --average 0.9", "`average` has a running mean");
    refused("--preset very-deep --swag 20 --patience 3", "`patience` keeps the weights of one epoch");
}

#[test]
fn what_makes_no_sense_is_refused() {
    refused("--latent 0", "`latent` is 0: give a whole number");
    refused("--latent -1", "invalid value '-1' for '--latent <N>': give a whole number");
    refused("--latent 1.5", "give a whole number");
    refused(
        "--hidden 0",
        "`hidden` of the network `mlp` is 0: give 1 to 64 numbers, each a whole number from 1 to 65536",
    );
    refused("--hidden 400,,200", "give a whole number");
    refused("--learning-rate -0.1", "`learning-rate` is -0.1: give a positive number");
    refused("--learning-rate nan", "`learning-rate` is NaN: give a positive number");
    refused("--beta -1", "`beta` is -1: give 0 or a positive number");
    refused("--model ae --beta 4", "`beta` weighs the KL term");
    refused("--epoch 4", "--epochs");
    refused("--activation rely", "relu");
    refused("--device=", "give auto, cpu, cpu-exact, gpu");
    refused("--device gpu-exact", "only the processor gives the same bits everywhere, not a GPU: give cpu-exact");
    refused("--seed -1", "invalid value '-1'");
    refused("--seed 18446744073709551615", "`seed` is 18446744073709551615");
    refused("--resume a --out b", "cannot be used with");
    refused("--config no/such/file", "cannot read no/such/file");
}

#[test]
fn a_resumed_run_stays_the_run_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().display().to_string();
    let before = settings("--preset classic --latent 5 --epochs 2").unwrap();
    write(folder.path(), FILE_NAME, &before.to_toml().unwrap());
    assert_eq!(settings(&format!("--resume {run}")).unwrap(), before);

    let after = settings(&format!("--resume {run} --epochs 9 --device cpu --log-every 3 --data sprites")).unwrap();
    assert_eq!((after.training.epochs, after.training.log_every, after.model.latent), (9, 3, 5));
    assert_eq!(after.device.device, DeviceChoice::Cpu);
    // Saying again what is already so changes nothing.
    assert!(settings(&format!("--resume {run} --latent 5")).is_ok());

    refused(&format!("--resume {run} --latent 6 --seed 1"), "`latent`, `seed` would change");
    refused(&format!("--resume {run} --clip-norm 1"), "`clip-norm` would change");
    refused(&format!("--resume {run}/missing"), "cannot read");
}

#[test]
fn other_commands() {
    let Command::Sample(sample) = parse("sample runs/a --count 9 --out a.png --seed 3").unwrap() else { panic!() };
    assert_eq!((sample.run.as_path(), sample.count, sample.seed), (Path::new("runs/a"), 9, 3));
    assert_eq!((sample.out.as_deref(), sample.device), (Some(Path::new("a.png")), DeviceChoice::Auto));
    let Command::Bench(bench) = parse("bench --step wide --kernels --json").unwrap() else { panic!() };
    assert_eq!((&bench.step[..], &bench.batch[..]), (&[BenchStep::Wide][..], &[][..]));
    assert_eq!((bench.kernels, bench.json, bench.growth), (true, true, None));
    let Command::Evaluate(evaluate) = parse("evaluate r --data x --device gpu").unwrap() else { panic!() };
    assert_eq!((evaluate.data.as_deref(), evaluate.device), (Some("x"), DeviceChoice::Gpu));
    for line in ["reconstruct r --count 3", "devices", "doctor", "doctor --device llvmpipe", "profile", "bench"] {
        parse(line).unwrap();
    }
    for line in ["sample", "sample r --count 0", "bench --batch 0", "evaluate", "frobnicate", "--epochs 3"] {
        assert!(parse(line).is_err(), "{line}");
    }
}

#[test]
fn the_help_renders_with_the_defaults_of_the_presets() {
    command().debug_assert();
    let mut all = command();
    all.build();
    let names: Vec<String> = all.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let expected = [
        "demo",
        "train",
        "fetch",
        "data",
        "models",
        "evaluate",
        "sample",
        "augment",
        "reconstruct",
        "encode",
        "decode",
        "score",
        "compare",
        "compress",
        "decompress",
        "interpolate",
        "traverse",
        "latent",
        "impute",
        "report",
        "export",
        "import",
        "reproduce",
        "devices",
        "doctor",
        "bench",
        "kernels",
        "profile",
        "fit-prior",
        "completions",
        "man",
        "help",
    ];
    assert_eq!(names, expected);
    for name in &expected[..20] {
        let sub = all.find_subcommand_mut(name).unwrap();
        let help = sub.render_long_help().to_string();
        assert!(help.contains("Usage: elbo") && help.contains("Example"), "{help}");
        let undescribed = sub.get_arguments().find(|arg| arg.get_help().is_none());
        assert!(undescribed.is_none(), "{undescribed:?}");
    }
    let help = all.find_subcommand_mut("train").unwrap().render_help().to_string();
    let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "Passes over the training rows [default: 60; classic: 10; table: 200; drawings: 50; grey: 50; colour: 50; vectors: 50; keras-conv: 30; burgess: 30; dcgan: 30; resnet: 30; vq-vae: 20; very-deep: 30]",
        "Weight of the KL term in the loss [default: 1]",
        "[default: mlp:activation=silu,hidden=512,256; classic: mlp:activation=relu,hidden=400; table: mlp:activation=silu,hidden=128,128; vectors: mlp:activation=silu,hidden=128,128;",
        "[default: 0.004; classic: 0.001; table: 0.002; drawings: 0.002;",
        "[default: adam:beta2=0.98; classic: adam; table: adam; drawings: adam;",
        "[default: sprites]",
        "[default: vae; vq-vae: vq-vae:commitment=0.09375; very-deep: very-deep]",
        "Data:",
        "Training:",
    ] {
        assert!(words.contains(expected), "{expected} is not in {help}");
    }
    let help = all.find_subcommand_mut("train").unwrap().render_long_help().to_string();
    for expected in ["Nothing is required", "Below 1, reconstructions are sharper", "\n          [default: 1]\n"] {
        assert!(help.contains(expected), "{expected} is not in {help}");
    }
}
