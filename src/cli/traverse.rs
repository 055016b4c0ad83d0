//! `elbo traverse`.

use super::args::TraverseArgs;
use super::uses::{check_out, condition, open, print_json};
use crate::apps::Traversal;
use crate::error::Result;

/// Draws what dimensions mean.
pub fn run(args: &TraverseArgs) -> Result<()> {
    let mut saved = open(&args.common)?;
    check_out(&saved, (&args.common.run, args.common.force), &args.out, args.data.as_deref())?;
    let y = match (&args.label, &args.condition) {
        (None, None) => None,
        (label, numbers) => Some(condition(&saved, label.as_deref(), numbers.as_deref())?),
    };
    let wanted = Traversal { dimensions: args.dimensions as usize, steps: args.steps as usize, row: args.row };
    let found = saved.traverse_to(args.data.as_deref(), wanted, y.as_deref(), &args.out)?;
    if args.common.json {
        return print_json(&serde_json::json!({ "dimensions": found }), &args.out);
    }
    println!("{} dimensions, {} values of each, in {}", found.len(), args.steps, args.out.display());
    Ok(())
}
