//! What can be said of data before anything is trained on it.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Serialize;

use crate::data::{ColumnGuess, Dataset, Skipped, Split, Splits};

/// Of two classes, one may have so many times the rows of the other before that is odd.
const UNEVEN: usize = 10;

/// What data is, how it was read, and what is odd about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DataSummary {
    /// What people call it.
    pub name: String,
    /// The format, as it was recognised.
    pub format: String,
    /// Rows of pixels, pixels in a row, values per pixel.
    pub shape: [usize; 3],
    /// How a value is stored.
    pub storage: String,
    /// Bytes that all rows take.
    pub bytes: usize,
    /// Training rows and those that are held out.
    pub parts: Vec<PartSummary>,
    /// The names of the classes; empty where there are none.
    pub classes: Vec<String>,
    /// The known factors; empty where there are none.
    pub factors: Vec<FactorSummary>,
    /// What the columns of a table were taken for.
    pub columns: Vec<ColumnGuess>,
    /// The share of values that are there, of those that a model sees in training rows; 1 where none is missing.
    pub observed: f64,
    /// What was decided because nobody had, and how to decide otherwise.
    pub guesses: Vec<String>,
    /// What was left out.
    pub skipped: Vec<Skipped>,
    /// What is probably not as it was meant.
    pub warnings: Vec<String>,
}

/// One part of the data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartSummary {
    /// Which one.
    pub part: Split,
    /// How many rows it has.
    pub rows: usize,
    /// How many of them are of each class, `[classes]`; `None` where its classes are not known.
    pub of_class: Option<Vec<usize>>,
}

/// A factor that rows were made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FactorSummary {
    /// What people call it.
    pub name: String,
    /// How many values it takes.
    pub values: usize,
}

impl DataSummary {
    /// Looks at all rows.
    pub fn of(splits: &Splits) -> DataSummary {
        let (train, shape) = (&splits.train, splits.train.shape());
        let parts = parts(splits);
        let labels = parts.iter().find_map(|(_, data)| data.labels.as_ref());
        let classes = labels.map_or(vec![], |labels| labels.names.clone());
        let counted: Vec<PartSummary> = parts.iter().map(|&(part, data)| PartSummary::of(part, data)).collect();
        let mut warnings = splits.origin.warnings.clone();
        warnings.extend(uneven(&classes, &counted));
        warnings.extend(repeated(&parts));
        let factors = train.factors.iter().flat_map(|factors| factors.names.iter().zip(&factors.sizes));
        DataSummary {
            name: train.name.clone(),
            format: splits.origin.format.clone(),
            shape: [shape.height, shape.width, shape.channels],
            storage: train.storage().to_owned(),
            bytes: parts.iter().map(|(_, data)| data.values.byte_len()).sum(),
            parts: counted,
            classes,
            factors: factors.map(|(name, &values)| FactorSummary { name: name.clone(), values }).collect(),
            columns: splits.origin.columns.clone(),
            observed: train.share_observed(),
            guesses: splits.origin.guesses.clone(),
            skipped: splits.origin.skipped.clone(),
            warnings,
        }
    }
}

impl PartSummary {
    fn of(part: Split, data: &Dataset) -> PartSummary {
        let of_class = data.labels.as_ref().map(|labels| {
            let mut counts = vec![0; labels.classes];
            labels.values.iter().for_each(|&class| counts[class as usize] += 1);
            counts
        });
        PartSummary { part, rows: data.rows, of_class }
    }
}

/// The parts that there are.
fn parts(splits: &Splits) -> Vec<(Split, &Dataset)> {
    let held_out = [(Split::Validation, &splits.validation), (Split::Test, &splits.test)];
    let held_out = held_out.into_iter().filter_map(|(part, data)| Some((part, data.as_ref()?)));
    [(Split::Train, &splits.train)].into_iter().chain(held_out).collect()
}

