//! Codes that are points, lie on a sphere, or are moved: trained and used from the command line.

use crate::program::{Place, small};

/// A line that trains a small run.
fn train(options: &str) -> String {
    format!("train {}", small(options))
}

fn numbers(text: &str) -> Vec<Vec<f64>> {
    text.lines().skip(1).map(|line| line.split(',').filter_map(|cell| cell.parse().ok()).collect()).collect()
}

#[test]
fn codes_on_a_sphere_are_drawn_and_told() {
    let place = Place::new();
    place.train("sphere", "--posterior power-spherical --prior uniform-sphere --latent 3");
    place.run("sample sphere --device cpu --count 4 --out new.png");
    place.run("encode sphere --device cpu --out codes.csv");
    let codes = numbers(&std::fs::read_to_string(place.path("codes.csv")).unwrap());
    assert!(!codes.is_empty());
    for code in codes {
        // Means and standard deviations stand last; E‖z‖² is 1.
        let square = code[code.len() - 6..].iter().map(|z| z * z).sum::<f64>();
        assert!((square - 1.0).abs() < 2e-3, "{code:?}");
    }
    place.refused("sample sphere --device cpu --temperature 0.5 --out odd.png", &["unit sphere", "leave it out"]);
    place.refused(
        &train("--posterior power-spherical --latent 3 --out other"),
        &["points of the unit sphere", "use the prior `uniform-sphere`"],
    );
    place.refused(
        &train("--posterior power-spherical --prior uniform-sphere --latent 1 --out other"),
        &["a sphere has two dimensions or more"],
    );
}

#[test]
fn an_autoencoder_draws_once_a_prior_is_fitted() {
    let place = Place::new();
    for regulariser in ["l2", "gradient-penalty", "spectral"] {
        let said = place.run(&train(&format!("--model rae:regulariser={regulariser} --latent 2 --out {regulariser}")));
        assert!(said.trim_end().ends_with(&format!("fit-prior {regulariser}")), "{said}");
        let said = place.run(&format!("fit-prior {regulariser} --device cpu --prior mixture:components=2 --epochs 2"));
        assert!(said.contains("-ln p(z) of codes") && !said.contains("ELBO"), "{said}");
        place.run(&format!("sample {regulariser}-mixture --device cpu --count 3 --out {regulariser}.png"));
    }
    place.refused(
        &train("--model rae --posterior laplace --out other"),
        &["a model of `kind` rae has no posterior to choose"],
    );
    // A prior that learns beside it can be drawn from at once.
    let said = place.run(&train("--model rae --prior mixture:components=2 --latent 2 --out mixed"));
    assert!(said.contains("Next: ") && said.contains(" sample mixed"), "{said}");
    place.refused(&train("--model rae --prior vampprior --out other"), &["use another prior"]);
    place.refused(&train("--model rae:regulariser=l3 --out other"), &["give one of l2, gradient-penalty"]);
}

#[test]
fn codes_are_moved_and_rows_drawn() {
    let place = Place::new();
    place.train("moved", "--model hamiltonian:steps=2 --latent 2");
    place.run("sample moved --device cpu --count 3 --out new.png");
    place.run("evaluate moved --device cpu --quick");
    place.refused(
        &train("--model hamiltonian --objective free-bits --out other"),
        &["use the objective `elbo` or `iwae`"],
    );
}
