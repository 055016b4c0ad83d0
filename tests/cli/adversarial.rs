//! Adversarial models: what they do, and what they refuse.

use crate::program::Place;

const SMALL: &str = "--hidden 16 --latent 2 --resolution 8 --count 200 --epochs 1 --device cpu";

#[test]
fn a_gan_draws_and_gives_rows_no_codes() {
    let place = Place::new();
    let said = place.run(&format!("train --model gan:loss=hinge,spectral=yes {SMALL} --out run"));
    assert!(said.contains("loss: of the discriminator") && said.contains("sample run"), "{said}");
    assert!(!place.path("run/reconstructions.png").exists());
    place.run("sample run --device cpu --count 4 --out new.png");
    let said = place.run("evaluate run --device cpu");
    assert!(said.contains("discriminator accuracy") && said.contains("generator loss"), "{said}");
    assert!(place.run("report run --device cpu --force").contains("gives rows no codes"));
    place.run("score run --device cpu --out scores.csv");
    for (command, expected) in [
        ("reconstruct run --device cpu --out again.png", "this model cannot rebuild rows"),
        ("encode run --device cpu --out codes.csv", "this model cannot give rows codes"),
        ("traverse run --device cpu --out walk.png", "this model cannot give rows codes"),
        ("score run --device cpu --scores latent --out s.csv", "this model cannot give rows codes"),
        ("score run --device cpu --scores squared_error --out s.csv", "this model cannot rebuild rows"),
        ("evaluate run --device cpu --factors", "this model cannot give rows codes"),
    ] {
        place.refused(command, &[expected]);
    }
    place.refused("train --model gan:loss=lsgan", &["non-saturating, minimax, hinge, wgan-gp"]);
    place.refused(
        "train --model gan:loss=wgan-gp --encoder conv:4,norm=batch",
        &["the gradient penalty", "norm=layer or norm=none"],
    );
    place.refused("train --model factor-vae --latent 200 --batch 100", &["200 dimensions", "`batch` (--batch) is 100"]);
    place.refused(
        &format!("train --model gan {SMALL} --corrupt mask --out x"),
        &["an encoder is shown", "leave it out"],
    );
    place.refused("train --model vae-gan:loss=wgan-gp", &["another loss"]);
}

#[test]
fn codes_of_an_implicit_posterior_have_no_density() {
    let place = Place::new();
    let said = place.run(&format!("train --model avb:noise=4 {SMALL} --out run"));
    assert!(said.contains("sample run"), "{said}");
    let said = place.run("evaluate run --device cpu");
    assert!(said.contains("log ratio") && said.contains("critic accuracy") && !said.contains("-ln p(x) "), "{said}");
    // What is told as the ELBO bears what the critic makes of the KL, and is no number of bits.
    let metrics = std::fs::read_to_string(place.path("run/metrics.jsonl")).unwrap();
    let record: serde_json::Value = serde_json::from_str(metrics.lines().last().unwrap()).unwrap();
    let of = |value: &serde_json::Value| value.as_f64().unwrap();
    let ratio = of(&record["parts"]["log_ratio"]);
    assert!(
        (of(&record["elbo"]) + of(&record["reconstruction"]) + ratio).abs() < 1e-6 && ratio.abs() > 1e-4,
        "{record}"
    );
    assert!(record["bits_per_dimension"].is_null(), "{record}");
    place.run("sample run --device cpu --count 4 --out new.png");
    place.run("encode run --device cpu --out codes.csv");
    place.run("score run --device cpu --scores elbo,latent,squared_error --out scores.csv");
    place.run("reconstruct run --device cpu --uncertainty 32 --out sure.npz");
    place.run("export run --device cpu --to model.onnx");
    for (command, expected) in [
        ("score run --device cpu --scores likelihood --out s.csv", "this model cannot"),
        ("compress run --data sprites --out rows.elbo", "cannot"),
    ] {
        place.refused(command, &[expected]);
    }
    for (options, words) in [
        ("--model avb:noise=0", ["`noise`", "1 to 4096"]),
        ("--model avb --patience 3", ["`patience`", "one side's of a game"]),
        ("--model avb --beta 2", ["`beta` (--beta)", "leave it out"]),
        ("--model avb --posterior planar", ["posterior", "train a vae"]),
        ("--model avb --objective iwae", ["objective", "train a vae"]),
        ("--model avb --epochs 8 --swag 20", ["minimise losses against each other", "leave it out"]),
        ("--model avb --network-weights bayes-by-backprop", ["minimise losses against each other", "leave"]),
    ] {
        place.refused(&format!("train {options} --device cpu --out odd"), &words);
    }
}

