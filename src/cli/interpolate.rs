//! `elbo interpolate`.

use super::args::InterpolateArgs;
use super::style::significant;
use super::uses::{open, print_json};
use crate::error::Result;

/// Draws rows between two rows.
pub fn run(args: &InterpolateArgs) -> Result<()> {
    let mut saved = open(&args.common)?;
    let way = (args.way, args.steps as usize);
    let distance = saved.interpolate_to(args.data.as_deref(), [&args.from, &args.to], way, &args.out)?;
    if args.common.json {
        return print_json(&serde_json::json!({ "rows": args.steps, "distance": distance }), &args.out);
    }
    let (distance, out) = (significant(distance, 3), args.out.display());
    println!("{} rows between two whose codes are {distance} apart, in {out}", args.steps);
    Ok(())
}
