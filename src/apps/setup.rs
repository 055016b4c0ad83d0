//! From a configuration to a model.

use std::borrow::Cow;
use std::collections::HashSet;

use super::devices::Team;
use super::form::Form;
use super::members::seeded;
use super::stages::build_whole;
use crate::catalogue::build;
use crate::config::{Binarise, Config};
use crate::data;
use crate::data::{Condition, Dataset, Origin, PackingKind, Schema, Source, Split, Splits, Values, labelled_part};
use crate::distributions::{LIKELIHOODS, MissingModel, Support};
use crate::error::{Error, Result};
use crate::models::Model;
use crate::program::Executor;
use crate::training::{Session, Share, Trainer, in_threads};

/// Decides which pixels of held-out rows are white, where training draws that anew in every step: the same for every run, so that
/// runs that hold the same rows out are measured on the same pixels.
pub(super) const BINARISATION_SEED: u64 = 0;

/// Rows as they are measured: where training binarises, drawn black and white once.
pub(super) fn as_measured<'a>(config: &Config, data: &'a Dataset) -> Cow<'a, Dataset> {
    match config.data.binarise {
        Binarise::Dynamic if !data.is_black_and_white() => Cow::Owned(data.black_and_white(BINARISATION_SEED)),
        Binarise::Dynamic | Binarise::Never => Cow::Borrowed(data),
    }
}

/// How the data of a run is read, before it has settled a schema; from the disk where memory has no room.
pub fn reading(config: &Config) -> data::Options {
    let options = options(config, None);
    let memory = options.memory.or(Some(crate::memory::total() / 2));
    data::Options { memory, ..options }
}

/// How the data of a run is read; a schema that the run has settled is kept.
fn options(config: &Config, schema: Option<&Schema>) -> data::Options {
    // Columns are scaled for likelihoods of any values; the others have values of their own.
    let scale = || {
        let likelihood = build(LIKELIHOODS, &config.model_of_rows().likelihood);
        likelihood
            .is_ok_and(|likelihood| matches!(likelihood.support(), Support::Real | Support::Fields | Support::Loss))
    };
    data::Options {
        // How channels are scaled is no affair of files.
        schema: schema.map(Schema::plain),
        standardise: config.data.standardise.unwrap_or_else(scale),
        beside: config.model.kind.is_conditional() && config.data.told() == Condition::Vectors,
        ..config.data.options(config.data_seed())
    }
}

/// Data with what the model of a configuration is told of it.
fn conditioned(config: &Config, data: Dataset) -> Result<Dataset> {
    match config.model.kind.is_conditional() {
        true => data.conditioned(config.data.told()),
        false => Ok(Dataset { conditions: None, ..data }),
    }
}

/// Reads all rows of another source in their order, as the model of a configuration is given them and as they are measured; with what
/// is said of them besides.
///
/// # Errors
/// As for [`open_data`].
pub(super) fn open_other(config: &Config, source: &Source, schema: &Schema) -> Result<(Dataset, Origin)> {
    let options = options(config, Some(schema));
    let memory = options.memory.or(Some(crate::memory::total() / 2));
    let whole = data::Options { memory, rows: None, validation_data: None, test_data: None, ..options };
    let (data, origin) = data::open_all(source, &whole)?;
    let data = data.normalised_by(schema);
    Ok((as_measured(config, &conditioned(config, data)?).into_owned(), origin))
}

/// Reads all rows of another source in their order, as they are: greys stay greys.
///
/// # Errors
/// If it cannot be read.
pub(super) fn open_plain(config: &Config, source: &Source, schema: &Schema) -> Result<Dataset> {
    data::open_whole(source, &options(config, Some(schema)))
}

/// Reads the data of a run as its model is given it; what is held out comes as it is measured.
///
/// # Errors
/// If it cannot be read, or the model is given what is not known of its rows.
pub(super) fn open_data(config: &Config, schema: Option<&Schema>) -> Result<Splits> {
    let splits = data::open(&config.data.parsed_source(), &options(config, schema))?;
    match schema {
        Some(schema) => told(config, scaled_by(splits, schema)),
        None => as_given(config, splits),
    }
}