/// Says so if one class has far more training rows than another.
fn uneven(classes: &[String], parts: &[PartSummary]) -> Option<String> {
    let counts = parts.first()?.of_class.as_ref()?;
    let (most, largest) = counts.iter().enumerate().map(|(class, &rows)| (rows, class)).max()?;
    let (fewest, smallest) = counts.iter().enumerate().map(|(class, &rows)| (rows, class)).min()?;
    (most > UNEVEN * fewest).then(|| {
        format!(
            "classes are uneven: {most} training rows of {}, and {fewest} of {}",
            classes[largest], classes[smallest]
        )
    })
}

/// Says so if rows come more than once, within the training rows or in another part as well.
fn repeated(parts: &[(Split, &Dataset)]) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut said = Vec::new();
    for &(part, data) in parts {
        let hashes = hashes(data);
        if part == Split::Train {
            let again = hashes.iter().filter(|&&hash| !seen.insert(hash)).count();
            if again > 0 {
                said.push(format!("{again} of {} training rows are copies of others", data.rows));
            }
        } else {
            let known = hashes.iter().filter(|hash| seen.contains(hash)).count();
            if known > 0 {
                said.push(format!("{known} of {} {part} rows are training rows too", data.rows));
            }
        }
    }
    said
}

fn hashes(data: &Dataset) -> Vec<u64> {
    let mut row = vec![0.0; data.shape().features()];
    let hash = |i: usize| {
        data.copy_row(i, &mut row);
        let mut hasher = DefaultHasher::new();
        row.iter().for_each(|value| value.to_bits().hash(&mut hasher));
        hasher.finish()
    };
    (0..data.rows).map(hash).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Labels, Origin, Shape, Values};

    /// Rows of two bytes each, and their classes.
    fn data(rows: &[u8], classes: &[u32]) -> Dataset {
        let values = rows.iter().flat_map(|&row| [row, 7]).collect();
        let mut data = Dataset::new("some", Values::Bytes(values), Shape::vector(2)).unwrap();
        let names = ["a", "b"].map(String::from).to_vec();
        data.labels = Some(Labels { values: classes.to_vec(), classes: 2, names });
        data
    }

    fn summary(train: Dataset, test: Option<Dataset>) -> DataSummary {
        DataSummary::of(&Splits { train, validation: None, test, origin: Origin::of("numbers") })
    }

    #[test]
    fn classes_are_counted_part_by_part() {
        let found = summary(data(&[1, 2, 3], &[0, 1, 0]), Some(data(&[4], &[1])));
        assert_eq!((found.format.as_str(), found.shape, found.bytes), ("numbers", [1, 2, 1], 8));
        assert_eq!(found.classes, ["a", "b"]);
        let parts: Vec<_> =
            found.parts.iter().map(|part| (part.part, part.rows, part.of_class.clone().unwrap())).collect();
        assert_eq!(parts, [(Split::Train, 3, vec![2, 1]), (Split::Test, 1, vec![0, 1])]);
        assert_eq!(found.warnings, [""; 0]);
    }

    #[test]
    fn copies_are_found() {
        let found = summary(data(&[1, 2, 2, 2], &[0, 1, 0, 1]), Some(data(&[5, 2, 1], &[0, 1, 1])));
        let expected = ["2 of 4 training rows are copies of others", "2 of 3 test rows are training rows too"];
        assert_eq!(found.warnings, expected);
        // Copies within the test rows are none of these.
        assert_eq!(summary(data(&[1, 2], &[0, 1]), Some(data(&[5, 5], &[0, 1]))).warnings, [""; 0]);
    }

    #[test]
    fn classes_of_which_one_is_rare_are_uneven() {
        let rows: Vec<u8> = (0..12).collect();
        let of = |rare: usize| {
            let classes: Vec<u32> = (0..12).map(|row| u32::from(row < rare)).collect();
            summary(data(&rows, &classes), None).warnings.join("")
        };
        assert_eq!(of(1), "classes are uneven: 11 training rows of a, and 1 of b");
        assert_eq!(of(2), "");
        assert!(of(0).contains("12 training rows of a, and 0 of b"));
    }
}
