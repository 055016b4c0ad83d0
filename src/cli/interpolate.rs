//! `elbo interpolate`.

use super::args::InterpolateArgs;
use super::style::significant;
use super::uses::{check_out, open, print_json};
use crate::apps::End;
use crate::error::Result;

/// Draws rows between two rows.
pub fn run(args: &InterpolateArgs) -> Result<()> {
    let mut saved = open(&args.common)?;
    let ends = [&args.from, &args.to]
        .into_iter()
        .filter_map(|end| if let End::File(path) = end { Some(path.as_str()) } else { None });
    check_out(&saved, (&args.common.run, args.common.force), &args.out, args.data.as_deref().into_iter().chain(ends))?;
    let way = (args.way, args.steps as usize);
    let distance = saved.interpolate_to(args.data.as_deref(), [&args.from, &args.to], way, &args.out)?;
    if args.common.json {
        return print_json(&serde_json::json!({ "rows": args.steps, "distance": distance }), &args.out);
    }
    let (distance, out) = (significant(distance, 3), args.out.display());
    println!("{} rows between two whose codes are {distance} apart, in {out}", args.steps);
    Ok(())
}