/// The data of a new run that has been read, as its model is given it, the channels of pictures scaled if they are to be; what is held
/// out comes as it is measured.
///
/// # Errors
/// If the model is given what is not known of its rows.
pub(super) fn as_given(config: &Config, splits: Splits) -> Result<Splits> {
    let is_picture = !splits.train.schema.is_table() && splits.train.shape().is_picture();
    if !is_picture || config.data.standardise != Some(true) {
        return told(config, splits);
    }
    let splits = Splits { train: splits.train.normalised()?, ..splits };
    let schema = splits.train.schema.clone();
    told(config, scaled_by(splits, &schema))
}

/// All parts with the scales of a schema.
fn scaled_by(splits: Splits, schema: &Schema) -> Splits {
    let scaled = |data: Dataset| data.normalised_by(schema);
    let Splits { train, validation, test, origin } = splits;
    Splits { train: scaled(train), validation: validation.map(scaled), test: test.map(scaled), origin }
}

/// Data with what the model is told of it; what is held out comes as it is measured. Held-out rows of which the model would be told
/// what is not known, and that came with the others, are left out.
fn told(config: &Config, splits: Splits) -> Result<Splits> {
    let Splits { train, validation, test, mut origin } = splits;
    let train = conditioned(config, train)?;
    let mut held_out = |data: Option<Dataset>, part: Split, named: Option<&String>| -> Result<Option<Dataset>> {
        let Some(data) = data else { return Ok(None) };
        match conditioned(config, data) {
            Ok(data) => Ok(Some(as_measured(config, &data).into_owned())),
            Err(error) if named.is_some() => Err(error),
            Err(_) => {
                let told = config.data.told();
                origin.warnings.push(format!(
                    "the {part} rows have no {told} as the training rows have, and the model is told of them: the {part} rows are left \
                     out, and nothing is measured on them"
                ));
                Ok(None)
            }
        }
    };
    let validation = held_out(validation, Split::Validation, config.data.validation_data.as_ref())?;
    let test = held_out(test, Split::Test, config.data.test_data.as_ref())?;
    Ok(Splits { train, validation, test, origin })
}

/// A model that is about to learn rows, on the devices of a team.
///
/// # Errors
/// If the rows do not fit the configuration, or a device has too little memory.
pub(super) fn build_trainer(config: &Config, data: &Dataset, team: impl Into<Team>) -> Result<Trainer> {
    let Team { first, others, share, .. } = team.into();
    if others.is_empty() {
        return build_part(config, data, first, share);
    }
    let mut shares = in_threads(1 + others.len()).into_iter();
    let trainer = build_part(config, data, first, shares.next())?;
    let others =
        others.into_iter().zip(shares).map(|(executor, share)| build_part(config, data, executor, Some(share)));
    trainer.lead(others.collect::<Result<_>>()?)
}

/// The same on one device, which has a part of every batch or all of it.
fn build_part(config: &Config, data: &Dataset, executor: Box<dyn Executor>, share: Option<Share>) -> Result<Trainer> {
    let (kind, seed, form) = (&config.model.kind, config.training.seed, Form::of(&config.model.kind, data));
    if form.schema.is_table() && config.data.binarise == Binarise::Dynamic {
        return Err(Error::invalid(format!(
            "`binarise` is about pictures, and {} is a table: leave it out",
            data.name
        )));
    }
    if config.model.explains_gaps() {
        check_gaps(config, data)?;
    }
    let balanced = config.training.class_balance.then(|| data.clone().class_balanced()).transpose()?;
    let data = balanced.as_ref().unwrap_or(data);
    let model = build_whole(config, &form)?;
    check_support(config, &*model, data)?;
    let training = &seeded(&config.training);
    let session = Session::new(model, executor, training.seed).with_gaps(form.gaps);
    let binarise = config.data.binarise == Binarise::Dynamic;
    let few = config.data.labels.map(|labels| labelled_part(data, labels, seed)).transpose()?;
    let part = kind.is_semi_supervised().then(|| few.as_ref().unwrap_or(data));
    let beta = config.model.beta;
    match share {
        None => Trainer::semi_supervised(session, data, part, training, beta, binarise),
        Some(share) => Trainer::shared(session, (data, part), training, (beta, binarise), share),
    }
}

