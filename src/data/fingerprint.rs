//! What data a run has learnt from, in a line: so that going on with other data is noticed.
//!
//! A hash (SHA-256) of the rows as they are kept in memory, with their labels, conditions and weights, training and validation rows by themselves:
//! it does not matter where the data lies, when it was written, or how it is packed. Of more than 256 MiB every n-th row counts.

use std::fmt;

use sha2::{Digest, Sha256};

use super::dataset::Dataset;
use super::splits::Splits;

/// Bytes of which all are hashed; of more, some rows are.
const MOST: usize = 256 << 20;

/// What data a run has learnt from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    rows: usize,
    every: usize,
    hash: String,
}

impl Fingerprint {
    /// That of training and validation rows.
    pub fn of(splits: &Splits) -> Fingerprint {
        let parts = || [Some(&splits.train), splits.validation.as_ref()].into_iter().flatten();
        let bytes: usize = parts().map(|data| data.values.byte_len()).sum();
        Fingerprint::sampled(parts(), bytes.div_ceil(MOST).max(1))
    }

    fn sampled<'a>(parts: impl Iterator<Item = &'a Dataset>, every: usize) -> Fingerprint {
        let (mut hash, mut rows) = (Sha256::new(), 0);
        for data in parts {
            rows += data.rows;
            hash.update(format!("{} {}\n", data.rows, data.shape()));
            let features = data.shape().features();
            for i in (0..data.rows).step_by(every) {
                hash.update(data.values.row_bytes(i, features));
                if let Some(observed) = &data.observed {
                    hash.update(observed.row_bytes(i, features));
                }
                data.condition(i).iter().for_each(|value| hash.update(value.to_bits().to_le_bytes()));
                if let Some(weights) = &data.weights {
                    hash.update(weights.of(i).to_bits().to_le_bytes());
                }
                if let Some(labels) = &data.labels {
                    hash.update(labels.values[i].to_le_bytes());
                }
            }
        }
        let hash = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Fingerprint { rows, every, hash }
    }
}

/// As a checkpoint keeps it.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.every {
            1 => write!(f, "{} rows, sha256 {} of all of them", self.rows, self.hash),
            n => write!(f, "{} rows, sha256 {} of one in {n}", self.rows, self.hash),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::origin::Origin;
    use super::super::{Labels, Shape, Values};
    use super::*;

    fn splits(values: Vec<f32>) -> Splits {
        let train = Dataset::new("a", Values::Floats(values), Shape::vector(2)).unwrap();
        Splits { train, validation: None, test: None, origin: Origin::default() }
    }

    #[test]
    fn it_is_of_what_is_learnt_and_of_nothing_else() {
        let values = || (0..40).map(|i| f32::from(i as u8 % 2)).collect::<Vec<f32>>();
        let own = Fingerprint::of(&splits(values()));
        assert!(own.to_string().starts_with("20 rows, sha256 ") && own.to_string().ends_with(" of all of them"));
        let mut renamed = splits(values());
        renamed.train.name = "b".into();
        assert_eq!(Fingerprint::of(&renamed), own);
        let mut other = values();
        other[39] = 0.5;
        assert_ne!(Fingerprint::of(&splits(other)), own);
        let mut labelled = splits(values());
        let names = vec!["a".into()];
        labelled.train.labels = Some(Labels { values: vec![0; 20], classes: 1, names });
        assert_ne!(Fingerprint::of(&labelled), own);
        let mut weighed = splits(values());
        weighed.train = weighed.train.weighted(&(1..=20).map(f64::from).collect::<Vec<_>>()).unwrap();
        assert_ne!(Fingerprint::of(&weighed), own);
    }

    #[test]
    fn of_much_data_some_rows_count() {
        let own = splits((0..40).map(|i| i as f32).collect());
        let some = |splits: &Splits| Fingerprint::sampled([&splits.train].into_iter(), 4);
        assert!(some(&own).to_string().ends_with("of one in 4"));
        let mut values: Vec<f32> = (0..40).map(|i| i as f32).collect();
        values[8] = 0.5;
        assert_ne!(some(&splits(values.clone())), some(&own), "row 4 counts");
        (values[8], values[10]) = (8.0, 0.5);
        assert_eq!(some(&splits(values)), some(&own), "row 5 does not");
    }
}
