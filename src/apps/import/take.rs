//! Tensors of a file as those of a model, by a map.

use std::collections::BTreeSet;

use super::foreign::Foreign;
use super::map::{Made, Map};
use crate::apps::torch::Arranged;
use crate::error::{Error, Result};
use crate::training::checkpoint::NamedTensor;

/// A tensor of a model.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its name in a run.
    pub name: String,
    /// Its shape there.
    pub shape: Vec<usize>,
    /// How it lies in PyTorch, of networks that PyTorch has.
    pub arranged: Option<Arranged>,
}

impl Wanted {
    /// The name that maps give it.
    pub fn mapped(&self) -> &str {
        self.arranged.as_ref().map_or(&self.name, |arranged| &arranged.theirs)
    }

    /// The shape that is expected of it in a file.
    pub fn shape(&self) -> &[usize] {
        self.arranged.as_ref().map_or(&self.shape, |arranged| &arranged.shape)
    }
}

/// What was taken.
#[derive(Debug)]
pub struct Taken {
    /// Tensors as a run has them.
    pub tensors: Vec<NamedTensor>,
    /// Tensors of the model that stay as they start.
    pub started: Vec<String>,
    /// Tensors of the file that nothing was made of.
    pub left_over: Vec<String>,
    /// Tensors of the file that were read transposed.
    pub transposed: Vec<String>,
}

/// Tensors of a file as those of a model.
///
/// # Errors
/// If the map names what is not there, leaves out what the model has, or shapes do not fit.
pub fn take(wanted: &[Wanted], foreign: &[Foreign], map: &Map) -> Result<Taken> {
    let known: Vec<&str> = wanted.iter().map(Wanted::mapped).collect();
    if let Some((name, _)) = map.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        return Err(Error::invalid(format!(
            "the map names {name}, which the model does not have: it has {}",
            known.join(", ")
        )));
    }
    let made_of = |wanted: &Wanted| map.iter().find(|(name, _)| name == wanted.mapped()).map(|(_, made)| made);
    let missing: Vec<&str> = wanted.iter().filter(|one| made_of(one).is_none()).map(Wanted::mapped).collect();
    if !missing.is_empty() {
        return Err(Error::invalid(format!(
            "the map says nothing of {}: name a tensor of the file for each, or false to let it stay as it starts",
            missing.join(", ")
        )));
    }
    let mut taken = Taken { tensors: vec![], started: vec![], left_over: vec![], transposed: vec![] };
    let mut used = BTreeSet::new();
    for one in wanted {
        let Some(Made::Of(names)) = made_of(one) else {
            taken.started.push(one.mapped().to_string());
            continue;
        };
        let mut numbers = vec![];
        for name in names {
            let found = foreign.iter().find(|tensor| tensor.name == *name).ok_or_else(|| {
                let all: Vec<&str> = foreign.iter().map(|tensor| tensor.name.as_str()).collect();
                Error::invalid(format!(
                    "the file has no tensor {name}, of which {} is to be made: it has {}",
                    one.mapped(),
                    all.join(", ")
                ))
            })?;
            used.insert(name.as_str());
            let (part, is_transposed) = part(one, found, names.len())?;
            numbers.extend(part);
            taken.transposed.extend(is_transposed.then(|| name.clone()));
        }
        let count: usize = one.shape.iter().product();
        if numbers.len() != count {
            return Err(misfit(one, &format!("{} hold {} numbers together", names.join(" and "), numbers.len())));
        }
        let numbers = match &one.arranged {
            Some(arranged) => arranged.back(&numbers),
            None => numbers,
        };
        taken.tensors.push((one.name.clone(), one.shape.clone(), numbers));
    }
    let left = foreign.iter().filter(|tensor| !used.contains(tensor.name.as_str()));
    taken.left_over = left.map(|tensor| tensor.name.clone()).collect();
    Ok(taken)
}

