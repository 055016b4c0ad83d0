//! What a column is, where nobody says so: a guess from what it holds, which people can read and overrule.

use super::super::origin::ColumnGuess;
use super::super::schema::{Field, FieldKind, Role, Scaling, Schema};
use super::Table;
use super::choices::Choices;
use super::facts::Facts;
use crate::error::{Error, Result};
use crate::problems::nearest;

/// The most classes of a column of texts that is guessed to be one of classes.
const CLASSES: usize = 50;
/// The most different whole numbers of a column that is guessed to be one of marks in an order.
const LEVELS: usize = 10;

/// The kinds that can be asked for.
pub(super) const KINDS: [&str; 7] = ["real", "positive", "count", "ordinal", "category", "date", "id"];

/// A column, what it is taken for, and why.
#[derive(Debug, Clone)]
pub(crate) struct Guess {
    pub field: Field,
    /// Why, for people.
    pub why: String,
    /// Cells that hold nothing.
    pub missing: usize,
}

impl Guess {
    /// For people.
    pub(super) fn told(self) -> ColumnGuess {
        let Guess { field: Field { name, kind, role, .. }, why, missing } = self;
        ColumnGuess { name, kind: kind.name().to_owned(), role, why, missing }
    }
}

impl Table {
    /// What each column is taken for, numbers not yet scaled.
    ///
    /// # Errors
    /// If somebody speaks of a column that there is not, or says of one what it cannot be; or if nothing is left to learn.
    pub(crate) fn guess(&self, choices: &Choices) -> Result<Vec<Guess>> {
        let lists = [&choices.ignore, &choices.conditions, &choices.factors].into_iter().flatten();
        let parts = choices.label.iter().chain(&choices.split).chain(&choices.weight).chain(lists);
        for name in parts.clone().chain(choices.kinds.keys()) {
            self.find(name)?;
        }
        let mut parts: Vec<&String> = parts.collect();
        parts.sort_unstable();
        if let Some(pair) = parts.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::malformed(
                &self.path,
                format!("the column {} is given two parts to play, or one twice: give it one", pair[0]),
            ));
        }
        let facts = Facts::of(self)?;
        let guesses = self.names.iter().zip(&facts).map(|(name, facts)| {
            let guess = |role, kind, why: &str| {
                let whole = facts.whole && matches!(kind, FieldKind::Real(_) | FieldKind::Positive(_));
                let field = Field { name: name.clone(), kind, role, whole };
                Guess { field, why: why.to_string(), missing: facts.missing }
            };
            if choices.ignore.contains(name) {
                return Ok(guess(Role::Ignored, FieldKind::Text, "as you said"));
            }
            if choices.label.as_ref() == Some(name) {
                return Ok(guess(
                    Role::Label,
                    self.asked(name, facts, "category")?,
                    "the class of each row, as you said",
                ));
            }
            if choices.split.as_ref() == Some(name) {
                return Ok(guess(Role::Split, FieldKind::Text, "which part each row is of, as you said"));
            }
            if choices.weight.as_ref() == Some(name) {
                if let Some(text) = &facts.text {
                    return Err(Error::malformed(
                        &self.path,
                        format!("the column {name} holds words, such as {text}, and a weight is a number: name a column of numbers"),
                    ));
                }
                let kind = self.asked(name, facts, "real")?;
                return Ok(guess(Role::Weight, kind, "by how much each row counts, as you said"));
            }
            if choices.factors.contains(name) {
                return Ok(guess(Role::Factor, self.asked(name, facts, "category")?, "a factor, as you said"));
            }
            if choices.conditions.contains(name) {
                let kind = match choices.kinds.get(name) {
                    Some(kind) => self.asked(name, facts, kind)?,
                    None => guessed(name, facts).1,
                };
                if matches!(kind, FieldKind::Text) {
                    return Err(Error::malformed(
                        &self.path,
                        format!("the column {name} holds nothing that a model can be told: say what it is, as --column {name}=category"),
                    ));
                }
                return Ok(guess(Role::Condition, kind, "told to the model, as you said"));
            }
            match choices.kinds.get(name).map(String::as_str) {
                Some("id") => Ok(guess(Role::Identity, FieldKind::Text, "as you said")),
                Some(kind) => Ok(guess(Role::Input, self.asked(name, facts, kind)?, "as you said")),
                None => {
                    let (role, kind, why) = guessed(name, facts);
                    Ok(guess(role, kind, &why))
                }
            }
        });
        let guesses: Vec<Guess> = guesses.collect::<Result<_>>()?;
        if !guesses.iter().any(|guess| guess.field.role == Role::Input) {
            return Err(Error::malformed(
                &self.path,
                format!(
                    "no column is left to learn from: {}; say what one is with `columns`, such as {} = \"category\"",
                    guesses.iter().map(|g| format!("{} ({})", g.field.name, g.why)).collect::<Vec<_>>().join(", "),
                    self.names[0]
                ),
            ));
        }
        Ok(guesses)
    }

    /// The place of a column.
    ///
    /// # Errors
    /// If there is none of that name.
    pub(super) fn find(&self, name: &str) -> Result<usize> {
        self.names.iter().position(|known| known == name).ok_or_else(|| {
            let near = nearest(name, self.names.iter().map(String::as_str));
            let meant = near.map_or(String::new(), |near| format!("did you mean {near}? "));
            Error::malformed(
                &self.path,
                format!("there is no column {name}: {meant}there are {}", super::super::schema::some_of(&self.names)),
            )
        })
    }

    /// The kind that somebody asked for.
    fn asked(&self, name: &str, facts: &Facts, kind: &str) -> Result<FieldKind> {
        let refuse =
            |why: String| Err(Error::malformed(&self.path, format!("the column {name} cannot be {kind}: {why}")));
        let numbers = |kind: FieldKind| match &facts.text {
            Some(text) => refuse(format!("it holds the text {text}")),
            None => Ok(kind),
        };
        match kind {
            "real" => numbers(FieldKind::Real(Scaling::NONE)),
            "positive" if facts.least <= 0.0 => refuse(format!("it holds {}, which is not above 0", facts.least)),
            "positive" => numbers(FieldKind::Positive(Scaling::NONE)),
            "count" if !facts.whole || facts.least < 0.0 => {
                refuse("it holds numbers that are not whole, or below 0".to_string())
            }
            "count" => numbers(FieldKind::Count(Scaling::NONE)),
            "ordinal" => match facts.levels() {
                Some(levels) if levels.len() > 1 => Ok(FieldKind::Ordinal(levels)),
                _ => refuse("that takes two or more different numbers, and at most 1,024".to_string()),
            },
            "date" => match facts.dates() {
                Some(form) => Ok(FieldKind::Date(Scaling::NONE, form)),
                None => refuse("its cells are no dates of one form, such as 2024-03-31 or 31.03.2024".to_string()),
            },
            "category" if facts.many => refuse("it holds more than 1,024 different values".to_string()),
            "category" if facts.different.is_empty() => refuse("it holds nothing".to_string()),
            "category" => Ok(FieldKind::Category(classes(facts))),
            _ => {
                let near = nearest(kind, KINDS.into_iter());
                let meant = near.map_or(String::new(), |near| format!("did you mean {near}? "));
                refuse(format!("there is no such kind; {meant}give one of {}", KINDS.join(", ")))
            }
        }
    }
}

