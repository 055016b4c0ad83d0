//! A game that one side has won, noticed while a run trains.
//!
//! A discriminator that tells nearly every made row from a real one gives whom it judges little to learn from (Goodfellow et al. 2014, section
//! 3; Arjovsky & Bottou 2017, theorem 2.4). And a generator may fool it by a few rows that it makes again and again (mode collapse: Goodfellow
//! 2016, section 5.1.1): then rows that are drawn lie far closer together than those of the data.

use crate::config::Config;
use crate::training::metrics::EpochRecord;

/// The share of right answers from which a discriminator has won.
const WON: f64 = 0.99;
/// The spread of drawn rows over that of the data's, below which they are alike.
const ALIKE: f64 = 0.2;
/// Epochs that must show the same one after the other: early on either side may be ahead.
const EPOCHS: u64 = 3;

/// The share of right answers of a discriminator, by the name of the statistic.
const ACCURACY: &str = "discriminator_accuracy";

/// Whether a discriminator plays in what a record is of.
pub(super) fn is_played(record: &EpochRecord) -> bool {
    record.parts.contains_key(ACCURACY)
}

/// Notices that a game is over. Either end is told once.
#[derive(Debug, Default)]
pub(super) struct GameWatch {
    /// For how many epochs the discriminator had won, and drawn rows were alike, and whether that has been told.
    seen: [u64; 2],
    told: [bool; 2],
}

impl GameWatch {
    /// Looks at the training rows' record of an epoch, and at the spread of drawn rows over that of the data's, where rows are drawn against a
    /// discriminator; says what it has noticed.
    pub(super) fn note(&mut self, config: &Config, record: &EpochRecord, spread: Option<f64>) -> Option<String> {
        let accuracy = record.parts.get(ACCURACY).copied();
        let is_so = [accuracy.is_some_and(|share| share >= WON), spread.is_some_and(|spread| spread < ALIKE)];
        for (seen, is_so) in self.seen.iter_mut().zip(is_so) {
            *seen = if is_so { *seen + 1 } else { 0 };
        }
        let place = (0..2).find(|&place| self.seen[place] >= EPOCHS && !self.told[place])?;
        self.told[place] = true;
        let found = match place {
            0 => format!(
                "The discriminator tells {:.1} % of real and made rows apart, so that little is learnt from it",
                100.0 * accuracy?
            ),
            _ => format!(
                "Rows that are drawn are nearly alike (mode collapse): they spread {:.1} % as far as those of the data",
                100.0 * spread?
            ),
        };
        Some(format!("{found}. What may help: {}", helps(config)))
    }
}

/// What may help, of the settings that the model has.
fn helps(config: &Config) -> String {
    let kind = &config.model.kind;
    let (settings, has) =
        (kind.settings(), |name: &str| kind.about.settings.iter().any(|setting| setting.name == name));
    let is = |name: &str, value: &str| has(name) && settings.word::<String>(name) == value;
    let all = [
        (has("spectral") && !is("spectral", "yes"), "`spectral=yes`"),
        (has("loss") && !is("loss", "hinge"), "`loss=hinge`"),
        (has("generator-rate"), "a larger `generator-rate`"),
        (has("lambda"), "a larger `lambda`"),
        (true, "a smaller `learning-rate`"),
    ];
    let all: Vec<&str> = all.into_iter().filter(|(is_so, _)| *is_so).map(|(_, what)| what).collect();
    all.join(", or ")
}

/// How far rows `[rows, features]` spread: the mean square of the distance of a row from the next.
pub(super) fn spread(rows: &[f32], features: usize) -> f64 {
    let pairs = rows.chunks_exact(features).zip(rows.chunks_exact(features).skip(1));
    let squares: Vec<f64> = pairs.map(|(a, b)| a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum()).collect();
    squares.iter().sum::<f64>() / squares.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::metrics::Split;

    fn config(kind: &str) -> Config {
        let mut config = Config::default();
        config.model.kind = kind.parse().unwrap();
        config
    }

    /// What is told of epochs with such an accuracy and spread.
    fn told(kind: &str, epochs: &[(f64, f64)]) -> Vec<(usize, String)> {
        let (mut watch, config) = (GameWatch::default(), config(kind));
        let note = |(i, &(accuracy, spread)): (usize, &(f64, f64))| {
            let mut record = EpochRecord::new(1, Split::Train, 1.0, 1.0, 0.0);
            record.parts.insert(ACCURACY.into(), accuracy);
            Some((i + 1, watch.note(&config, &record, Some(spread))?))
        };
        epochs.iter().enumerate().filter_map(note).collect()
    }

    #[test]
    fn either_end_of_a_game_is_told_once() {
        let (open, won, alike) = ((0.98, 0.21), (0.991, 0.5), (0.6, 0.19));
        assert!(told("gan", &[open; 20]).is_empty());
        assert!(told("gan", &[won, won, open, alike, alike, open].repeat(4)).is_empty(), "never three in a row");
        let said = told("gan", &[won; 9]);
        assert!(
            matches!(&said[..], [(3, said)] if said.contains("tells 99.1 % of real and made rows apart")),
            "{said:?}"
        );
        assert!(said[0].1.ends_with(
            "What may help: `spectral=yes`, or `loss=hinge`, or a larger `generator-rate`, or a smaller `learning-rate`"
        ));
        let said = told("gan:loss=hinge,spectral=yes", &[alike; 9]);
        assert!(matches!(&said[..], [(3, said)] if said.contains("they spread 19.0 % as far")), "{said:?}");
        assert!(said[0].1.ends_with("What may help: a larger `generator-rate`, or a smaller `learning-rate`"));
        let both = told("aae", &[(0.995, 0.1); 9]);
        assert_eq!(both.iter().map(|(epoch, _)| *epoch).collect::<Vec<_>>(), [3, 4]);
        assert!(both[0].1.ends_with("a larger `lambda`, or a smaller `learning-rate`"));
    }

    #[test]
    fn models_without_a_discriminator_are_left_alone() {
        let (mut watch, config) = (GameWatch::default(), config("vae"));
        let record = EpochRecord::new(1, Split::Train, 1.0, 1.0, 0.0);
        assert!((0..9).all(|_| watch.note(&config, &record, None).is_none()));
    }

    #[test]
    fn rows_spread_by_the_distance_of_neighbours() {
        // (3, 4) apart, then (0, 1): 25 and 1.
        assert_eq!(spread(&[0.0, 0.0, 3.0, 4.0, 3.0, 5.0], 2), 13.0);
        assert_eq!([spread(&[1.0, 2.0], 2), spread(&[], 2)], [0.0, 0.0]);
    }
}
