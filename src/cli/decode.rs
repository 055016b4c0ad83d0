//! `elbo decode`.

use super::args::DecodeArgs;
use super::style::count;
use super::uses::{check_out, condition, open, print_json};
use crate::error::Result;

/// Writes the rows of codes.
pub fn run(args: &DecodeArgs) -> Result<()> {
    let mut saved = open(&args.common)?;
    check_out(&saved, (&args.common.run, args.common.force), &args.out, [args.codes.as_str()])?;
    let y = condition(&saved, args.label.as_deref(), args.condition.as_deref())?;
    let found = saved.decode_to(&args.codes, &y, &args.out)?;
    if args.common.json {
        return print_json(&found, &args.out);
    }
    println!("{} rows in {}", count(found.rows as u64), args.out.display());
    Ok(())
}
