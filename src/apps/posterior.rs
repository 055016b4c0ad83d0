//! Codes that say nothing, or more than anything can be worth, noticed while a run trains.
//!
//! A latent dimension d carries nothing where E_x[KL(q(z_d | x) ‖ p(z_d))] < 0.01 nats: its posterior is the prior whatever the row is, so
//! that the decoder learns nothing from it. Where that goes for all of them the posterior has collapsed (Bowman et al. 2016; Lucas et al.
//! 2019). And where the KL is a thousand times what the row costs that is decoded, posteriors have moved so far from the prior that what
//! is drawn from it has nothing to do with rows: their spread has blown up, or means have.

use crate::config::Config;
use crate::training::metrics::{EpochRecord, Split};

/// A KL of fewer nats carries nothing.
const NOTHING: f64 = 0.01;
/// A KL of more than so many times the size of the reconstruction, or of a nat, is worth nothing.
const FAR: f64 = 1000.0;
/// Epochs that must show the same one after the other: codes may be silent for a while at the start.
const EPOCHS: u64 = 3;

/// What is wrong with the codes of an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    /// All carry nothing.
    All,
    /// Layers that carry nothing, from 1, the first next to the data.
    Layers(Vec<usize>),
    /// Dimensions that carry nothing, of so many.
    Some(usize, usize),
    /// They are far from the prior.
    Far,
}

/// Notices what is wrong with codes. Each kind is told once.
#[derive(Debug, Default)]
pub(super) struct PosteriorWatch {
    /// For how many epochs each kind was seen, and whether it has been told.
    seen: [u64; 4],
    told: [bool; 4],
}

impl PosteriorWatch {
    /// Looks at an epoch of a model whose loss has a KL; says what it has noticed. The weight of the KL may still be growing: then
    /// nothing is noticed.
    pub(super) fn note(&mut self, config: &Config, records: &[EpochRecord]) -> Option<String> {
        let (train, of) = (records.first()?, records.last()?);
        let grows = train.beta.is_some_and(|weight| weight < config.model.beta);
        let found = if grows { None } else { found(of) };
        let kind = found.as_ref().map(|found| match found {
            Found::All => 0,
            Found::Layers(_) => 1,
            Found::Some(..) => 2,
            Found::Far => 3,
        });
        for (place, seen) in self.seen.iter_mut().enumerate() {
            *seen = if kind == Some(place) { *seen + 1 } else { 0 };
        }
        let place = kind.filter(|&kind| !self.told[kind] && self.seen[kind] >= EPOCHS)?;
        self.told[place] = true;
        Some(sentence(&found?, config, of))
    }
}

/// What is wrong with the codes of a record's rows.
fn found(record: &EpochRecord) -> Option<Found> {
    if record.kl > FAR * record.reconstruction.abs().max(1.0) {
        return Some(Found::Far);
    }
    let dimensions = &record.kl_per_dimension;
    if record.split == Split::Train || dimensions.is_empty() {
        // Only the sum is known, of posteriors that moved meanwhile.
        return (record.kl < NOTHING).then_some(Found::All);
    }
    let count = dimensions.iter().filter(|kl| **kl < NOTHING).count();
    let layers: Vec<usize> = (1..)
        .map_while(|layer| Some((layer, *record.parts.get(&format!("kl_layer_{layer}"))?)))
        .filter(|(_, kl)| *kl < NOTHING)
        .map(|(layer, _)| layer)
        .collect();
    match count {
        _ if count == dimensions.len() => Some(Found::All),
        _ if !layers.is_empty() => Some(Found::Layers(layers)),
        0 => None,
        _ => Some(Found::Some(count, dimensions.len())),
    }
}

fn sentence(found: &Found, config: &Config, record: &EpochRecord) -> String {
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
    match found {
        Found::All => format!(
            "The codes say nothing any more (posterior collapse): the KL is {:.3} nats, and what is decoded is the same whatever the row. \
             What may help: {helps}",
            record.kl
        ),
        Found::Layers(layers) => {
            let names: Vec<String> = layers.iter().map(|layer| format!("z{layer}")).collect();
            format!(
                "Layers of codes that say nothing (less than {NOTHING} nats): {}. What may help: {helps}; or fewer `upper` layers",
                names.join(", ")
            )
        }
        Found::Far => format!(
            "The KL is {:.1e} nats, and to decode a row takes {:.1e}: codes are so far from the prior that what is drawn from it has nothing \
             to do with the rows. What may help: a smaller `learning-rate`, a `clip-norm` of 1, or a larger `beta` than {}",
            record.kl, record.reconstruction, config.model.beta
        ),
        Found::Some(count, all) => format!(
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
        let (mut watch, mut config) = (PosteriorWatch::default(), Config::default());
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
    fn each_is_told_once_and_not_while_the_weight_grows() {
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
        // What is decoded costs 1.
        let (far, near): (&[f64], &[f64]) = (&[990.0, 11.0], &[990.0, 9.0]);
        let said = told(&[(far, 4.0); 20]);
        assert!(matches!(&said[..], [(3, said)] if said.contains("far from the prior")), "{said:?}");
        assert!(told(&[(near, 4.0); 20]).is_empty(), "a thousand times as much");
        let both = [[(some, 4.0); 4], [(dead, 4.0); 4]].concat();
        assert_eq!(told(&both).iter().map(|(epoch, _)| *epoch).collect::<Vec<_>>(), [3, 7]);
    }

    #[test]
    fn layers_and_sums_are_known_by_their_names() {
        let mut record = EpochRecord::new(1, Split::Validation, 1.0, 1.0, 3.0);
        record.kl_per_dimension = vec![1.0, 2.0, 0.001];
        record.parts = [("kl_layer_1", 3.0), ("kl_layer_2", 0.001)].map(|(name, kl)| (name.to_string(), kl)).into();
        assert_eq!(found(&record), Some(Found::Layers(vec![2])));
        record.parts.clear();
        assert_eq!(found(&record), Some(Found::Some(1, 3)));
        let training = |kl| found(&EpochRecord::new(1, Split::Train, 1.0, 1.0, kl));
        assert_eq!([training(0.009), training(0.011)], [Some(Found::All), None]);
    }
}
