//! The table of scores: a line for each row.

use super::{Scores, Scoring, columns};
use crate::apps::Saved;
use crate::apps::uses::ids::Ids;
use crate::apps::uses::parts::parts;
use crate::apps::uses::write::{Lines, number};
use crate::data::Dataset;
use crate::error::Result;

/// What a line says besides its row.
pub(super) struct Columns<'a> {
    pub ids: &'a Ids,
    pub scores: &'a Scores,
    pub p_values: &'a [f64],
    pub marked: &'a [bool],
}

impl Saved {
    pub(super) fn write_scores(
        &mut self,
        file: &mut dyn std::io::Write,
        rows: &Dataset,
        all: &Columns,
        scoring: &Scoring,
        usual: Option<&[f64]>,
    ) -> Result<()> {
        let several = scoring.kinds.len() > 1;
        let mut names = vec!["row".to_string()];
        names.extend(all.ids.names.iter().cloned());
        names.extend(rows.labels.as_ref().map(|_| "label".to_string()));
        names.extend(["score", "p_value", "anomaly"].map(String::from));
        if several {
            names.extend(scoring.kinds.iter().map(|kind| kind.name().to_string()));
        }
        names.extend(all.scores.errors.as_ref().map(|_| "likelihood_error".to_string()));
        let tells_columns = usual.is_some() && self.form.schema.is_table();
        names.extend(tells_columns.then(|| "oddest".to_string()));
        let mut lines = Lines::new(file, names)?;
        for part in parts("looking where", rows) {
            let odd = match usual.filter(|_| tells_columns) {
                Some(usual) => self.odd_columns(&part, scoring, usual)?,
                None => vec![],
            };
            for place in 0..part.rows {
                let row = part.start + place;
                let mut cells = vec![row.to_string()];
                cells.extend(all.ids.row(row).map(String::from));
                cells.extend(rows.labels.as_ref().map(|labels| labels.name_of(row)));
                cells.push(number(all.scores.by_kind[0][row]));
                cells.push(number(all.p_values[row]));
                cells.push(u8::from(all.marked[row]).to_string());
                if several {
                    cells.extend(all.scores.by_kind.iter().map(|scores| number(scores[row])));
                }
                cells.extend(all.scores.errors.as_ref().map(|errors| number(errors[row])));
                cells.extend(odd.get(place).map(|columns| columns::in_words(columns)));
                lines.line(cells)?;
            }
        }
        lines.finish()
    }
}
