//! What the program lists: pieces of models, and rows of the literature.

use serde_json::Value;

use super::program::Place;

#[test]
fn models_are_listed_with_what_each_can_do_and_each_piece_explains_itself() {
    let place = Place::new();
    let pieces: Value = serde_json::from_str(&place.run("models --json")).unwrap();
    let ids = |kind: Option<&str>| -> Vec<String> {
        let pieces = pieces.as_array().unwrap().iter();
        let of_kind = pieces.filter(|piece| kind.is_none_or(|kind| piece["kind"] == kind));
        of_kind.map(|piece| piece["id"].as_str().unwrap().to_string()).collect()
    };

    let listed = place.run("models");
    let (_, matrix) = listed.split_once("What each model can do").expect("a table of what models can do");
    let first_words: Vec<&str> = matrix.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let architectures = ids(Some("model"));
    assert!(architectures.len() > 10, "{architectures:?}");
    // A second stage is a model of any other kind.
    for id in architectures.iter().filter(|&id| id != "second-stage") {
        assert!(first_words.contains(&id.as_str()), "{id} is not in the table: {matrix}");
    }
    assert!(!first_words.contains(&"bernoulli"), "a likelihood is among the models: {matrix}");

    for id in ids(None) {
        let explained = place.run(&format!("models {id}"));
        assert!(explained.contains(&format!("{id} (--")), "{id}: {explained}");
    }
    place.refused("models nonsense", &["nonsense", "elbo models"]);
}

#[test]
fn rows_of_the_literature_are_listed_with_their_papers() {
    let listed = Place::new().run("reproduce");
    for name in ["iwae", "vampprior", "beta-tcvae"] {
        assert!(listed.lines().any(|line| line.starts_with(name)), "{name}: {listed}");
    }
}
