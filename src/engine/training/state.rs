//! Where a run stands: all that is needed, with weights and moments, to go on bit for bit.

use std::collections::BTreeMap;

use super::accumulator::Sums;
use super::best::Best;
use super::runaway::Extents;

/// The counters of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Steps done in all; the counter of the random generator and of Adam.
    pub step: u64,
    /// The epoch under way, from 0.
    pub epoch: u64,
    /// Batches of it that are done.
    pub batch: u64,
    /// What they summed up to.
    pub sums: Sums,
    /// The best epoch so far, where that is looked for.
    pub best: Option<Best>,
    /// How often the run has gone back to an earlier state, as its numbers ran away. The learning rate and the noise follow from it.
    pub retries: u64,
    /// What losses and gradients were so far.
    pub extents: Extents,
}

impl State {
    /// The state as words for a checkpoint's metadata; sums are written as the bits of their f64s.
    pub fn to_metadata(&self) -> BTreeMap<String, String> {
        let sums: Vec<String> = self.sums.totals.iter().map(|(sum, _)| format!("{:016x}", sum.to_bits())).collect();
        let rows: Vec<String> = self.sums.totals.iter().map(|(_, rows)| rows.to_string()).collect();
        let mut metadata = BTreeMap::from([
            ("step".to_string(), self.step.to_string()),
            ("epoch".to_string(), self.epoch.to_string()),
            ("batch".to_string(), self.batch.to_string()),
            ("sums".to_string(), sums.join(" ")),
            ("sums_rows".to_string(), if rows.is_empty() { "0".to_string() } else { rows.join(" ") }),
        ]);
        if let Some(best) = &self.best {
            metadata.extend(best.to_metadata());
        }
        if self.retries > 0 {
            metadata.insert("retries".to_string(), self.retries.to_string());
        }
        metadata.insert("extents".to_string(), self.extents.to_word());
        metadata
    }

    /// The state that [`State::to_metadata`] wrote, or the name of the entry that is missing or is no number.
    pub fn from_metadata(metadata: &BTreeMap<String, String>) -> Result<State, String> {
        let number = |name: &str| -> Result<u64, String> {
            metadata.get(name).and_then(|v| v.parse().ok()).ok_or_else(|| name.to_string())
        };
        let sums = metadata.get("sums").ok_or("sums")?;
        let values: Option<Vec<f64>> =
            sums.split_whitespace().map(|word| Some(f64::from_bits(u64::from_str_radix(word, 16).ok()?))).collect();
        let values = values.ok_or("sums")?;
        let rows = metadata.get("sums_rows").ok_or("sums_rows")?;
        let rows: Option<Vec<u64>> = rows.split_whitespace().map(|rows| rows.parse().ok()).collect();
        let rows = match rows.as_deref() {
            // As runs wrote it whose statistics all came with every batch.
            Some(&[one]) => vec![one; values.len()],
            Some(rows) if rows.len() == values.len() && !rows.is_empty() => rows.to_vec(),
            _ => return Err("sums_rows".to_string()),
        };
        let step = number("step")?;
        Ok(State {
            step,
            epoch: number("epoch")?,
            batch: number("batch")?,
            sums: Sums { totals: values.into_iter().zip(rows).collect() },
            best: Best::from_metadata(metadata)?,
            retries: if metadata.contains_key("retries") { number("retries")? } else { 0 },
            // Older checkpoints do not have them: then they begin anew.
            extents: match metadata.get("extents") {
                // Of more steps than there were, it is damaged.
                Some(word) => {
                    Extents::from_word(word).filter(|extents| extents.steps_outside() <= step).ok_or("extents")?
                }
                None => Extents::default(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_survives_its_metadata() {
        let sums = Sums { totals: vec![(0.1 + 0.2, 77), (-1e300, 8), (f64::MIN_POSITIVE, 77)] };
        let best = Some(Best { epoch: 3, step: 900, loss: 0.1 + 0.2 });
        let mut extents = Extents::default();
        [(3.5, None), (-1.25, Some(0.1 + 0.2)), (1e9, None)]
            .into_iter()
            .for_each(|(loss, norm)| _ = extents.note(loss, norm));
        let state = State { step: 1234, epoch: 5, batch: 67, sums, best, retries: 2, extents };
        assert_eq!(State::from_metadata(&state.to_metadata()), Ok(state.clone()));
        let mut old = state.to_metadata();
        old.insert("sums_rows".to_string(), "5".to_string());
        let rows = State::from_metadata(&old).unwrap().sums.totals.iter().map(|(_, rows)| *rows).collect::<Vec<_>>();
        assert_eq!(rows, [5, 5, 5]);
        old.insert("sums_rows".to_string(), "5 6".to_string());
        assert_eq!(State::from_metadata(&old), Err("sums_rows".to_string()));
        let mut torn = state.to_metadata();
        let three = |word: &String| word.rsplit_once(' ').map(|(three, _)| three.to_string()).unwrap();
        let extents = BTreeMap::from([("extents".to_string(), three(&state.to_metadata()["extents"]))]);
        let older: BTreeMap<_, _> = state.to_metadata().into_iter().chain(extents).collect();
        assert_eq!(State::from_metadata(&older), Ok(state.clone()), "as it was written before");
        for (entry, word) in [("extents", "1 2 3"), ("extents", "- - 0 1235"), ("retries", "-1")] {
            let torn = [(entry.to_string(), word.to_string())];
            let torn: BTreeMap<_, _> = state.to_metadata().into_iter().chain(torn).collect();
            assert_eq!(State::from_metadata(&torn), Err(entry.to_string()));
        }
        torn.insert("step".to_string(), "many".to_string());
        assert_eq!(State::from_metadata(&torn), Err("step".to_string()));
        let mut without = state.to_metadata();
        without.remove("best_loss");
        assert_eq!(State::from_metadata(&without), Err("best_loss".to_string()));
        torn.remove("sums");
        assert!(State::from_metadata(&torn).is_err());
    }
}
