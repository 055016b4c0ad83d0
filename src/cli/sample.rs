//! `elbo sample`.

use super::args::SampleArgs;
use super::weights::{join, say_weights};
use crate::apps::pictures::{Captions, save_grid_with};
use crate::apps::{Draws, Form, Saved, open_device};
use crate::data::{FileKind, NEW_PICTURES, Output, PictureFolder, ROWS};
use crate::error::{Error, Result};

/// Draws new rows from a trained model.
pub fn run(args: &SampleArgs) -> Result<()> {
    let mut saved = Saved::load(&args.run, open_device(&args.device)?)?;
    join(&mut saved, args.weight_draws, args.seed)?;
    say_weights(&saved);
    let can = saved.session.model.can();
    let advice = match (can.fit_prior.is_some(), can.reconstruct.is_some()) {
        (true, _) => format!("give it one with `elbo fit-prior {}`", args.run.display()),
        (false, true) => "train with --model vae, or look at `elbo reconstruct`".to_string(),
        (false, false) => "train with --model vae, or look at `elbo evaluate`".to_string(),
    };
    can.generate().map_err(|refusal| Error::malformed(&args.run, format!("{refusal}: {advice}")))?;
    let Wanted { count, y, columns, which, names, labels } = Wanted::of(args, &saved.form)?;
    let is_table = saved.form.schema.is_table();
    let (usual, takes) = if is_table { ("samples.csv", ROWS) } else { ("samples.png", NEW_PICTURES) };
    let keep = saved.keep(None, args.force);
    let out = Output::given_or(args.out.as_deref(), &saved.folder.join(usual), takes, &keep)?;
    let shape = saved.form.shape();
    // Whether there can be such a folder is seen before rows are drawn.
    let is_folder = out.kind() == FileKind::Folder;
    let folder = is_folder.then(|| PictureFolder::begin(out.path(), shape, count)).transpose()?;
    let draws = Draws { temperature: args.temperature, truncate: args.truncate };
    let rows = saved.new_rows(count, &y, draws, args.seed)?;
    if let Some(mut folder) = folder {
        for (i, row) in rows.chunks_exact(shape.features()).enumerate() {
            folder.add(row, labels.get(i).map(String::as_str))?;
        }
        folder.finish()?;
    } else if out.kind().is_picture() {
        save_grid_with(out.path(), &rows, shape, columns, &Captions { rows: &names, columns: &[] })?;
    } else {
        out.write_rows(&saved.form.drawn(&rows, &labels))?;
    }
    println!("{count} new rows {which}in {}", out.path().display());
    Ok(())
}

/// Which rows are drawn.
struct Wanted {
    count: usize,
    /// What the model is given with each of them `[count, condition]`.
    y: Vec<f32>,
    /// How many stand side by side.
    columns: usize,
    /// Which they are, for people.
    which: String,
    /// The names of the grid's rows, where it has one for each label.
    names: Vec<String>,
    /// The label that each row is drawn for, where they are.
    labels: Vec<String>,
}

impl Wanted {
    fn of(args: &SampleArgs, form: &Form) -> Result<Wanted> {
        let (count, classes) = (args.count as usize, form.classes.len());
        let columns = (count as f64).sqrt().ceil() as usize;
        let alike = |y: &[f32], which: String| Wanted {
            count,
            y: y.repeat(count),
            columns,
            which,
            names: vec![],
            labels: vec![],
        };
        match (&args.label, &args.condition) {
            (Some(label), _) => {
                let wanted = alike(&form.label(label)?, format!("of the label {label} "));
                Ok(Wanted { labels: vec![label.clone(); count], ..wanted })
            }
            (None, Some(y)) => {
                let y = form.condition_of(y)?;
                if let Some(warning) = form.check_condition(&y)? {
                    eprintln!("Warning: {warning}");
                }
                Ok(alike(&y, String::new()))
            }
            (None, None) if form.condition == 0 => Ok(alike(&[], String::new())),
            (None, None) if classes == 0 => Err(Error::invalid(format!(
                "the model is given {} numbers with every row: say which with --condition X,X,...",
                form.condition
            ))),
            (None, None) => {
                let columns = count.div_ceil(classes);
                let which = format!("({columns} of each label) ");
                let names = form.classes.clone();
                let labels = form.names_of_every_label(columns);
                Ok(Wanted { count: classes * columns, y: form.every_label(columns), columns, which, names, labels })
            }
        }
    }
}
