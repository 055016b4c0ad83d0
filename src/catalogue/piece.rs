//! A piece: what it is and how it is built, and how it is found in its list.

use std::sync::Arc;

use super::about::About;
use super::settings::Settings;
use super::spec::{FIRST, Spec};
use crate::error::{Error, Result};

/// One form of the factor `T`.
pub struct Piece<T: ?Sized + 'static> {
    /// What it is.
    pub about: About,
    /// Makes it of settings that are within their bounds.
    pub build: fn(&Settings) -> Arc<T>,
}

/// The piece that a [`Spec`] names, its settings checked.
///
/// # Errors
/// If there is no such piece, or a setting is not one of its own or out of its bounds: what there is.
pub fn find<T: ?Sized>(list: &'static [&'static Piece<T>], spec: &Spec) -> Result<&'static Piece<T>> {
    Ok(chosen(list, spec)?.0)
}

/// Writes a choice in the one way that a file has it, so that equal choices are equal: the piece by its own name where it is known
/// by another, and each setting by its name where it is given without.
pub fn rename<T: ?Sized>(list: &'static [&'static Piece<T>], spec: &mut Spec) {
    if let Ok((_, named)) = chosen(list, spec) {
        *spec = named;
    } else if let Ok(piece) = find(list, &Spec::new(&spec.id)) {
        spec.id = piece.about.id.to_string();
    }
}

/// Builds what a [`Spec`] names.
///
/// # Errors
/// As for [`find`].
pub fn build<T: ?Sized>(list: &'static [&'static Piece<T>], spec: &Spec) -> Result<Arc<T>> {
    let (piece, spec) = chosen(list, spec)?;
    Ok((piece.build)(&Settings::new(&piece.about, &spec)))
}

/// The piece that is meant, and what it is given, every setting by its name.
fn chosen<T: ?Sized>(list: &'static [&'static Piece<T>], spec: &Spec) -> Result<(&'static Piece<T>, Spec)> {
    let is_meant = |piece: &&&Piece<T>| piece.about.id == spec.id || piece.about.aliases.contains(&spec.id.as_str());
    let Some(piece) = list.iter().find(is_meant) else {
        let ids: Vec<&str> = list.iter().map(|p| p.about.id).collect();
        let kind = list.first().map_or("piece", |p| p.about.kind.noun());
        return Err(Error::invalid(format!(
            "there is no {kind} `{}`; there are {} (`elbo models` explains them)",
            spec.id,
            ids.join(", ")
        )));
    };
    Ok((piece, piece.about.checked(spec)?))
}

impl About {
    /// A choice of this piece in the one way that a file has it: by its own name, and each setting by its name.
    ///
    /// # Errors
    /// If a setting is none of its own, or out of its bounds.
    pub fn checked(&self, spec: &Spec) -> Result<Spec> {
        let spec = Spec { id: self.id.to_string(), ..named(self, spec)? };
        check(self, &spec)?;
        Ok(spec)
    }
}

/// The same settings, those without a name being the first of the piece.
fn named(about: &About, spec: &Spec) -> Result<Spec> {
    let mut spec = spec.clone();
    let Some(value) = spec.settings.remove(FIRST) else { return Ok(spec) };
    let (kind, id) = (about.kind.noun(), about.id);
    let Some(first) = about.settings.first() else {
        return Err(Error::invalid(format!(
            "the {kind} `{id}` takes no settings, and `{value}` is given: leave it out"
        )));
    };
    if spec.settings.insert(first.name.to_string(), value).is_some() {
        return Err(Error::invalid(format!(
            "`{}` of the {kind} `{id}` is given twice, once without its name: give it once",
            first.name
        )));
    }
    Ok(spec)
}

/// Says so if a setting is none of a piece's, or out of its bounds.
fn check(about: &About, spec: &Spec) -> Result<()> {
    let (kind, id) = (about.kind.noun(), about.id);
    for (name, value) in &spec.settings {
        let Some(setting) = about.settings.iter().find(|s| s.name == name) else {
            let known: Vec<&str> = about.settings.iter().map(|s| s.name).collect();
            let known = if known.is_empty() { "no settings".to_string() } else { known.join(", ") };
            return Err(Error::invalid(format!("the {kind} `{id}` has no setting `{name}`: it takes {known}")));
        };
        if !setting.bounds.allow(value) {
            return Err(Error::invalid(format!(
                "`{name}` of the {kind} `{id}` is {value}: give {}, such as {}",
                setting.bounds, setting.default
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Bounds, Kind, Setting, Usual};
    use super::*;

    static PIECES: &[&Piece<str>] = &[
        &Piece {
            about: About {
                kind: Kind::Network,
                id: "some",
                aliases: &["another"],
                name: "",
                formula: "",
                source: "",
                settings: &[
                    Setting {
                        name: "sizes",
                        default: Usual::Numbers(&[3.0, 4.0]),
                        bounds: Bounds::UpTo(3, &Bounds::Whole(1, 9)),
                        meaning: "",
                    },
                    Setting {
                        name: "kind",
                        default: Usual::Word("round"),
                        bounds: Bounds::OneOf(&["round", "flat"]),
                        meaning: "",
                    },
                ],
                example: "",
            },
            build: |settings| {
                let sizes: usize = settings.wholes("sizes").iter().sum();
                format!("{sizes} {}", settings.word::<String>("kind")).into()
            },
        },
        &Piece {
            about: About {
                kind: Kind::Network,
                id: "none",
                aliases: &[],
                name: "",
                formula: "",
                source: "",
                settings: &[],
                example: "",
            },
            build: |_| "none".into(),
        },
    ];

    #[test]
    fn lists_and_words_reach_the_piece() {
        for (text, expected, whole) in [
            ("some", "7 round", "some"),
            ("some:5", "5 round", "some:sizes=5"),
            ("another:5,1,2,kind=flat", "8 flat", "some:kind=flat,sizes=5,1,2"),
            ("some:kind=flat,sizes=1,1", "2 flat", "some:kind=flat,sizes=1,1"),
        ] {
            let mut spec: Spec = text.parse().unwrap();
            assert_eq!(&*build(PIECES, &spec).unwrap(), expected, "{text}");
            rename(PIECES, &mut spec);
            assert_eq!(spec.to_string(), whole);
        }
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_with_what_is_not() {
        let sizes = "give 1 to 3 numbers, each a whole number from 1 to 9, such as 3,4";
        for (text, expected) in [
            ("some:0", format!("`sizes` of the network `some` is 0: {sizes}")),
            ("some:1,2,3,4", format!("is 1,2,3,4: {sizes}")),
            ("some:1,2.5", format!("is 1,2.5: {sizes}")),
            ("some:sizes=flat", format!("is flat: {sizes}")),
            (
                "some:kind=square",
                "`kind` of the network `some` is square: give one of round, flat, such as round".into(),
            ),
            ("some:kind=3", "is 3: give one of round, flat".into()),
            ("some:4,sizes=5", "`sizes` of the network `some` is given twice, once without its name".into()),
            ("some:size=5", "the network `some` has no setting `size`: it takes sizes, kind".into()),
            ("none:5", "the network `none` takes no settings, and `5` is given".into()),
            ("other", "there is no network `other`; there are some, none".into()),
        ] {
            let found = build(PIECES, &text.parse().unwrap()).map(|_| ()).unwrap_err().to_string();
            assert!(found.contains(&expected), "{text}: {found}");
        }
    }
}
