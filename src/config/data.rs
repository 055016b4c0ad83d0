//! What is learnt from: the table `[data]`.

use std::collections::BTreeMap;
#[cfg(feature = "cli")]
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::catalogue::Bounds;
use crate::data::sprites::GRID;
use crate::data::{Bytes, Choices, Condition, Options, PictureOptions, PictureSize, RowRange, Source, SpriteOptions};
use crate::error::Result;
use crate::models::ModelEntry;
use crate::problems::Problems;
use crate::settings::settings;
#[cfg(feature = "cli")]
use crate::settings::whole;
use crate::user_cache::cache_folder;

settings! {
    /// What is learnt from.
    DataConfig, options DataOptions, heading "Data", short by fold;

    own {
        /// What to learn: a file, a folder, `-` for standard input, or `sprites` or `digits`, which are built in
        #[arg(long = "data", value_name = "PATH", alias = "path")]
        source: String = "sprites".to_owned();
        /// Rows to choose settings by, where they lie elsewhere: a file or a folder like --data
        #[arg(value_name = "PATH")]
        validation_data: String;
        /// Rows to judge the model by, where they lie elsewhere
        #[arg(value_name = "PATH")]
        test_data: String;
        /// Rows to read, from the first to before the last, counted from 0: as 0..1000
        #[arg(value_name = "A..B", value_parser = RowRange::from_str)]
        rows: RowRange;
        /// Rows held out of training to choose settings by
        ///
        /// 0 holds out a tenth where the data has no test rows of its own, and none where it has.
        #[arg(value_name = "ROWS", value_parser = whole)]
        validation: usize = 0 => (Bounds::Whole(0, MAX_ROWS));
        /// Whether pixels become black or white
        #[arg(value_name = "HOW", alias = "binarize")]
        binarise: Binarise = Binarise::Never;
        /// What a model that is told something of every row (--model cvae) is told
        #[arg(value_name = "WHAT")]
        condition: Condition = Condition::Labels;
        /// Rows whose labels are used, as many of each class, chosen by the seed; those of the rest are not looked at
        ///
        /// For models that learn from labels of some rows and from the pictures of all (--model m2).
        #[arg(value_name = "N", value_parser = whole)]
        labels: usize => (Bounds::Whole(1, MAX_ROWS));
        /// The column of a table that holds the class of each row
        #[arg(value_name = "COLUMN")]
        label: String;
        /// Columns of a table that a conditional model (--model cvae) is told with every row
        #[arg(value_name = "COLUMN,...", value_delimiter = ',')]
        condition_on: Vec<String> = vec![];
        /// Columns of a table that hold the factors that rows were made from, which codes are held against
        #[arg(value_name = "COLUMN,...", value_delimiter = ',')]
        factors: Vec<String> = vec![];
        /// The column of a table that says of each row whether it is for train, validation or test
        #[arg(value_name = "COLUMN")]
        split: String;
        /// The column of a table that says by how much each row counts, in training and in means over rows
        ///
        /// Weights are numbers from 0, taken relative to their mean over the rows of a part.
        #[arg(value_name = "COLUMN")]
        weight: String;
        /// Columns of a table to leave out
        #[arg(value_name = "COLUMN,...", value_delimiter = ',')]
        ignore: Vec<String> = vec![];
        /// What columns of a table are, by name, where that is not to be guessed: `real`, `positive`, `count`, `ordinal`, `category`,
        /// `date` or `id`
        #[of_files(skip)]
        columns: BTreeMap<String, String> = BTreeMap::new();
    }
    short {
        /// What a column of a table is, where the guess is wrong: real, positive, count, ordinal, category, date or id
        #[arg(value_name = "NAME=KIND", value_parser = column)]
        #[serde(skip)]
        column: Vec<(String, String)>;
    }
    own {
        /// The most memory that data may take, such as 500MB or 4GiB; what is larger stays on disk, and is read as it is trained on
        ///
        /// Rows are then shuffled within windows of a quarter of it. Left out, it is half of the machine's memory, or of the graphics
        /// card's where that is less.
        #[arg(value_name = "BYTES", value_parser = Bytes::from_str)]
        memory: Bytes;
        /// Height and width that the pictures of a folder or an archive are brought to, as 64 or 48x64
        ///
        /// They are cut around the middle to these proportions and scaled by Lanczos resampling. Without it, pictures that all have
        /// one size of at most 64x64 keep it, and others become 64x64.
        #[arg(value_name = "N|HxW", value_parser = PictureSize::from_str)]
        size: PictureSize;
        /// How many whole numbers pixels are among, from 0: 256 for bytes, 17 for numbers from 0 to 16
        ///
        /// They are divided by one less. Without it: 2 where there are only 0 and 1, as many as occur up to 65, else 256.
        #[arg(value_name = "N", value_parser = whole)]
        levels: usize => (Bounds::Whole(2, 256));
        /// Whether columns of an array of vectors, or channels of pictures, are scaled to mean 0 and standard deviation 1 over the training
        /// rows [default: columns that are not all from 0 to 1, where the likelihood is one of any values]
        #[arg(value_name = "BOOL", visible_alias = "normalise", alias = "normalize", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
        standardise: bool;
        /// Height and width of the built-in sprites, in pixels
        #[arg(value_name = "PIXELS", value_parser = whole)]
        resolution: usize = 32 => (Bounds::Whole(8, 1024));
        /// Number of built-in sprites to train on [default: 20,000]
        #[arg(value_name = "N", value_parser = whole)]
        count: usize => (Bounds::Whole(1, GRID as u64));
        /// Built-in sprites in black and white, without grey edges
        #[arg(value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
        binary: bool = false;
        /// All 737,280 built-in sprites, in black and white, without test rows
        #[arg(value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
        full: bool = false;
    }
}

