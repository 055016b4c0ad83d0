//! Values that are missing because of what they are: a mechanism that is learnt, and what is refused.

use crate::program::Place;

/// Two columns that follow from one number, with some noise; `income` is blank where it is above 50, if `secret`.
fn table(secret: bool) -> String {
    let mut text = "age,income\n".to_string();
    for i in 0..400 {
        let (t, e) = ((i * 37 % 100) as f64 / 50.0 - 1.0, (i * 61 % 97) as f64 / 97.0 - 0.5);
        let income = 50.0 + 20.0 * t + 25.0 * e;
        let shown = if secret && income > 50.0 { String::new() } else { format!("{income:.3}") };
        text += &format!("{:.3},{shown}\n", 40.0 + 10.0 * t);
    }
    text
}

fn incomes(text: &str) -> Vec<Option<f64>> {
    text.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().parse().ok()).collect()
}

/// The root of the mean squared error of what was blank, and its mean error.
fn errors(filled: &str) -> (f64, f64) {
    let (given, whole) = (incomes(&table(true)), incomes(&table(false)));
    let off: Vec<f64> = (incomes(filled).iter().zip(whole).zip(given))
        .filter(|(_, given)| given.is_none())
        .map(|((filled, whole), _)| filled.unwrap() - whole.unwrap())
        .collect();
    let mean = |of: fn(f64) -> f64| off.iter().map(|&off| of(off)).sum::<f64>() / off.len() as f64;
    (mean(|off| off * off).sqrt(), mean(|off| off))
}

#[test]
fn large_values_that_are_kept_secret_are_filled_in_as_large_ones() {
    let place = Place::new();
    place.write("secret.csv", table(true));
    let filled = |mechanism: &str, out: &str| {
        place.run(&format!(
            "train --device cpu --data secret.csv --objective iwae:samples=8 --missing-mechanism {mechanism} --hidden 16 --latent 1 \
             --epochs 40 --batch 20 --learning-rate 0.01 --validation 0 --seed 1 --out {out}"
        ));
        place.run(&format!("impute {out} --device cpu --data secret.csv --samples 200 --out {out}.csv"));
        errors(&std::fs::read_to_string(place.path(&format!("{out}.csv"))).unwrap())
    };
    let (at_random, learnt) = (filled("at-random", "miwae"), filled("self-masking:missing=large", "not-miwae"));
    assert!(at_random.1 < -5.0, "at random they are filled in with too small ones: {at_random:?}");
    assert!(learnt.0 < 0.9 * at_random.0 && learnt.1 > at_random.1 + 3.0, "{learnt:?}, and {at_random:?} at random");
    let log = std::fs::read_to_string(place.path("not-miwae/metrics.jsonl")).unwrap();
    assert!(log.contains("\"mask\""), "what the mask costs is told");
    let config = std::fs::read_to_string(place.path("not-miwae/config.toml")).unwrap();
    assert!(config.contains("missing-mechanism = \"self-masking:missing=large\""), "{config}");
}

#[test]
fn what_cannot_be_learnt_is_refused() {
    let place = Place::new();
    place.write("secret.csv", table(true));
    place.write("whole.csv", table(false));
    let few = "--epochs 1 --hidden 4 --device cpu";
    for (arguments, expected) in [
        ("--data whole.csv --missing-mechanism linear", "no number is missing in the training rows"),
        ("--data digits --likelihood gaussian --missing-mechanism linear", "these rows are pictures"),
        ("--data secret.csv --missing-mechanism linear --model hierarchical", "train a vae"),
        (
            "--data secret.csv --missing-mechanism linear --likelihood categorical",
            "choose one such as gaussian-learned",
        ),
        ("--data secret.csv --missing-mechanism linar", "there is no mechanism of missing values `linar`"),
        ("--data secret.csv --missing-mechanism self-masking:missing=middle", "give one of either, large, small"),
    ] {
        place.refused(&format!("train {arguments} {few} --out run"), &[expected]);
    }
    let explained = place.run("models self-masking");
    assert!(explained.contains("Ipsen") && explained.contains("--missing-mechanism"), "{explained}");
}