/// Says so if data has no gaps that a mechanism could be learnt from, or the likelihood no draws.
///
/// # Errors
/// If it has none in a column of numbers, consists of pictures, or gradients do not flow through what is drawn.
fn check_gaps(config: &Config, data: &Dataset) -> Result<()> {
    let mechanism = &config.model.missing_mechanism;
    let refused =
        |why: &str| Err(Error::invalid(format!("`missing-mechanism` is {mechanism}, and {}: {why}", data.name)));
    if !data.schema.is_table() && data.shape().is_picture() {
        return refused("it is about columns of numbers, and these rows are pictures: leave it out");
    }
    let likelihood = &config.model.likelihood;
    if !build(LIKELIHOODS, likelihood)?.draws_are_differentiable() {
        return refused(&format!(
            "it is learnt from draws of what is missing, and no gradient flows through those of the likelihood `{likelihood}`: choose one \
             such as gaussian-learned"
        ));
    }
    let columns = MissingModel::columns(&data.schema);
    let has_gap = |row: usize| {
        let values = data.row(row);
        columns.iter().any(|&column| values[column].is_nan())
    };
    if data.observed.is_none() || !(0..data.rows).any(has_gap) {
        return refused("no number is missing in the training rows, from which it is to be learnt: leave it out");
    }
    Ok(())
}

/// Says so if data that a model is to learn or to be measured on holds what its likelihood gives no probability.
///
/// # Errors
/// If it does.
pub(super) fn check_support(config: &Config, model: &dyn Model, data: &Dataset) -> Result<()> {
    // What decodes nothing gives rows no probability at all.
    if model.can().decode.is_some() { check_values(config, data) } else { Ok(()) }
}

/// Says so if data holds what the likelihood gives no probability.
fn check_values(config: &Config, data: &Dataset) -> Result<()> {
    let likelihood = &config.model_of_rows().likelihood;
    let support = match build(LIKELIHOODS, likelihood)?.support() {
        // What is learnt is drawn anew from the greys, and black or white are levels of any number of them.
        Support::Levels(_) if config.data.binarise == Binarise::Dynamic => Support::Binary,
        support => support,
    };
    if data.schema.channels().is_some() {
        return match support {
            Support::Real | Support::Fields | Support::Loss => Ok(()),
            _ => Err(Error::invalid(format!(
                "the channels of {} are scaled to mean 0 and deviation 1 (`standardise`), and the likelihood {likelihood} is for {}: \
                 choose one of any values, such as gaussian, or leave `standardise` out",
                data.name,
                wanted(support)
            ))),
        };
    }
    // Packed pixels are k/255 or 0 and 1: only some numbers of levels can miss them.
    let levels = matches!(support, Support::Levels(_));
    if !levels && data.values.kind() != PackingKind::Floats {
        return Ok(());
    }
    if let Values::Stored(stored) = &data.values {
        let (low, high) = stored.range();
        if !levels && fits(support, low) && fits(support, high) {
            return Ok(());
        }
    }
    let wrong = (0..data.rows).find_map(|row| {
        let values = data.row(row);
        values
            .iter()
            .position(|&value| !value.is_nan() && !fits(support, value))
            .map(|column| (row, column, values[column]))
    });
    let Some((row, column, value)) = wrong else { return Ok(()) };
    let advice = match levels.then(|| levels_of(data)) {
        None => "choose another likelihood, such as gaussian, or scale the data".to_string(),
        Some(None) => {
            "its values are not evenly spaced from 0 to 1, so choose a likelihood for any values, such as gaussian"
                .into()
        }
        Some(Some(n)) => {
            format!("its values are among {n} levels, so give {}", likelihood.clone().with("levels", n as f64))
        }
    };
    Err(Error::invalid(format!(
        "the data {} holds {value} in {}, column {}, and the likelihood {likelihood} is for {}: {advice}",
        data.name,
        data.place(row),
        data.schema.column(column),
        wanted(support)
    )))
}

/// Whether a likelihood of this support gives a value a probability.
fn fits(support: Support, value: f32) -> bool {
    match support {
        Support::Real | Support::Fields | Support::Loss => true,
        Support::Unit | Support::Binary => (0.0..=1.0).contains(&value),
        Support::Levels(n) => {
            let level = value * (n - 1) as f32;
            (0.0..=1.0).contains(&value) && (level - level.round()).abs() < 1e-3
        }
    }
}