/// More rows than any data set has.
const MAX_ROWS: u64 = 1_000_000_000;

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

/// NAME=KIND, of which a name may hold more signs of equality.
#[cfg(feature = "cli")]
fn column(text: &str) -> std::result::Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((name, kind)) if !name.is_empty() => Ok((name.to_string(), kind.to_string())),
        _ => Err("give the name of a column and what it is, as in age=count".to_string()),
    }
}

impl DataOptions {
    /// Adds columns that are given one by one to those that are known.
    fn fold(&self, config: &mut DataConfig) -> Result<()> {
        config.columns.extend(self.column.iter().flatten().cloned());
        Ok(())
    }
}

impl DataConfig {
    /// The settings that count where rows lie in memory; the others are about where they come from.
    pub(crate) const OF_ROWS: &[&str] = &["validation", "binarise", "condition", "labels", "levels", "standardise"];

    /// What a conditional model is told.
    pub fn told(&self) -> Condition {
        if self.condition_on.is_empty() { self.condition } else { Condition::Vectors }
    }

    /// Where the rows come from.
    pub fn parsed_source(&self) -> Source {
        Source::parse(&self.source)
    }

    /// How to open the source; `seed` decides which rows are held out and which sprites are drawn.
    pub fn options(&self, seed: u64) -> Options {
        let sprites =
            SpriteOptions { resolution: self.resolution, count: self.count, full: self.full, binary: self.binary };
        let columns = Choices {
            label: self.label.clone(),
            conditions: self.condition_on.clone(),
            factors: self.factors.clone(),
            split: self.split.clone(),
            weight: self.weight.clone(),
            ignore: self.ignore.clone(),
            kinds: self.columns.clone(),
        };
        let pictures = PictureOptions { size: self.size, cache: cache_folder() };
        Options {
            validation: self.validation,
            seed,
            sprites,
            columns,
            pictures,
            memory: self.memory.map(Bytes::get),
            schema: None,
            levels: self.levels,
            standardise: self.standardise.unwrap_or(true),
            beside: false,
            rows: self.rows,
            validation_data: self.validation_data.as_ref().map(Into::into),
            test_data: self.test_data.as_ref().map(Into::into),
        }
    }

    /// What a kind of model has no use for.
    pub(super) fn check_kind(&self, kind: &ModelEntry, problems: &mut Problems) {
        problems.note(
            !kind.is_conditional() && self.condition != Condition::default(),
            format!("`condition` is {}, and a model of `kind` {kind} is told nothing of rows: leave it out, or train a cvae", self.condition),
        );
        problems.note(
            !kind.is_conditional() && !self.condition_on.is_empty(),
            format!("`condition-on` is about models that are told something of every row, and `kind` is {kind}: leave it out, or train a cvae"),
        );
        problems.note(
            !self.condition_on.is_empty() && self.condition != Condition::default(),
            format!(
                "`condition-on` says which columns a model is told, and `condition` is {}: give one of the two",
                self.condition
            ),
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
        problems.all(self.out_of_bounds());
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
        problems.note(
            self.full && self.count.is_some(),
            "`full` asks for all the sprites there are, and `count` for a number of them: give one of the two",
        );
        if matches!(self.parsed_source(), Source::Sprites | Source::Digits) {
            let elsewhere = [
                ("rows", self.rows.is_some()),
                ("validation-data", self.validation_data.is_some()),
                ("test-data", self.test_data.is_some()),
                ("weight", self.weight.is_some()),
            ];
            for (key, _) in elsewhere.iter().filter(|(_, given)| *given) {
                let problem = format!(
                    "`{key}` is about rows of files, and the data is {}, which is built in: leave it out",
                    self.source
                );
                problems.note(true, problem);
            }
        }
        problems.note(
            self.validation_data.is_some() && self.validation > 0,
            "`validation-data` says where rows for validation lie, and `validation` holds some out of the others: give one of the two",
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
