//! A map that may be meant: tensors of the same shapes, the most alike in name first.

use std::collections::BTreeSet;

use super::foreign::Foreign;
use super::map::Made;
use super::take::{Wanted, fits};

/// Which tensor of a file each of a model's may be, or which two behind each other; nothing where none is left of that shape.
pub fn suggest(wanted: &[Wanted], foreign: &[Foreign]) -> Vec<(String, Option<Made>)> {
    let mut free: BTreeSet<usize> = (0..foreign.len()).filter(|&place| foreign[place].numbers.is_some()).collect();
    let mut found: Vec<Option<Made>> = vec![None; wanted.len()];
    // Whole tensors: those of several axes first, whose layers the others then follow.
    let mut layers: Vec<(&str, &str)> = vec![];
    for has_axes in [true, false] {
        let mut pairs = vec![];
        for (own, one) in wanted.iter().enumerate().filter(|(_, one)| (one.shape().len() > 1) == has_axes) {
            for &place in free.iter().filter(|&&place| is_whole(one, &foreign[place])) {
                let places = [own as f64 / wanted.len() as f64, place as f64 / foreign.len() as f64];
                pairs.push((likeness([one.mapped(), &foreign[place].name], places, &layers), own, place));
            }
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (_, own, place) in pairs {
            if found[own].is_none() && free.remove(&place) {
                found[own] = Some(Made::Of(vec![foreign[place].name.clone()]));
                layers.push((parts(wanted[own].mapped()).0, parts(&foreign[place].name).0));
            }
        }
    }
    // Halves, such as the layers of means and of log-variances.
    for (one, found) in wanted.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
        let halves: Vec<usize> = free.iter().copied().filter(|&place| is_half(one, &foreign[place])).collect();
        if let [first, second] = ordered(&halves, foreign)[..] {
            free.remove(&first);
            free.remove(&second);
            *found = Some(Made::Of([first, second].map(|place| foreign[place].name.clone()).to_vec()));
        }
    }
    wanted.iter().map(|one| one.mapped().to_string()).zip(found).collect()
}

fn is_whole(wanted: &Wanted, foreign: &Foreign) -> bool {
    fits(&foreign.shape, wanted.shape(), false)
}

fn is_half(wanted: &Wanted, foreign: &Foreign) -> bool {
    let (Some(&whole), Some(&half)) = (wanted.shape().first(), foreign.shape.first()) else { return false };
    whole == 2 * half && fits(&foreign.shape, wanted.shape(), true)
}

/// Means before what is not.
fn ordered(halves: &[usize], foreign: &[Foreign]) -> Vec<usize> {
    let is_of_means =
        |place: &usize| ["mu", "mean"].iter().any(|word| foreign[*place].name.to_lowercase().contains(word));
    let (mut first, second): (Vec<usize>, Vec<usize>) = halves.iter().copied().partition(is_of_means);
    first.extend(second);
    first
}

/// How alike two tensors are that have one shape: by their names, by what they are of their layers (weight or bias), whether these layers belong
/// together already, and how far they stand from the beginning.
fn likeness([own, other]: [&str; 2], [at, place]: [f64; 2], layers: &[(&str, &str)]) -> f64 {
    let ((layer, kind), (others, others_kind)) = (parts(own), parts(other));
    let holds = |what: bool, weight: f64| if what { weight } else { 0.0 };
    holds(own == other, 8.0)
        + holds(layers.contains(&(layer, others)), 4.0)
        + holds(kind == others_kind, 2.0)
        + strsim::normalized_levenshtein(own, other)
        + 0.1 * own.chars().zip(other.chars()).take_while(|(a, b)| a == b).count() as f64
        - 0.5 * (at - place).abs()
}

/// A name's layer, and what it is of that.
fn parts(name: &str) -> (&str, &str) {
    name.rsplit_once('.').unwrap_or(("", name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn biases_go_with_their_weights() {
        let names = ["encoder.2.weight", "encoder.2.bias", "encoder.7.weight", "encoder.7.bias"];
        let shapes: [&[usize]; 4] = [&[6, 4], &[6], &[6, 16], &[6]];
        let wanted: Vec<Wanted> = names
            .iter()
            .zip(shapes)
            .map(|(name, shape)| Wanted { name: name.to_string(), shape: shape.to_vec(), arranged: None })
            .collect();
        let theirs = |names: [&str; 4], shapes: [&[usize]; 4]| -> Vec<Foreign> {
            let one = |(name, shape): (&str, &[usize])| Foreign {
                name: name.into(),
                shape: shape.to_vec(),
                numbers: Some(vec![]),
            };
            names.into_iter().zip(shapes).map(one).collect()
        };
        let of = |foreign: &[Foreign]| -> Vec<String> {
            let made =
                |made: Option<Made>| if let Some(Made::Of(names)) = made { names.concat() } else { String::new() };
            suggest(&wanted, foreign).into_iter().map(|(_, found)| made(found)).collect()
        };
        // The same names are the same, in whatever order they come.
        let [one, two, three, four] = names;
        let turned: [&[usize]; 4] = [&[6], &[6, 4], &[6], &[6, 16]];
        assert_eq!(of(&theirs([two, one, four, three], turned)), names);
        // Of other names, weights decide which layer is which.
        let others = of(&theirs(["a.bias", "a.weight", "b.bias", "b.weight"], [&[6], &[6, 16], &[6], &[6, 4]]));
        assert_eq!(others, ["b.weight", "b.bias", "a.weight", "a.bias"]);
    }

    #[test]
    fn shapes_names_and_halves_decide() {
        let one = |name: &str, shape: &[usize]| Wanted { name: name.into(), shape: shape.to_vec(), arranged: None };
        let wanted = [
            one("encoder.0.weight", &[8, 8]),
            one("decoder.0.weight", &[8, 8]),
            one("encoder.2.weight", &[4, 8]),
            one("prior.mean", &[7]),
        ];
        let theirs = |name: &str, shape: &[usize]| Foreign {
            name: name.into(),
            shape: shape.to_vec(),
            numbers: Some(vec![0.0; shape.iter().product()]),
        };
        let foreign = [
            theirs("dec.0.weight", &[8, 8]),
            theirs("enc.0.weight", &[8, 8]),
            theirs("fc_logvar.weight", &[2, 8]),
            theirs("fc_mu.weight", &[2, 8]),
        ];
        let made = |names: &[&str]| Some(Made::Of(names.iter().map(ToString::to_string).collect()));
        let found: Vec<Option<Made>> = suggest(&wanted, &foreign).into_iter().map(|(_, made)| made).collect();
        let expected =
            [made(&["enc.0.weight"]), made(&["dec.0.weight"]), made(&["fc_mu.weight", "fc_logvar.weight"]), None];
        assert_eq!(found, expected);
    }
}
