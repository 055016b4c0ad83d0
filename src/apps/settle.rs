//! Rows in memory, and the settings of a training on them, as `elbo train --data` has them for the same rows in a file.

use super::setup::{as_given, reading};
use crate::config::{Chosen, Config, Layer, Named};
use crate::data::{Array, Options, Splits};
use crate::error::Result;

/// Rows that are ready for training, with its settings.
#[derive(Debug, Clone)]
pub struct Settled {
    /// All settings.
    pub config: Config,
    /// The rows, as [`Training`](super::Training) takes them.
    pub rows: Splits,
    /// The preset that the rows called for, where none was given.
    pub chosen: Option<Chosen>,
    /// What was decided of the rows because nobody had, what is odd about them, and what is not as it was given; a sentence each.
    pub notes: Vec<String>,
}

impl Settled {
    /// The rows of an array and the settings of a training on them: those that are given, over those of the preset that is given, or else of
    /// the one that the rows call for.
    ///
    /// # Errors
    /// If settings make no sense, the array holds no rows, or the model is told what is not known of them.
    pub fn new(array: Array, given: &Layer) -> Result<Settled> {
        let over = |mut config: Config| given.lay_over_and_fit(&mut config, &Named::default()).map(|()| config);
        let mut config = over(given.preset.unwrap_or_default().config())?;
        config.validate()?;
        let mut chosen = None;
        if given.preset.is_none() {
            // Whether columns are scaled follows from the likelihood, which is chosen by the columns: they are, until it is known.
            let first = Options { standardise: config.data.standardise.unwrap_or(true), ..reading(&config) };
            let rows = array.clone().open(&first)?;
            let choice = Chosen::for_rows(&rows, config.data.binarise, config.data.standardise == Some(true));
            config = over(choice.config())?;
            choice.fit_likelihood(&mut config);
            config.validate()?;
            chosen = Some(choice);
        }
        let rows = as_given(&config, array.open(&reading(&config))?)?;
        config.training.fit_batch(rows.train.rows);
        let decided = [&rows.origin.guesses[..], &rows.origin.warnings].concat().into_iter();
        let notes = decided.chain(told(&config, given, chosen.as_ref())).collect();
        Ok(Settled { config, rows, chosen, notes })
    }
}

/// What is said of settings that rows decided.
fn told(config: &Config, given: &Layer, chosen: Option<&Chosen>) -> Vec<String> {
    let (training, asked) = (&config.training, &given.training);
    let mut said = vec![];
    if let Some(Chosen { preset, why, .. }) = chosen {
        said.push(format!("the preset is {}, for {why}; `preset` names another", preset.name()));
        let counts = [("epochs", asked.epochs, training.epochs), ("batch", asked.batch, training.batch)];
        let decided = counts.iter().filter(|(_, asked, _)| asked.is_none());
        said.extend(decided.map(|(name, _, count)| format!("`{name}` is {count}, by how many rows there are")));
    }
    if let Some(batch) = asked.batch.filter(|batch| *batch > training.batch) {
        said.push(format!("`batch` is {}, and not {batch}: there are no more rows", training.batch));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Preset;
    use crate::data::{Labels, Numbers};

    fn settled(given: &[(&str, toml::Value)], sizes: &[usize], number: impl Fn(usize) -> f32) -> Result<Settled> {
        let numbers = (0..sizes.iter().product()).map(number).collect();
        let labels = Labels { values: vec![0; sizes[0]], classes: 1, names: vec!["a".into()] };
        let array = Array { labels: Some(labels), ..Array::new("X", sizes, Numbers::Floats(numbers)) };
        Settled::new(array, &Layer::of_keywords(given.iter().map(|(name, value)| (name.to_string(), value.clone())))?)
    }

    fn text(word: &str) -> toml::Value {
        word.into()
    }

    #[test]
    fn rows_and_what_is_given_decide() {
        // Any numbers become columns with a spread that is learnt; what is given stands.
        let table = settled(&[("latent", 3.into())], &[50, 4], |i| i as f32).unwrap();
        assert_eq!(table.chosen.unwrap().preset, Preset::Table);
        assert_eq!((table.config.model.latent, &*table.config.model.likelihood.id), (3, "gaussian-learned"));
        assert!(table.rows.train.schema.is_table() && table.rows.train.row(0).iter().all(|value| *value < 0.0));
        // Of a likelihood of values from 0 to 1 they are not scaled, and then do not fit it.
        let unscaled = settled(&[("likelihood", text("bernoulli"))], &[50, 4], |i| i as f32).unwrap();
        assert_eq!(unscaled.rows.train.row(0), [0.0, 1.0, 2.0, 3.0]);
        // A batch is no larger than the rows are many, whoever chose it.
        let batch =
            |given: &[(&str, toml::Value)]| settled(given, &[7, 4], |i| i as f32).unwrap().config.training.batch;
        assert_eq!((batch(&[]), batch(&[("batch", 9.into())]), batch(&[("batch", 5.into())])), (7, 7, 5));
        let vectors = settled(&[], &[50, 4], |i| (i % 10) as f32 / 10.0).unwrap();
        assert_eq!((vectors.chosen.unwrap().preset, vectors.config.training.epochs), (Preset::Vectors, 300));
        // A preset that is named is not chosen over.
        let classic = settled(&[("preset", text("classic"))], &[50, 4], |i| (i % 10) as f32 / 10.0).unwrap();
        assert_eq!((classic.chosen, classic.config.model), (None, Preset::Classic.config().model));
    }

    #[test]
    fn what_was_decided_is_told() {
        let number = |i: usize| i as f32;
        let notes = |given: &[(&str, toml::Value)]| settled(given, &[50, 4], number).unwrap().notes;
        let all = notes(&[]);
        assert!(all[0].contains("scaled to mean 0"), "{all:?}");
        let epochs = settled(&[], &[50, 4], number).unwrap().config.training.epochs;
        let decided = ["the preset is table, for lines of a table; `preset` names another".to_string()];
        let counts =
            [("epochs", epochs), ("batch", 32)].map(|(name, n)| format!("`{name}` is {n}, by how many rows there are"));
        assert_eq!(all[1..], [&decided[..], &counts].concat());
        // What was given was not decided.
        let some = notes(&[("epochs", 3.into()), ("batch", 10.into())]);
        assert_eq!(some, all[..2]);
        assert_eq!(notes(&[("preset", text("table")), ("standardise", true.into())]), all[..1]);
        // But what is not as it was given is told.
        let few = notes(&[("preset", text("table")), ("batch", 64.into())]);
        assert_eq!(few[1..], ["`batch` is 50, and not 64: there are no more rows"]);
    }

    #[test]
    fn a_model_gets_what_goes_with_it() {
        let shape = [50, 6, 6];
        let grey = |given: &[(&str, toml::Value)]| settled(given, &shape, |i| (i % 7) as f32 / 10.0).unwrap();
        assert_eq!(grey(&[("model", text("ae"))]).config.model.likelihood.id, "gaussian");
        assert_eq!(grey(&[("model", text("gan"))]).config.model.likelihood.id, "bernoulli");
        assert_eq!(grey(&[("epochs", 8.into())]).config.training.kl_warmup_epochs, 2);
        let told = grey(&[("model", text("cvae"))]).rows.train;
        assert_eq!(told.conditions.unwrap().width, 1);
        assert_eq!(grey(&[]).rows.train.conditions, None);
        let said = settled(&[("epochs", 0.into())], &shape, |_| 0.5).unwrap_err().to_string();
        assert!(said.contains("`epochs` is 0"), "{said}");
    }
}
