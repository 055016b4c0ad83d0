//! Collects what is wrong with settings, so that people hear of everything at once; and what was probably meant.

use std::fmt::Display;

use crate::error::{Error, Result};

/// What was found so far.
#[derive(Debug, Default)]
pub struct Problems(Vec<String>);

impl Problems {
    /// Notes `problem` if it is one.
    pub fn note(&mut self, is_wrong: bool, problem: impl Display) {
        if is_wrong {
            self.0.push(problem.to_string());
        }
    }

    /// Notes problems that are.
    pub fn all(&mut self, problems: impl IntoIterator<Item = String>) {
        self.0.extend(problems);
    }

    /// Notes why something is not there.
    pub fn result<T>(&mut self, found: Result<T>) {
        if let Err(problem) = found {
            self.0.push(problem.to_string());
        }
    }

    /// All problems as one error.
    pub fn into_result(self) -> Result<()> {
        match self.0.as_slice() {
            [] => Ok(()),
            [only] => Err(Error::invalid(only)),
            all => Err(Error::invalid(format!("{} settings cannot be used:\n  - {}", all.len(), all.join("\n  - ")))),
        }
    }
}

/// The candidate that was probably meant by a word, if any is near enough: a letter more for every four may be wrong.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = candidates.map(|candidate| (strsim::levenshtein(word, candidate), candidate)).min()?;
    (near.0 <= 1 + word.chars().count() / 4).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn words_are_near_by_few_letters() {
        let words = || ["vae", "ladder", "hierarchical"].into_iter();
        assert_eq!(nearest("lader", words()), Some("ladder"));
        assert_eq!(nearest("heirarchical", words()), Some("hierarchical"));
        assert_eq!(nearest("vea", words()), None);
        assert_eq!(nearest("vaes", words()), Some("vae"));
        assert_eq!(nearest("", [].into_iter()), None);
    }
}
