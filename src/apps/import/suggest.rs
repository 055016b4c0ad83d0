//! A map that may be meant: tensors of the same shapes, the most alike in name first.

use std::collections::BTreeSet;

use super::foreign::Foreign;
use super::map::Made;
use super::take::{Wanted, fits};

/// Which tensor of a file each of a model's may be, or which two behind each other; nothing where none is left of that shape.
pub fn suggest(wanted: &[Wanted], foreign: &[Foreign]) -> Vec<(String, Option<Made>)> {
    let mut free: BTreeSet<usize> = (0..foreign.len()).filter(|&place| foreign[place].numbers.is_some()).collect();
    let mut found: Vec<Option<Made>> = vec![None; wanted.len()];
    // Whole tensors, pairs of places by how alike they are.
    let mut pairs = vec![];
    for (own, one) in wanted.iter().enumerate() {
        for &place in &free {
            if is_whole(one, &foreign[place]) {
                pairs.push((likeness(one, (own, wanted.len()), &foreign[place], (place, foreign.len())), own, place));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (_, own, place) in pairs {
        if found[own].is_none() && free.remove(&place) {
            found[own] = Some(Made::Of(vec![foreign[place].name.clone()]));
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

/// How alike two tensors are that have one shape: by what they are (weight or bias), their names, and how far they stand from the beginning.
fn likeness(own: &Wanted, (at, of): (usize, usize), foreign: &Foreign, (place, all): (usize, usize)) -> f64 {
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_string();
    let same_kind = f64::from(u8::from(last(own.mapped()) == last(&foreign.name)));
    let apart = (at as f64 / of as f64 - place as f64 / all as f64).abs();
    2.0 * same_kind + strsim::normalized_levenshtein(own.mapped(), &foreign.name) - 0.5 * apart
}

#[cfg(test)]
mod tests {
    use super::*;

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
