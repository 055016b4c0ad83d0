//! What is compared: pieces by the names that `elbo models` lists, and weights of the KL term.

use super::super::pieces::all_pieces;
use crate::catalogue::{About, Kind};
use crate::error::{Error, Result};
use crate::models::{Architecture, LabelUse};
use crate::problems::nearest;

/// A model, or a setting of one, by what it differs in from the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What it is called in tables and pictures.
    pub name: String,
    /// The options of `elbo train` that make it.
    pub words: Vec<String>,
    /// The weight of the KL term, where that was given.
    pub beta: Option<String>,
}

impl Choice {
    /// Part of a file's name.
    pub fn file_name(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "+.-".contains(c) { c } else { '-' };
        self.name.replace("β = ", "beta-").chars().map(plain).collect::<String>().replace("--", "-")
    }
}

/// The choices that names and weights make, each name with each weight; a model without a KL term stands once.
///
/// # Errors
/// If there is no piece of a name, it is none that models differ in, or one stands twice.
pub fn choices(names: &[String], betas: &[f64]) -> Result<Vec<Choice>> {
    let mut all: Vec<Choice> = vec![];
    for name in whole(names) {
        let (about, option) = find(&name)?;
        let has_kl = about.kind != Kind::Model || about.id.parse::<Architecture>()?.is_variational;
        let words = vec![format!("--{option}"), name.clone()];
        match betas {
            [] => all.push(Choice { name, words, beta: None }),
            _ if !has_kl => all.push(Choice { name, words, beta: None }),
            betas => all.extend(betas.iter().map(|beta| Choice {
                name: format!("{name}, β = {beta}"),
                words: [words.clone(), vec!["--beta".into(), beta.to_string()]].concat(),
                beta: Some(beta.to_string()),
            })),
        }
    }
    let mut files: Vec<String> = all.iter().map(Choice::file_name).collect();
    files.sort_unstable();
    match files.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(all),
        Some(pair) => Err(Error::invalid(format!("{} is to be compared with itself: name it once", pair[0]))),
    }
}

/// Names with their settings, commas of which parted them: what gives a setting and names nothing belongs to the name before.
fn whole(parts: &[String]) -> Vec<String> {
    let mut names: Vec<String> = vec![];
    for part in parts.iter().map(|part| part.trim()) {
        let is_setting =
            part.split_once('=').is_some_and(|(name, _)| !name.contains(':')) || part.parse::<f64>().is_ok();
        match names.last_mut().filter(|name| is_setting && name.contains(':')) {
            Some(name) => *name += &format!(",{part}"),
            None => names.push(part.to_string()),
        }
    }
    names
}

/// The piece of a name, and the option that chooses it.
fn find(name: &str) -> Result<(&'static About, &'static str)> {
    let id = name.split(':').next().unwrap_or(name);
    let known = all_pieces()
        .into_iter()
        .filter(|about| !matches!(about.kind, Kind::KlSchedule | Kind::Optimiser | Kind::Corruption));
    let known: Vec<&About> = known.collect();
    let Some(about) = known.iter().find(|about| about.id == id || about.aliases.contains(&id)) else {
        let names = known.iter().flat_map(|about| about.aliases.iter().copied().chain([about.id]));
        let meant = nearest(id, names).map_or(String::new(), |near| format!("did you mean `{near}`? "));
        return Err(Error::invalid(format!(
            "there is no model `{id}` to compare: {meant}`elbo models` lists models, objectives, networks, likelihoods, posteriors and priors"
        )));
    };
    if about.kind == Kind::Model {
        let kind: Architecture = about.id.parse()?;
        let why = match () {
            () if kind.stands_on_vae => Some("it stands on a model that is trained first, so that it is no equal work"),
            () if kind.labels == LabelUse::Learnt && !kind.is_variational => {
                Some("it tells labels, and rebuilds no rows")
            }
            () => None,
        };
        if let Some(why) = why {
            return Err(Error::invalid(format!("{id} cannot be compared: {why}")));
        }
    }
    Ok((about, about.kind.key()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &str, betas: &[f64]) -> Vec<String> {
        let names: Vec<String> = names.split(',').map(String::from).collect();
        choices(&names, betas).unwrap().into_iter().map(|choice| choice.words.join(" ")).collect()
    }

    #[test]
    fn names_are_options_of_training() {
        assert_eq!(
            named("ae,vae,iwae:samples=3,realnvp:layers=2,hidden=8,student-t:5", &[]),
            [
                "--model ae",
                "--model vae",
                "--objective iwae:samples=3",
                "--prior realnvp:layers=2,hidden=8",
                "--likelihood student-t:5"
            ]
        );
        assert_eq!(named("ae,vae", &[0.5, 4.0]), ["--model ae", "--model vae --beta 0.5", "--model vae --beta 4"]);
    }

    #[test]
    fn what_cannot_be_compared_is_named() {
        let refused = |names: &str| {
            choices(&names.split(',').map(String::from).collect::<Vec<_>>(), &[]).unwrap_err().to_string()
        };
        assert!(
            refused("vae,iwea").contains("no model `iwea` to compare: did you mean `iwae`?"),
            "{}",
            refused("iwea")
        );
        assert!(refused("zzzzzz").contains("`elbo models` lists"));
        assert!(refused("classifier").contains("rebuilds no rows"));
        assert!(refused("m1+m2").contains("trained first"), "{}", refused("m1+m2"));
        assert!(refused("vae,ae,vae").contains("vae is to be compared with itself"));
        assert!(refused("").contains("no model"));
    }

    #[test]
    fn names_of_files_are_plain() {
        let choice = choices(&["iwae:samples=3".into()], &[0.5]).unwrap().remove(0);
        assert_eq!(
            (choice.name.as_str(), choice.file_name().as_str()),
            ("iwae:samples=3, β = 0.5", "iwae-samples-3-beta-0.5")
        );
    }
}
