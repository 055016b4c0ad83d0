//! `elbo reconstruct`.

use super::args::ReconstructArgs;
use super::style::{Align, Table, significant};
use super::uses::{check_out, open_all, print_json};
use crate::apps::{Cleaned, Rebuilt, Saved};
use crate::data::{Output, PICTURES_OR_ROWS, ROWS};
use crate::error::{Error, Result};

/// Rows in a picture, where nobody says how many.
const SHOWN: u64 = 16;
/// The most of them.
const MOST_SHOWN: u64 = 10_000;

/// Shows rows above what a trained model makes of them.
pub fn run(args: &ReconstructArgs) -> Result<()> {
    let mut saved = open_all(&args.common)?;
    let data = args.data.as_deref();
    let count = |is_picture: bool| -> Result<usize> {
        if let Some(count) = args.count.filter(|&count| is_picture && count > MOST_SHOWN) {
            return Err(Error::invalid(format!(
                "--count is {count}, and a picture shows at most {MOST_SHOWN} rows: give fewer, or a file of rows as --out"
            )));
        }
        let count = args.count.unwrap_or(if is_picture { SHOWN } else { u64::MAX });
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    };
    let is_table = saved.form.schema.is_table();
    if let Some(codes) = args.uncertainty {
        let draws = (codes as usize, args.weight_draws as usize);
        return match is_table {
            true => tell_of_table(args, &mut saved, count(false)?, draws),
            false => tell_of_values(args, &mut saved, count, draws),
        };
    }
    let (usual, takes) =
        if is_table { ("reconstructions.csv", ROWS) } else { ("reconstructions.png", PICTURES_OR_ROWS) };
    let keep = saved.keep(data, args.common.force);
    let out = Output::given_or(args.out.as_deref(), &saved.folder.join(usual), takes, &keep)?;
    let is_picture = out.kind().is_picture();
    let corrupt = args.corrupt.as_ref().map(|way| (way, args.common.seed));
    let Rebuilt { rows, cleaned } = saved.reconstruct_to(data, count(is_picture)?, corrupt, &out)?;
    if args.common.json {
        return print_json(&Rebuilt { rows, cleaned }, &out.path());
    }
    match is_picture {
        true => println!("{rows} rows above their reconstructions in {}", out.path().display()),
        false => println!("What the model makes of {rows} rows: {}", out.path().display()),
    }
    if let Some(Cleaned { corrupted, rebuilt }) = cleaned {
        println!(
            "Mean squared error: {corrupted:.6} of the corrupted rows, {rebuilt:.6} of what the model makes of them"
        );
    }
    Ok(())
}

/// How sure the model is of pictures and vectors.
fn tell_of_values(
    args: &ReconstructArgs,
    saved: &mut Saved,
    count: impl Fn(bool) -> Result<usize>,
    draws: (usize, usize),
) -> Result<()> {
    let data = args.data.as_deref();
    let usual = saved.folder.join(if saved.form.shape().is_picture() { "uncertainty.png" } else { "uncertainty.npz" });
    let out = args.out.as_deref().unwrap_or(&usual);
    if args.out.is_some() {
        check_out(saved, (&args.common.run, args.common.force), out, data)?;
    }
    let count = count(out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png")))?;
    let found = saved.uncertainty_to(data, count, draws, out, args.common.seed)?;
    if args.common.json {
        return print_json(&found, &out);
    }
    println!("How sure the model is of {} rows: {}", found.rows, out.display());
    println!(
        "Var[x] = Var_z E[x|z] + E_z Var[x|z]: standard deviations {:.4} of codes and {:.4} of the likelihood",
        found.sd_of_codes, found.sd_of_likelihood
    );
    if let Some(sd) = found.sd_of_weights {
        println!("{}{sd:.4}", of_weights(args, saved));
    }
    if let Some(lightest) = found.lightest {
        println!("In the picture, all run from dark, 0, to light, {lightest:.4} or more");
    }
    Ok(())
}

/// How sure the model is of the cells of a table.
fn tell_of_table(args: &ReconstructArgs, saved: &mut Saved, count: usize, draws: (usize, usize)) -> Result<()> {
    let data = args.data.as_deref();
    let keep = saved.keep(data, args.common.force);
    let out = Output::given_or(args.out.as_deref(), &saved.folder.join("uncertainty.csv"), ROWS, &keep)?;
    let found = saved.table_uncertainty_to(data, count, draws, &out, args.common.seed)?;
    if args.common.json {
        return print_json(&found, &out.path());
    }
    println!("How sure the model is of {} rows: {}", found.rows, out.path().display());
    println!("Var[x] = Var_z E[x|z] + E_z Var[x|z]: standard deviations in the unit of each column\n");
    let right = |name| (name, Align::Right);
    let mut heads = vec![("column", Align::Left), right("of codes"), right("of the likelihood")];
    let has_weights = found.columns.iter().any(|column| column.sd_of_weights.is_some());
    heads.extend(has_weights.then(|| right("of weights")));
    let mut table = Table::new(&heads);
    for column in &found.columns {
        let of_parts = [Some(column.sd_of_codes), Some(column.sd_of_likelihood), column.sd_of_weights];
        let cells = of_parts.into_iter().flatten().map(|sd| significant(sd, 3));
        table.row([column.name.clone()].into_iter().chain(cells).collect::<Vec<_>>());
    }
    print!("{table}");
    if has_weights {
        println!("\n{}", of_weights(args, saved).trim_end_matches(": "));
    }
    Ok(())
}

fn of_weights(args: &ReconstructArgs, saved: &Saved) -> String {
    let over = match saved.session.members() {
        1 => format!("{} draws of the weights", args.weight_draws),
        members => format!("{members} members"),
    };
    format!("These are means over {over}, to which Var_w E[x|w] comes besides: ")
}