/// The smallest number of levels that all values of a data set are among, if there is one that is not too many.
fn levels_of(data: &Dataset) -> Option<usize> {
    const MOST: usize = 1024;
    let mut distinct = HashSet::new();
    for row in 0..data.rows {
        distinct.extend(data.row(row).iter().filter(|value| !value.is_nan()).map(|value| value.to_bits()));
        if distinct.len() > MOST {
            return None;
        }
    }
    (2..=MOST).find(|&n| distinct.iter().all(|&bits| fits(Support::Levels(n), f32::from_bits(bits))))
}

fn wanted(support: Support) -> String {
    match support {
        Support::Real | Support::Fields | Support::Loss => "any values".to_string(),
        Support::Unit | Support::Binary => "values from 0 to 1".to_string(),
        Support::Levels(2) => "the values 0 and 1".to_string(),
        Support::Levels(n) => format!("the {n} values 0, 1/{}, ..., 1", n - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Preset;
    use crate::data::Shape;

    fn checked(likelihood: &str, values: Values, binarise: Binarise) -> String {
        let mut config = Preset::Classic.config();
        config.model.likelihood = likelihood.parse().unwrap();
        config.data.binarise = binarise;
        let data = Dataset::new("some", values, Shape::vector(4)).unwrap();
        check_values(&config, &data).map_or_else(|error| error.to_string(), |()| "fits".to_string())
    }

    #[test]
    fn data_is_among_the_levels_or_refused_with_those_it_is_among() {
        let greys = || Values::Bytes(vec![0, 255, 51, 7, 255, 0, 0, 102]);
        let black_and_white = || Values::Bytes(vec![0, 255, 0, 255]);
        let floats = || Values::Floats(vec![0.1, 0.314_159_3, 0.271_828_2, 0.577_215_7]);
        for (likelihood, values, expected) in [
            ("categorical", greys(), "fits"),
            ("discretized-logistic", greys(), "fits"),
            (
                "categorical:levels=10",
                greys(),
                "holds 0.2 in row 0, column 2, and the likelihood categorical:levels=10 is for \
                the 10 values 0, 1/9, ..., 1: its values are among 256 levels, so give categorical:levels=256",
            ),
            ("beta-binomial:levels=512", greys(), "among 256 levels, so give beta-binomial:levels=256"),
            ("beta-binomial:levels=2", greys(), "is for the values 0 and 1: its values are among 256 levels"),
            ("categorical:levels=7", Values::Bytes(vec![0, 255, 51, 204]), "so give categorical:levels=6"),
            ("discretized-logistic-mixture:components=3,levels=4", greys(), ":components=3,levels=256"),
            ("categorical", black_and_white(), "fits"),
            ("categorical:levels=2", black_and_white(), "fits"),
            ("categorical:levels=77", black_and_white(), "fits"),
            ("categorical:levels=5", Values::Floats(vec![0.0, 0.25, 0.5, 1.0]), "fits"),
            (
                "categorical",
                floats(),
                "its values are not evenly spaced from 0 to 1, so choose a likelihood for any values",
            ),
            ("categorical", Values::Floats(vec![-0.5, 0.0, 1.0, 2.0]), "holds -0.5 in row 0, column 0"),
            ("continuous-bernoulli", floats(), "fits"),
            ("continuous-bernoulli", Values::Floats(vec![0.0, 1.5, 0.0, 0.0]), "is for values from 0 to 1"),
            ("student-t", Values::Floats(vec![-1e3, 1.5, 0.0, 0.0]), "fits"),
        ] {
            let said = checked(likelihood, values, Binarise::Never);
            assert!(said.contains(expected), "{likelihood}: {said}");
        }
    }

    #[test]
    fn what_is_binarised_is_among_any_levels() {
        let greys = || Values::Bytes(vec![0, 255, 51, 7]);
        assert_eq!(checked("categorical:levels=2", greys(), Binarise::Dynamic), "fits");
        assert!(checked("categorical:levels=2", greys(), Binarise::Never).contains("holds 0.2"));
    }
}
