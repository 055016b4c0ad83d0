//! Rows whose labels are used, where those of the rest are not.

use super::dataset::Dataset;
use super::splits::choose;
use crate::error::{Error, Result};

/// `count` rows of a data set, as many of each class as can be (the first classes one more, where that does not come out
/// even), chosen by the seed alone; the rows keep their order.
///
/// # Errors
/// If the data has no labels, fewer than `count` rows, too few of a class, or if a class would have none.
pub fn labelled_part(data: &Dataset, count: usize, seed: u64) -> Result<Dataset> {
    let name = &data.name;
    let Some(labels) = &data.labels else {
        return Err(Error::invalid(format!(
            "{count} labels are wanted, and the data {name} comes with none: give data that has them, such as an MNIST \
             folder or the built-in sprites"
        )));
    };
    if count > data.rows {
        return Err(Error::invalid(format!(
            "`labels` is {count}, and the training data {name} has {} rows: give at most that many",
            data.rows
        )));
    }
    let classes = labels.classes;
    if count < classes {
        return Err(Error::invalid(format!(
            "`labels` is {count}, and the data {name} has {classes} classes: give at least one label for each"
        )));
    }
    let mut left: Vec<usize> =
        (0..classes).map(|class| count / classes + usize::from(class < count % classes)).collect();
    let mut chosen = Vec::with_capacity(count);
    for row in choose(data.rows, data.rows, seed, *b"labels\0\0") {
        let left = &mut left[labels.values[row] as usize];
        if *left > 0 {
            *left -= 1;
            chosen.push(row);
        }
    }
    if let Some(class) = left.iter().position(|&left| left > 0) {
        let wanted = count / classes + usize::from(class < count % classes);
        return Err(Error::invalid(format!(
            "`labels` is {count}, which takes {wanted} rows of the class {}, and the training data {name} has {}: give fewer",
            labels.names[class],
            wanted - left[class]
        )));
    }
    chosen.sort_unstable();
    Ok(data.subset(&chosen))
}

#[cfg(test)]
mod tests {
    use super::super::{Labels, Shape, Values};
    use super::*;

    /// Row i holds i, and is of class i mod 4, of which the last has only every third.
    fn data(rows: usize) -> Dataset {
        let values = (0..rows).map(|row| row as f32).collect();
        let mut data = Dataset::new("some", Values::Floats(values), Shape::vector(1)).unwrap();
        let class = |row: usize| if row % 12 == 7 || row % 12 == 11 { 0 } else { row as u32 % 4 };
        let names = ["a", "b", "c", "d"].map(String::from).to_vec();
        data.labels = Some(Labels { values: (0..rows).map(class).collect(), classes: 4, names });
        data
    }

    #[test]
    fn labels_are_balanced_and_the_seed_decides() {
        let all = data(1200);
        let part = labelled_part(&all, 42, 7).unwrap();
        let labels = &part.labels.as_ref().unwrap().values;
        let of = |class: u32| labels.iter().filter(|&&label| label == class).count();
        assert_eq!([of(0), of(1), of(2), of(3)], [11, 11, 10, 10]);
        // As dealt by chance they would hardly ever be.
        let first = &all.labels.as_ref().unwrap().values[..42];
        assert_ne!(first.iter().filter(|&&label| label == 3).count(), 10);
        assert_eq!(part, labelled_part(&all, 42, 7).unwrap());
        assert_ne!(part, labelled_part(&all, 42, 8).unwrap());
        let rows: Vec<f32> = (0..42).map(|row| part.row(row)[0]).collect();
        assert!(rows.is_sorted() && rows.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn too_many_and_too_few_are_refused() {
        let message = |count| labelled_part(&data(120), count, 0).unwrap_err().to_string();
        assert!(message(121).contains("has 120 rows"), "{}", message(121));
        assert!(message(3).contains("has 4 classes"), "{}", message(3));
        assert!(message(44).contains("11 rows of the class d") && message(44).contains("has 10"), "{}", message(44));
        assert!(labelled_part(&data(120), 40, 0).is_ok());
        let plain = Dataset { labels: None, ..data(120) };
        assert!(labelled_part(&plain, 40, 0).unwrap_err().to_string().contains("comes with none"));
    }
}