impl Schema {
    /// That of guesses.
    pub(super) fn of_guesses(guesses: &[Guess]) -> Schema {
        Schema { fields: guesses.iter().map(|guess| guess.field.clone()).collect() }
    }
}

/// The names of classes: numbers in ascending order, texts by the alphabet.
fn classes(facts: &Facts) -> Vec<String> {
    let mut names: Vec<&String> = facts.different.iter().map(|(text, _)| text).collect();
    let number = |name: &String| name.parse::<f64>().unwrap_or(f64::INFINITY);
    names.sort_by(|a, b| number(a).total_cmp(&number(b)).then_with(|| a.cmp(b)));
    names.into_iter().cloned().collect()
}

/// What a column seems to be, and why.
fn guessed(name: &str, facts: &Facts) -> (Role, FieldKind, String) {
    // One number may be written in several ways.
    let different = facts.levels().map_or(facts.different.len(), |levels| levels.len());
    let known = facts.known();
    let said = |role, kind, why: &str| (role, kind, why.to_string());
    if known == 0 {
        return said(Role::Ignored, FieldKind::Text, "it is empty");
    }
    if different == 1 && !facts.many {
        return said(Role::Ignored, FieldKind::Text, "it never varies");
    }
    let category = |why| said(Role::Input, FieldKind::Category(classes(facts)), why);
    if let Some(form) = facts.dates().filter(|_| different > 2) {
        return (Role::Input, FieldKind::Date(Scaling::NONE, form), format!("dates as {}", form.spoken()));
    }
    if let Some(text) = &facts.text {
        return match () {
            () if facts.numbers > facts.texts => {
                (Role::Ignored, FieldKind::Text, format!("numbers, and texts among them such as {text}"))
            }
            () if facts.all_differ && known > CLASSES => said(Role::Identity, FieldKind::Text, "texts that all differ"),
            () if !facts.many && different <= CLASSES && (different == 2 || 2 * different <= known) => {
                category("few different texts")
            }
            () => said(Role::Ignored, FieldKind::Text, "texts of too many kinds"),
        };
    }
    if facts.whole && facts.all_differ && known > 2 && (facts.consecutive || is_called_id(name)) {
        return said(Role::Identity, FieldKind::Text, "whole numbers that all differ");
    }
    if different == 2 && facts.different.len() == 2 {
        return category("two different numbers");
    }
    if facts.whole && facts.least >= 0.0 {
        let are_few = !facts.many && different <= LEVELS && 3 * different <= known;
        if are_few && facts.most - facts.least <= 2.0 * LEVELS as f64 {
            let levels = facts.levels().unwrap_or_default();
            return said(Role::Input, FieldKind::Ordinal(levels), "few different whole numbers");
        }
        if facts.least < 10.0 && facts.moments.skewness() > 1.0 && facts.moments.mean() < 1000.0 {
            return said(Role::Input, FieldKind::Count(Scaling::NONE), "whole numbers from 0 with a long tail");
        }
    }
    let (skew, of_logs) = (facts.moments.skewness(), facts.log_moments.skewness().abs());
    if facts.least > 0.0 && skew > 1.0 && of_logs < 0.5 * skew {
        return said(Role::Input, FieldKind::Positive(Scaling::NONE), "above 0 with a long tail");
    }
    said(Role::Input, FieldKind::Real(Scaling::NONE), "numbers")
}

fn is_called_id(name: &str) -> bool {
    let name = name.to_lowercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).collect();
    ["id", "index", "key", "uuid", "identifier", "number", "nr", "no", "row"].iter().any(|word| words.contains(word))
}
