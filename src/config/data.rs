//! What is learnt from: the table `[data]`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Preset;
use crate::data::{Choices, Condition, Options, PictureOptions, PictureSize, Source, SpriteOptions};
use crate::models::Architecture;
use crate::problems::Problems;
use crate::user_cache::cache_folder;

/// What is learnt from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DataConfig {
    /// `sprites` or `digits`, which are built in, or the path of a file or folder.
    pub source: String,
    /// Training rows held out to choose settings by. 0 holds out a tenth where the source has no test rows of its own, and
    /// none where it has.
    pub validation: usize,
    /// Whether pixels become black or white, and how.
    pub binarise: Binarise,
    /// What a model that is told something of every row is told.
    pub condition: Condition,
    /// Number of rows whose labels a semi-supervised model uses, as many of each class, chosen by the seed; all when not
    /// given.
    pub labels: Option<usize>,
    /// The column of a table that holds the class of each row.
    pub label: Option<String>,
    /// Columns of a table that are left out.
    pub ignore: Vec<String>,
    /// What columns of a table are, by name, where that is not to be guessed: `real`, `positive`, `count`, `ordinal`, `category`,
    /// or `id`.
    pub columns: BTreeMap<String, String>,
    /// Height and width that the pictures of a folder or an archive are brought to; chosen by what they are when not given.
    pub size: Option<PictureSize>,
    /// Height and width of the built-in sprites, in pixels.
    pub resolution: usize,
    /// Number of built-in sprites to train on; 20,000 when not given.
    pub count: Option<usize>,
    /// Built-in sprites in black and white, without grey edges.
    pub binary: bool,
    /// The whole grid of the built-in sprites, 737,280 of them, instead of a random part.
    pub full: bool,
}

/// Whether pixels become black or white, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Binarise {
    /// Pixels stay as they are, with their greys
    #[default]
    Never,
    /// Each time a row is seen, a pixel of brightness p becomes 1 with probability p, else 0
    Dynamic,
}

impl Default for DataConfig {
    fn default() -> Self {
        Preset::default().config().data
    }
}

impl DataConfig {
    /// Where the rows come from.
    pub fn parsed_source(&self) -> Source {
        Source::parse(&self.source)
    }

    /// How to open the source; `seed` decides which rows are held out and which sprites are drawn.
    pub fn options(&self, seed: u64) -> Options {
        let sprites =
            SpriteOptions { resolution: self.resolution, count: self.count, full: self.full, binary: self.binary };
        let columns = Choices { label: self.label.clone(), ignore: self.ignore.clone(), kinds: self.columns.clone() };
        let pictures = PictureOptions { size: self.size, cache: cache_folder() };
        Options { validation: self.validation, seed, sprites, columns, pictures, schema: None }
    }

    /// What a kind of model has no use for.
    pub(super) fn check_kind(&self, kind: Architecture, problems: &mut Problems) {
        problems.note(
            !kind.is_conditional() && self.condition != Condition::default(),
            format!("`condition` is {}, and a model of `kind` {kind} is told nothing of rows: leave it out, or train a cvae", self.condition),
        );
        problems.note(
            kind.is_semi_supervised() && self.condition != Condition::Labels,
            format!(
                "`condition` is {}, and a model of `kind` {kind} learns labels: leave it out, or train a cvae",
                self.condition
            ),
        );
        problems.note(
            !kind.is_semi_supervised() && self.labels.is_some(),
            format!("`labels` is about models that learn from some labels, and `kind` is {kind}: leave it out, or train an m2"),
        );
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        if let Some(labels) = self.labels {
            problems.within("labels", labels as u64, 1..=1_000_000_000);
        }
        problems.note(
            self.source.trim().is_empty(),
            "`source` is empty: give the path of a file or folder, or `sprites` or `digits`, which are built in",
        );
        if let Some(size) = self.size {
            let most = PictureSize::MOST;
            problems.note(!size.is_usable(), format!("`size` is {size}: give pixels from 1 to {most}, as 64 or 48x64"));
            problems.note(
                !matches!(self.parsed_source(), Source::Path(_)),
                format!(
                    "`size` is about pictures in a folder or an archive, and the data is {}: leave it out",
                    self.source
                ),
            );
        }
        problems.within("resolution", self.resolution as u64, 8..=1024);
        if let Some(count) = self.count {
            problems.within("count", count as u64, 1..=crate::data::sprites::GRID as u64);
        }
        problems.note(
            self.full && self.count.is_some(),
            "`full` asks for all the sprites there are, and `count` for a number of them: give one of the two",
        );
        if self.parsed_source() != Source::Sprites {
            let given = [("count", self.count.is_some()), ("binary", self.binary), ("full", self.full)];
            for (key, _) in given.iter().filter(|(_, given)| *given) {
                let problem = format!(
                    "`{key}` is about the built-in sprites, and the data comes from {}: leave it out",
                    self.source
                );
                problems.note(true, problem);
            }
        }
    }
}
