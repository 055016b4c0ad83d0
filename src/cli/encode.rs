//! `elbo encode`.

use super::args::EncodeArgs;
use super::style::count;
use super::uses::{check_out, open, print_json};
use crate::error::Result;

/// Writes the codes of rows.
pub fn run(args: &EncodeArgs) -> Result<()> {
    let mut saved = open(&args.common)?;
    check_out(&saved, (&args.common.run, args.common.force), &args.out, args.data.as_deref())?;
    let found = saved.encode_to(args.data.as_deref(), &args.out, args.draws as usize, args.common.seed)?;
    if args.common.json {
        return print_json(&found, &args.out);
    }
    let (rows, out) = (count(found.rows as u64), args.out.display());
    println!("Codes of {rows} rows, {} dimensions each, in {out}", found.latent);
    if let Some(draws) = found.estimated_from {
        println!("Means and standard deviations are estimated from {} codes of each row", count(draws as u64));
    }
    Ok(())
}