#[test]
fn rows_that_are_drawn_alike_are_told_of_all_that_play_for_rows() {
    let place = Place::new();
    let said =
        |model: &str| place.run(&format!("train --model {model} --data digits --epochs 4 --device cpu --out {model}"));
    assert!(said("ali").contains("nearly alike"));
    assert!(!said("aae").contains("nearly alike"), "what is drawn of codes differs from the start");
}

#[test]
fn a_model_brings_the_training_that_it_wants() {
    let place = Place::new();
    let printed = |options: &str| place.run(&format!("train {options} --print-config"));
    let own = printed("--model gan");
    assert!(own.contains("adam:beta1=0.5") && own.contains("learning-rate = 0.0002"), "{own}");
    let chosen = printed("--model gan --optimiser rmsprop --learning-rate 0.01");
    assert!(chosen.contains("rmsprop") && chosen.contains("learning-rate = 0.01"), "{chosen}");
    assert!(!printed("--model vae").contains("beta1=0.5"));
    assert!(own.contains("activation=leaky-relu") && !printed("--model vae").contains("leaky-relu"), "{own}");
    assert!(!printed("--model gan --activation silu").contains("leaky-relu"));
    // What a file says stands, also where it is what the preset has.
    let odd = printed("--model gan --learning-rate 0.004 --optimiser adam --activation silu --beta2 0.9");
    place.write("odd.toml", &odd);
    assert_eq!(printed("--config odd.toml"), odd);
    place.write("short.toml", "[model]\nkind = 'gan'\n");
    assert_eq!(printed("--config short.toml"), own);
    // Few rows are trained until those of validation get no better, but for a game, whose loss does not say.
    place.write_array("few.npy", &[8, 8], &vec![0.5; 200 * 64]);
    let few = |kind: &str| printed(&format!("--data few.npy --validation 40 --model {kind}"));
    assert!(few("vae").contains("\npatience = ") && !few("gan").contains("\npatience = "));
    // Of pictures a generator's output lies between 0 and 1, whatever density a VAE would learn of them.
    assert!(few("gan").contains("likelihood = \"bernoulli\"") && !few("vae").contains("likelihood = \"bernoulli\""));
    assert!(few("ae").contains("likelihood = \"gaussian\""));
    place.refused(&format!("train --model gan {SMALL} --patience 3 --out x"), &["`patience`", "one side's of a game"]);
}

/// A critic that learns a thousand times as fast as whom it judges tells the two apart.
#[test]
fn a_game_that_is_over_is_said() {
    let place = Place::new();
    let game = "train --hidden 32 --latent 2 --resolution 8 --count 400 --epochs 8 --batch 20 --device cpu --out";
    let said = place.run(&format!("{game} won --model gan:generator-rate=0.001 --learning-rate 0.003"));
    assert!(said.contains("of real and made rows apart") && said.contains("spectral=yes"), "{said}");
    let said = place.run(&format!("{game} open --model vae"));
    assert!(!said.contains("of real and made rows apart"), "{said}");
}

/// Fewer rows than a code has dimensions, of which one is held out: what is shuffled apart then comes from few rows.
#[test]
fn few_rows_are_shuffled_too() {
    let place = Place::new();
    place.run("train --model factor-vae --hidden 16 --latent 9 --resolution 8 --count 6 --validation 1 --epochs 1 --device cpu --out run");
}
