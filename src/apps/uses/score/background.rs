//! A background model, whose likelihood is taken off: it knows what is common to rows of any kind.

use super::{ScoreKind, Scoring};
use crate::apps::Saved;
use crate::data::Dataset;
use crate::distributions::Measure;
use crate::error::{Error, Result};

/// Says so if the likelihoods of two models of rows cannot be held against each other, or one is missing.
pub fn check(own: &Saved, background: Option<&Saved>, scoring: &Scoring, rows: &Dataset) -> Result<()> {
    let is_asked = scoring.kinds.contains(&ScoreKind::LikelihoodRatio);
    let Some(background) = background else {
        return match is_asked {
            false => Ok(()),
            true => Err(Error::invalid(
                "the score `likelihood_ratio` holds a row's likelihood against that under another model: name its run with \
                 --background, such as one of more general data, or one of the same rows of which a share of the values was drawn anew",
            )),
        };
    };
    if !is_asked {
        return Err(Error::invalid(
            "a background model is for the score `likelihood_ratio`: put it among --scores, or leave --background out",
        ));
    }
    background.session.model.can().density()?;
    let refused = |what: &str, background: String, own: String| {
        Err(Error::invalid(format!(
            "{what} of the background model is {background}, and that of the run is {own}: likelihoods can only be held against each \
             other where it is the same"
        )))
    };
    let (shape, wanted) = (background.form.shape(), own.form.shape());
    if shape != wanted {
        return refused("the shape of a row", shape.to_string(), wanted.to_string());
    }
    let mut fields = background.form.schema.inputs().zip(own.form.schema.inputs());
    if let Some((field, _)) =
        fields.find(|(background, own)| (&background.name, &background.kind) != (&own.name, &own.kind))
    {
        let what =
            if own.form.schema.is_table() { format!("the column `{}`", field.name) } else { "a pixel".to_owned() };
        return Err(Error::invalid(format!(
            "{what} has another name, other classes, other levels or another scale in the background model: train it on rows that are scaled \
             alike"
        )));
    }
    let mechanism = |saved: &Saved| saved.config.model.missing_mechanism.to_string();
    if mechanism(background) != mechanism(own) {
        return refused("the mechanism of missing values", mechanism(background), mechanism(own));
    }
    if (background.form.condition, &background.form.classes) != (own.form.condition, &own.form.classes) {
        let of = |saved: &Saved| format!("{} numbers or classes", saved.form.condition);
        return refused("what a row is told with", of(background), of(own));
    }
    let of = |saved: &Saved| saved.session.model.measure(rows.is_black_and_white());
    match (of(background), of(own)) {
        (background, own) if background == own => Ok(()),
        (background, own) => refused("the likelihood", in_words(background), in_words(own)),
    }
}

/// What a reconstruction term measures, for people.
fn in_words(measure: Measure) -> String {
    let words = match measure {
        Measure::Probability => "a probability",
        Measure::Density => "a density",
        Measure::CrossEntropy => "a cross-entropy of grey values",
        Measure::SquaredError => "a squared error",
        Measure::Labels => "one of labels",
        Measure::Adversarial => "what a discriminator says",
        Measure::Features => "a distance of features",
    };
    words.to_owned()
}