/// The numbers of a tensor, which is all of what is wanted or one of so many parts; and whether it was transposed.
fn part(wanted: &Wanted, found: &Foreign, parts: usize) -> Result<(Vec<f32>, bool)> {
    let Some(numbers) = &found.numbers else {
        return Err(misfit(wanted, &format!("{} holds no floats", found.name)));
    };
    if let Some(bad) = numbers.iter().find(|number| !number.is_finite()) {
        return Err(misfit(wanted, &format!("{} holds {bad}", found.name)));
    }
    if fits(&found.shape, wanted.shape(), parts > 1) {
        return Ok((numbers.clone(), false));
    }
    if let [rows, columns] = found.shape[..]
        && fits(&[columns, rows], wanted.shape(), parts > 1)
    {
        let turned = (0..columns).flat_map(|column| (0..rows).map(move |row| numbers[row * columns + column]));
        return Ok((turned.collect(), true));
    }
    Err(misfit(wanted, &format!("{} has the shape {:?}", found.name, found.shape)))
}

/// Whether a shape is the one that is expected, but for sizes of 1, of which programs have more or fewer; or a part of it along the first axis.
pub fn fits(shape: &[usize], expected: &[usize], is_part: bool) -> bool {
    let without_ones = |shape: &[usize]| shape.iter().copied().filter(|&size| size != 1).collect::<Vec<usize>>();
    let is_part = is_part && shape.len() == expected.len() && shape.get(1..) == expected.get(1..);
    is_part || without_ones(shape) == without_ones(expected)
}

fn misfit(wanted: &Wanted, found: &str) -> Error {
    Error::invalid(format!("{} has the shape {:?}, and {found}", wanted.mapped(), wanted.shape()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Vec<Wanted> {
        let one = |name: &str, shape: &[usize]| Wanted { name: name.into(), shape: shape.to_vec(), arranged: None };
        vec![one("w", &[4, 3]), one("b", &[4])]
    }

    fn foreign() -> Vec<Foreign> {
        let one = |name: &str, shape: &[usize]| Foreign {
            name: name.into(),
            shape: shape.to_vec(),
            numbers: Some((0..shape.iter().product::<usize>()).map(|n| n as f32).collect()),
        };
        let counted = Foreign { numbers: None, ..one("counted", &[1]) };
        vec![one("top", &[2, 3]), one("turned", &[3, 4]), one("bias", &[4, 1]), one("long", &[5]), counted]
    }

    fn of(map: &[(&str, &[&str])]) -> Result<Taken> {
        let made = |names: &[&str]| match names {
            [] => Made::Start,
            names => Made::Of(names.iter().map(ToString::to_string).collect()),
        };
        let map: Map = map.iter().map(|(name, names)| (name.to_string(), made(names))).collect();
        take(&wanted(), &foreign(), &map)
    }

    #[test]
    fn tensors_are_joined_and_transposed() {
        let taken = of(&[("w", &["top", "top"]), ("b", &["bias"])]).unwrap();
        assert_eq!(taken.tensors[0].2, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(taken.tensors[1].2, [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(taken.left_over, ["turned", "long", "counted"]);
        let taken = of(&[("w", &["turned"]), ("b", &[])]).unwrap();
        // Of rows 0 1 2 3, 4 5 6 7 and 8 9 10 11.
        assert_eq!(taken.tensors[0].2[..6], [0.0, 4.0, 8.0, 1.0, 5.0, 9.0]);
        assert_eq!((taken.transposed, taken.started), (vec!["turned".to_string()], vec!["b".to_string()]));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (map, words) in [
            (&[("w", &["top"][..])][..], &["nothing of b"][..]),
            (&[("w", &["top"]), ("b", &["bias"])], &["w has the shape [4, 3]", "top", "[2, 3]"]),
            (&[("w", &["turned"]), ("b", &["long"])], &["b has the shape [4]", "long", "[5]"]),
            (&[("w", &["gone"]), ("b", &["bias"])], &["no tensor gone", "turned"]),
            (&[("w", &["turned"]), ("b", &["counted"])], &["counted holds no floats"]),
            (&[("w", &["turned"]), ("b", &["bias"]), ("c", &["bias"])], &["names c"]),
        ] {
            let said = of(map).unwrap_err().to_string();
            words.iter().for_each(|word| assert!(said.contains(word), "{map:?}: {said}"));
        }
    }
}
