//! Codes that say nothing, noticed while a run trains.
//!
//! A latent dimension d carries nothing where E_x[KL(q(z_d | x) ‖ p(z_d))] < 0.01 nats: its posterior is the prior whatever the row is, so
//! that the decoder learns nothing from it. Where that goes for all of them the posterior has collapsed (Bowman et al. 2016; Lucas et al.
//! 2019).

use crate::config::Config;
use crate::training::metrics::{EpochRecord, Split};

/// A KL of fewer nats carries nothing.
const NOTHING: f64 = 0.01;
/// Epochs that must show the same one after the other: codes may be silent for a while at the start.
const EPOCHS: u64 = 3;

/// What carries nothing in an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Silent {
    All,
    /// Layers of codes, from 1, the first next to the data.
    Layers(Vec<usize>),
    /// Dimensions, of so many.
    Some(usize, usize),
}

/// Notices codes that carry nothing. Each kind is told once.
#[derive(Debug, Default)]
pub(super) struct CollapseWatch {
    /// For how many epochs nothing at all, some layers, and some dimensions were silent, and whether that has been told.
    seen: [u64; 3],
    told: [bool; 3],
}

impl CollapseWatch {
    /// Looks at an epoch of a model whose loss has a KL; says what it has noticed. The weight of the KL may still be growing: then
    /// nothing is noticed.
    pub(super) fn note(&mut self, config: &Config, records: &[EpochRecord]) -> Option<String> {
        let (train, of) = (records.first()?, records.last()?);
        let grows = train.beta.is_some_and(|weight| weight < config.model.beta);
        let found = if grows { None } else { silent(of) };
        let kind = found.as_ref().map(|found| match found {
            Silent::All => 0,
            Silent::Layers(_) => 1,
            Silent::Some(..) => 2,
        });
        for (place, seen) in self.seen.iter_mut().enumerate() {
            *seen = if kind == Some(place) { *seen + 1 } else { 0 };
        }
        let place = kind.filter(|&kind| !self.told[kind] && self.seen[kind] >= EPOCHS)?;
        self.told[place] = true;
        Some(sentence(&found?, config, of))
    }
}

/// What carries nothing in the rows of a record.
fn silent(record: &EpochRecord) -> Option<Silent> {
    let dimensions = &record.kl_per_dimension;
    if record.split == Split::Train || dimensions.is_empty() {
        // Only the sum is known, of posteriors that moved meanwhile.
        return (record.kl < NOTHING).then_some(Silent::All);
    }
    let count = dimensions.iter().filter(|kl| **kl < NOTHING).count();
    let layers: Vec<usize> = (1..)
        .map_while(|layer| Some((layer, *record.parts.get(&format!("kl_layer_{layer}"))?)))
        .filter(|(_, kl)| *kl < NOTHING)
        .map(|(layer, _)| layer)
        .collect();
    match count {
        _ if count == dimensions.len() => Some(Silent::All),
        _ if !layers.is_empty() => Some(Silent::Layers(layers)),
        0 => None,
        _ => Some(Silent::Some(count, dimensions.len())),
    }
}

fn sentence(silent: &Silent, config: &Config, record: &EpochRecord) -> String {
    let [beta, warm_up, free_bits] = [
        "a smaller `beta`",
        "`kl-warmup-epochs`",
        "the `objective` free-bits:lambda=0.1, which leaves each dimension 0.1 nats",
    ];
    let helps = match (config.model.beta > 1.0, config.training.kl_warmup_epochs == 0) {
        (true, true) => [beta, warm_up, free_bits].join(", or "),
        (true, false) => [beta, "a larger `kl-warmup-epochs`", free_bits].join(", or "),
        (false, true) => [warm_up, free_bits].join(", or "),
        (false, false) => ["a larger `kl-warmup-epochs`", free_bits].join(", or "),
    };
    match silent {
        Silent::All => format!(
            "The codes say nothing any more (posterior collapse): the KL is {:.3} nats, and what is decoded is the same whatever the row. \
             What may help: {helps}",
            record.kl
        ),
        Silent::Layers(layers) => {
            let names: Vec<String> = layers.iter().map(|layer| format!("z{layer}")).collect();
            format!(
                "Layers of codes that say nothing (less than {NOTHING} nats): {}. What may help: {helps}; or fewer `upper` layers",
                names.join(", ")
            )
        }
        Silent::Some(count, all) => format!(
            "{count} of the {all} latent dimensions say nothing (less than {NOTHING} nats each). The model does without them: a smaller \
             `latent` does as well. Where they are wanted: {helps}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of epochs with such a KL per dimension of held-out rows, the weight of the KL being these.
    fn told(epochs: &[(&[f64], f64)]) -> Vec<(usize, String)> {
        let (mut watch, mut config) = (CollapseWatch::default(), Config::default());
        config.model.beta = 4.0;
        let record = |split, kl: &[f64], beta| EpochRecord {
            kl_per_dimension: if split == Split::Train { vec![] } else { kl.to_vec() },
            beta: Some(beta),
            ..EpochRecord::new(1, split, 1.0, 1.0, kl.iter().sum())
        };
        let note = |(i, &(kl, beta)): (usize, &(&[f64], f64))| {
            let records = [record(Split::Train, kl, beta), record(Split::Test, kl, 4.0)];
            Some((i + 1, watch.note(&config, &records)?))
        };
        epochs.iter().enumerate().filter_map(note).collect()
    }

    #[test]
    fn collapse_is_told_once_and_not_while_the_weight_grows() {
        let (dead, some, alive): (&[f64], &[f64], &[f64]) = (&[0.001, -0.002], &[3.0, 0.009], &[3.0, 0.011]);
        assert!(told(&[(alive, 4.0); 20]).is_empty(), "all speak");
        assert!(told(&[(dead, 3.9); 20]).is_empty(), "the weight grows");
        let said = told(&[(dead, 4.0); 20]);
        assert!(
            matches!(&said[..], [(3, said)] if said.contains("posterior collapse") && said.contains("a smaller `beta`"))
        );
        let said = told(&[(some, 4.0); 20]);
        assert!(matches!(&said[..], [(3, said)] if said.contains("1 of the 2 latent dimensions")), "{said:?}");
        assert!(told(&[(dead, 4.0), (dead, 4.0), (alive, 4.0)].repeat(5)).is_empty(), "it speaks again");
        let both = [[(some, 4.0); 4], [(dead, 4.0); 4]].concat();
        assert_eq!(told(&both).iter().map(|(epoch, _)| *epoch).collect::<Vec<_>>(), [3, 7]);
    }

    #[test]
    fn layers_and_sums_are_known_by_their_names() {
        let mut record = EpochRecord::new(1, Split::Validation, 1.0, 1.0, 3.0);
        record.kl_per_dimension = vec![1.0, 2.0, 0.001];
        record.parts = [("kl_layer_1", 3.0), ("kl_layer_2", 0.001)].map(|(name, kl)| (name.to_string(), kl)).into();
        assert_eq!(silent(&record), Some(Silent::Layers(vec![2])));
        record.parts.clear();
        assert_eq!(silent(&record), Some(Silent::Some(1, 3)));
        let training = |kl| silent(&EpochRecord::new(1, Split::Train, 1.0, 1.0, kl));
        assert_eq!([training(0.009), training(0.011)], [Some(Silent::All), None]);
    }
}
