//! What scores are held against: normal rows, and known anomalies.

use super::Scoring;
use crate::apps::Saved;
use crate::data::schema::Role;
use crate::data::{Dataset, Labels, Source, Split, is_table, table_of};
use crate::error::{Error, Result};

/// The most rows that p-values are told by; more make them no better that anybody could use.
const MOST: usize = 50_000;

/// Normal rows.
pub enum Calibration {
    /// Rows apart.
    Other(Box<Dataset>),
    /// Those of the scored rows that are normal, each held against the others.
    Own(Vec<bool>),
    /// There are none that the model did not learn from; why.
    None(String),
}

impl Calibration {
    /// Whether a row that is scored is one of them.
    pub fn holds(&self, row: usize) -> bool {
        matches!(self, Calibration::Own(is_normal) if is_normal[row])
    }

    /// What they are, for people.
    pub fn describe(&self, rows: &Dataset) -> String {
        match self {
            Calibration::Other(normal) => format!("{} rows of {}", normal.rows, normal.name),
            Calibration::Own(is_normal) => {
                let count = is_normal.iter().filter(|is| **is).count();
                format!("{count} of the same rows of {}, each held against the others", rows.name)
            }
            Calibration::None(why) => format!("nothing: {why}"),
        }
    }
}

/// Normal rows for scores of `rows`, which are of this part of the run's own data, or of other data.
pub fn calibration(saved: &Saved, own: Option<Split>, rows: &Dataset, scoring: &Scoring) -> Result<Calibration> {
    if let Some(fit) = &scoring.fit {
        let normal = only_normal(saved.shown(Some(fit))?.1, Some(fit), scoring)?;
        return Ok(Calibration::Other(Box::new(some(normal))));
    }
    let own_normal = || -> Result<Calibration> {
        let labels = labels_of(rows, None, scoring)?;
        let is_normal = |row: usize| labels.as_ref().is_none_or(|labels| is_normal(labels, row, scoring));
        Ok(Calibration::Own((0..rows.rows).map(is_normal).collect()))
    };
    let learnt = "the run held no rows out; give normal rows that it did not learn from with --fit";
    match own {
        Some(Split::Train) => Ok(Calibration::None(learnt.to_string())),
        Some(Split::Validation) => own_normal(),
        Some(Split::Test) => match saved.data()?.validation {
            Some(validation) => Ok(Calibration::Other(Box::new(some(only_normal(validation, None, scoring)?)))),
            None => own_normal(),
        },
        None => {
            let splits = match saved.data() {
                Ok(splits) => splits,
                Err(error) => {
                    let why = format!("the run's own data cannot be read ({error}); give normal rows with --fit");
                    return Ok(Calibration::None(why));
                }
            };
            match splits.evaluation_split() {
                (Split::Train, _) => Ok(Calibration::None(learnt.to_string())),
                (_, held_out) => Ok(Calibration::Other(Box::new(some(only_normal(held_out.clone(), None, scoring)?)))),
            }
        }
    }
}

/// At most [`MOST`], evenly spaced.
fn some(data: Dataset) -> Dataset {
    if data.rows <= MOST {
        return data;
    }
    let chosen: Vec<usize> = (0..MOST).map(|i| i * data.rows / MOST).collect();
    data.subset(&chosen)
}

/// The rows whose labels say that they are normal, where some are named and these have labels.
fn only_normal(data: Dataset, source: Option<&str>, scoring: &Scoring) -> Result<Dataset> {
    let Some(labels) = labels_of(&data, source, scoring)? else { return Ok(data) };
    let chosen: Vec<usize> = (0..data.rows).filter(|&row| is_normal(&labels, row, scoring)).collect();
    if chosen.is_empty() {
        return Err(Error::invalid(format!(
            "of the rows of {}, none has a label that is normal, which are {}",
            data.name,
            scoring.normal.join(", ")
        )));
    }
    Ok(data.subset(&chosen))
}

fn is_normal(labels: &[String], row: usize, scoring: &Scoring) -> bool {
    scoring.normal.contains(&labels[row])
}

/// The label of each row, where some labels are said to be normal and these rows have labels.
fn labels_of(data: &Dataset, source: Option<&str>, scoring: &Scoring) -> Result<Option<Vec<String>>> {
    if scoring.normal.is_empty() {
        return Ok(None);
    }
    if let (Some(column), Some(source)) = (&scoring.label, source.map(Source::parse))
        && let Source::Path(path) = &source
        && is_table(&source)
    {
        return table_of(path)?.column(column).map(Some);
    }
    // The run's own rows carry the labels that it was trained with, and no others.
    if let Some(column) = &scoring.label
        && data.schema.is_table()
        && !data.schema.of_role(Role::Label).any(|field| field.name == *column)
    {
        return Ok(None);
    }
    let named = |labels: &Labels| (0..data.rows).map(|row| labels.name_of(row)).collect();
    Ok(data.labels.as_ref().map(named))
}

/// Which of the scored rows are known anomalies.
pub struct Truth(pub Vec<bool>);

impl Truth {
    /// What the labels of rows say, where some are named as normal.
    pub fn of(rows: &Dataset, source: Option<&str>, scoring: &Scoring) -> Result<Option<Truth>> {
        if scoring.normal.is_empty() {
            return Ok(None);
        }
        let Some(labels) = labels_of(rows, source, scoring)? else {
            return Err(Error::invalid(format!(
                "the data {} has no labels, and the label {} is said to be that of normal rows: name the column that holds labels \
                 with --label, or leave --normal out",
                rows.name,
                scoring.normal.join(", ")
            )));
        };
        if let Some(unknown) = scoring.normal.iter().find(|name| !labels.contains(name)) {
            let mut known: Vec<&String> = labels.iter().collect();
            known.sort_unstable();
            known.dedup();
            return Err(Error::invalid(format!(
                "no row of {} has the label {unknown}: there are {}",
                rows.name,
                crate::data::schema::some_of(&known)
            )));
        }
        Ok(Some(Truth((0..rows.rows).map(|row| !is_normal(&labels, row, scoring)).collect())))
    }
}
