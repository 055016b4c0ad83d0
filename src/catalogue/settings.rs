//! What a piece is built with.

use super::about::About;
use super::spec::Spec;
use super::value::Value;

/// What a piece is built with: the settings of a [`Spec`], and its defaults.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    about: &'a About,
    spec: &'a Spec,
}

impl<'a> Settings<'a> {
    /// Settings that are checked, see [`About::checked`].
    pub(crate) fn new(about: &'a About, spec: &'a Spec) -> Settings<'a> {
        Settings { about, spec }
    }

    /// A setting by its name.
    ///
    /// # Panics
    /// If the piece declares no such setting: an error in the piece.
    fn value(&self, name: &str) -> Value {
        let declared = self.about.settings.iter().find(|s| s.name == name);
        let declared = declared.unwrap_or_else(|| panic!("{} declares no setting {name}", self.about.id));
        self.spec.settings.get(name).cloned().unwrap_or_else(|| declared.default.into())
    }

    /// The numbers of a setting by its name.
    ///
    /// # Panics
    /// If the piece declares no such setting, or a word: an error in the piece.
    pub fn numbers(&self, name: &str) -> Vec<f64> {
        match self.value(name) {
            Value::Numbers(numbers) => numbers,
            Value::Word(word) => panic!("{name} of {} is the word {word}, and no number", self.about.id),
        }
    }

    /// A number by its name.
    ///
    /// # Panics
    /// As for [`Settings::numbers`].
    pub fn get(&self, name: &str) -> f64 {
        self.numbers(name)[0]
    }

    /// A whole number by its name.
    ///
    /// # Panics
    /// As for [`Settings::numbers`].
    pub fn whole(&self, name: &str) -> usize {
        self.get(name) as usize
    }

    /// Whole numbers by their name.
    ///
    /// # Panics
    /// As for [`Settings::numbers`].
    pub fn wholes(&self, name: &str) -> Vec<usize> {
        self.numbers(name).into_iter().map(|number| number as usize).collect()
    }

    /// A word by its name, as the type that it is a name of.
    ///
    /// # Panics
    /// If the piece declares no such setting, or bounds that let in words which are no names of the type: an error in the piece.
    pub fn word<T: std::str::FromStr>(&self, name: &str) -> T {
        let word = self.value(name).to_string();
        word.parse().unwrap_or_else(|_| panic!("{name} of {} is {word}, which is nothing", self.about.id))
    }
}
