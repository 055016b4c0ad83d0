//! What is in a column, as its cells are: numbers or texts, how many of which.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::super::schema::{Cell, DateForm};
use super::Table;
use crate::error::Result;

/// Different texts that are counted; a column of more is not one of classes.
const MOST: usize = 1024;

/// What is in a column.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// Cells that hold nothing.
    pub missing: usize,
    /// Cells that hold a number.
    pub numbers: usize,
    /// Cells that hold a text which is no number.
    pub texts: usize,
    /// How often each text comes, as it is written, in the order in which they come first; of the first 1,024.
    pub different: Vec<(String, usize)>,
    /// Whether there are more than those.
    pub many: bool,
    /// Whether all numbers are whole.
    pub whole: bool,
    /// Whether each number is one more than that in the row before.
    pub consecutive: bool,
    pub least: f64,
    pub most: f64,
    /// Of the numbers, and of their logarithms where all are above 0.
    pub moments: Moments,
    pub log_moments: Moments,
    /// An example of a text that is no number.
    pub text: Option<String>,
    /// The forms in which all texts are dates.
    pub forms: Vec<DateForm>,
    /// Whether no two cells hold the same text.
    pub all_differ: bool,
    places: HashMap<String, usize>,
    /// Hashes of all cells, as long as they all differ.
    seen: HashSet<u64>,
    last: Option<f64>,
}

/// Sums of the first three powers, about the first value.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    count: f64,
    first: f64,
    sums: [f64; 3],
}

impl Moments {
    fn add(&mut self, value: f64) {
        if self.count == 0.0 {
            self.first = value;
        }
        self.count += 1.0;
        let off = value - self.first;
        self.sums.iter_mut().zip([off, off * off, off * off * off]).for_each(|(sum, power)| *sum += power);
    }

    /// The mean.
    pub fn mean(&self) -> f64 {
        self.first + self.sums[0] / self.count
    }

    /// E\[(v − mean)²\].
    pub fn variance(&self) -> f64 {
        let [m, s, _] = self.sums.map(|sum| sum / self.count);
        (s - m * m).max(0.0)
    }

    /// E\[(v − mean)³\]/variance^{3/2}; 0 where nothing varies.
    pub fn skewness(&self) -> f64 {
        let ([m, s, t], variance) = (self.sums.map(|sum| sum / self.count), self.variance());
        let third = t - 3.0 * m * s + 2.0 * m * m * m;
        if variance > 0.0 { third / (variance * variance.sqrt()) } else { 0.0 }
    }
}

impl Facts {
    /// Those of every column.
    ///
    /// # Errors
    /// If a line cannot be read.
    pub fn of(table: &Table) -> Result<Vec<Facts>> {
        let start = Facts {
            whole: true,
            consecutive: true,
            all_differ: true,
            forms: DateForm::ALL.to_vec(),
            least: f64::INFINITY,
            most: f64::NEG_INFINITY,
            ..Facts::default()
        };
        let mut all = vec![start; table.names.len()];
        for record in table.rows() {
            let record = record?;
            all.iter_mut().zip(&record).for_each(|(facts, text)| facts.add(text.trim(), table.number(text)));
        }
        Ok(all)
    }

    fn add(&mut self, text: &str, cell: Cell) {
        match cell {
            Cell::Missing | Cell::Date(..) => {
                self.missing += 1;
                return;
            }
            Cell::Number(value) => self.add_number(value),
            Cell::Text(text) => {
                self.texts += 1;
                self.forms.retain(|form| form.parse(&text).is_some());
                self.text.get_or_insert(text);
            }
        }
        if self.all_differ {
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            self.all_differ = self.seen.insert(hasher.finish());
        }
        match self.places.get(text) {
            Some(&place) => self.different[place].1 += 1,
            None if self.different.len() == MOST => self.many = true,
            None => {
                self.places.insert(text.to_string(), self.different.len());
                self.different.push((text.to_string(), 1));
            }
        }
    }

    fn add_number(&mut self, value: f64) {
        self.numbers += 1;
        self.whole &= value.fract() == 0.0;
        self.consecutive &= self.last.is_none_or(|last| value == last + 1.0);
        self.last = Some(value);
        (self.least, self.most) = (self.least.min(value), self.most.max(value));
        self.moments.add(value);
        if value > 0.0 {
            self.log_moments.add(libm::log(value));
        }
    }

    /// The form in which all cells are dates.
    pub fn dates(&self) -> Option<DateForm> {
        if self.numbers == 0 && self.texts > 0 { self.forms.first().copied() } else { None }
    }

    /// Cells that hold something.
    pub fn known(&self) -> usize {
        self.numbers + self.texts
    }

    /// The different numbers, in ascending order, if there are not too many, and nothing else.
    pub fn levels(&self) -> Option<Vec<f64>> {
        if self.many || self.texts > 0 {
            return None;
        }
        let mut levels: Vec<f64> =
            self.different.iter().filter_map(|(text, _)| text.replace(',', ".").parse().ok()).collect();
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        levels.iter().all(|level| level.is_finite()).then_some(levels)
    }
}
