//! A random sample, the same for the same seed and tree, spread evenly over the areas.

use std::collections::BTreeMap;

use crate::areas::WGSL;
use crate::site::Site;

/// What is asked of a sample.
pub struct Wish<'a> {
    pub size: usize,
    /// How many of them are shader text.
    pub wgsl: usize,
    pub seed: u64,
    /// Files that begin with this.
    pub only: Option<&'a str>,
    /// Every `parts`th spot, beginning with spot `part` (from 0).
    pub part: usize,
    pub parts: usize,
}

/// The spots of each area in a random order; each is dealt once, with one of its changes.
pub struct Deck {
    decks: BTreeMap<&'static str, Vec<Site>>,
    quota: BTreeMap<&'static str, usize>,
    picked: Vec<Site>,
}

impl Deck {
    pub fn new(sites: &[Site], wish: &Wish) -> Deck {
        let mut random = Random(wish.seed);
        let mut decks: BTreeMap<&'static str, Vec<Site>> = BTreeMap::new();
        let wanted = sites.iter().filter(|site| wish.only.is_none_or(|only| site.file.starts_with(only)));
        for site in wanted {
            decks.entry(site.area).or_default().push(site.clone());
        }
        for deck in decks.values_mut() {
            *deck = shuffled(spots(std::mem::take(deck)), &mut random)
                .into_iter()
                .map(|mut changes| changes.swap_remove(random.below(changes.len())))
                .enumerate()
                .filter(|(i, _)| i % wish.parts == wish.part)
                .map(|(_, site)| site)
                // Dealt from the end.
                .rev()
                .collect();
        }
        let quota = quota(&decks, wish);
        let mut deck = Deck { decks, quota, picked: Vec::new() };
        deck.fill();
        deck
    }

    pub fn picked(&self) -> &[Site] {
        &self.picked
    }

    /// Puts mutants away for good and deals others from the same areas.
    pub fn replace(&mut self, ids: &[u32]) {
        self.picked.retain(|site| !ids.contains(&site.id));
        self.fill();
    }

    fn fill(&mut self) {
        for (area, deck) in &mut self.decks {
            let mut missing = self.quota[area] - self.picked.iter().filter(|site| site.area == *area).count();
            while missing > 0 {
                let Some(site) = deck.pop() else { break };
                if !self.picked.iter().any(|other| other.overlaps(&site)) {
                    self.picked.push(site);
                    missing -= 1;
                }
            }
        }
        self.picked.sort_by_key(|site| site.id);
    }
}

/// How many of each area: those of shader text as asked, the others alike as far as they have as many.
fn quota(decks: &BTreeMap<&'static str, Vec<Site>>, wish: &Wish) -> BTreeMap<&'static str, usize> {
    let mut out: BTreeMap<&'static str, usize> = decks.keys().map(|area| (*area, 0)).collect();
    let only_wgsl = decks.keys().all(|area| *area == WGSL);
    if let Some(deck) = decks.get(WGSL) {
        out.insert(WGSL, if only_wgsl { wish.size } else { wish.wgsl }.min(deck.len()));
    }
    let mut left = wish.size - out.get(WGSL).copied().unwrap_or(0);
    while left > 0 {
        let before = left;
        for (area, deck) in decks.iter().filter(|(area, _)| **area != WGSL) {
            if left > 0 && out[area] < deck.len() {
                *out.get_mut(area).expect("every area has a quota") += 1;
                left -= 1;
            }
        }
        if left == before {
            break;
        }
    }
    out
}

/// Changes of the same bytes together.
fn spots(sites: Vec<Site>) -> Vec<Vec<Site>> {
    let mut out: BTreeMap<(String, usize, usize), Vec<Site>> = BTreeMap::new();
    for site in sites {
        out.entry((site.file.clone(), site.range.start, site.range.end)).or_default().push(site);
    }
    out.into_values().collect()
}

fn shuffled<T>(mut items: Vec<T>, random: &mut Random) -> Vec<T> {
    for i in (1..items.len()).rev() {
        items.swap(i, random.below(i + 1));
    }
    items
}

/// SplitMix64, which stays the same whatever becomes of crates.
struct Random(u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((x ^ (x >> 31)) % count as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::Form;

    fn sites() -> Vec<Site> {
        let site = |id: u32| {
            let area = [WGSL, "models", "training"][id as usize % 3];
            let form = if area == WGSL { Form::Wgsl } else { Form::Rust };
            let (at, text) = (10 * id as usize, String::new());
            let file = format!("src/{area}");
            let (original, mutated) = (text.clone(), text);
            Site { id, area, form, file, line: 1, column: 1, range: at..at + 5, original, mutated, rule: "" }
        };
        (1..=300).map(site).collect()
    }

    fn ids(wish: &Wish) -> Vec<u32> {
        Deck::new(&sites(), wish).picked().iter().map(|site| site.id).collect()
    }

    #[test]
    fn spread_and_parts() {
        let whole = Wish { size: 40, wgsl: 12, seed: 1, only: None, part: 0, parts: 1 };
        let all = ids(&whole);
        let of = |n: u32| all.iter().filter(|id| **id % 3 == n).count();
        assert_eq!((of(0), of(1), of(2)), (12, 14, 14));
        assert_eq!(all, ids(&whole));
        assert_ne!(all, ids(&Wish { seed: 2, ..whole }));
        let halves = [0, 1].map(|part| ids(&Wish { size: 20, wgsl: 6, part, parts: 2, ..whole }));
        let mut both = halves.concat();
        both.sort();
        assert_eq!(both, all);
    }

    #[test]
    fn replaced_for_good() {
        let mut deck = Deck::new(&sites(), &Wish { size: 9, wgsl: 3, seed: 1, only: None, part: 0, parts: 1 });
        let first = deck.picked()[0].id;
        deck.replace(&[first]);
        assert_eq!(deck.picked().len(), 9);
        assert!(deck.picked().iter().all(|site| site.id != first));
    }
}
