//! `elbo export`.

use super::args::ExportArgs;
use super::style::bytes;
use super::uses::{check_out, open};
use crate::apps::{ExportedContent, Exporting, OnnxPort};
use crate::error::Result;
use crate::spoken::count;

/// Writes a model for other hosts.
pub fn run(args: &ExportArgs) -> Result<()> {
    let common = &args.common;
    let mut saved = open(common)?;
    check_out(&saved, (&common.run, common.force), &args.to, args.data.as_deref())?;
    let rows = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
    let wanted = Exporting {
        data: args.data.clone(),
        training: args.with_data.map(rows),
        epochs: args.epochs,
        seed: common.seed,
        part: args.part,
        rows: args.batch.map(rows),
    };
    let found = saved.export_to(&args.to, &wanted, common.force)?;
    if common.json {
        println!("{}", serde_json::json!(found));
        return Ok(());
    }
    let ends_in = |ending: &str| found.out.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending));
    let what = match &found.content {
        ExportedContent::Onnx { part, .. } => format!("the {part} for whatever runs ONNX"),
        ExportedContent::Weights { tensors, .. } => format!("{tensors} tensors for PyTorch"),
        ExportedContent::Programs { .. } if ends_in("html") => "open it in a browser with WebGPU".to_string(),
        ExportedContent::Programs { .. } => "programs as docs/program.md describes them".to_string(),
    };
    let numbers = match &found.content {
        ExportedContent::Programs { rows, .. } if *rows > 0 => "weights and rows",
        _ => "weights",
    };
    println!(
        "{} in {}, of which {} are {numbers}: {what}",
        bytes(found.bytes as u64),
        found.out.display(),
        bytes(found.bytes_of_numbers as u64)
    );
    match &found.content {
        ExportedContent::Programs { steps, rows, .. } if *steps > 0 => {
            println!("Training can go on for {} steps over {} rows", count(*steps as u64), count(*rows as u64));
        }
        ExportedContent::Onnx { inputs, outputs, .. } => {
            let batch = args.batch.map_or("batch".to_string(), |rows| rows.to_string());
            println!("Inputs: {}; outputs: {}", ports(inputs, &batch), ports(outputs, &batch));
        }
        ExportedContent::Weights { script: Some(script), .. } => {
            println!("{} builds the networks in PyTorch and loads them", script.display());
        }
        ExportedContent::Weights { .. } | ExportedContent::Programs { .. } => {}
    }
    for note in &found.notes {
        println!("{note}");
    }
    Ok(())
}

/// Names with shapes.
fn ports(ports: &[OnnxPort], batch: &str) -> String {
    let one = |port: &OnnxPort| {
        let sizes = port.sizes.iter().map(usize::to_string);
        let sizes: Vec<String> = std::iter::once(batch.to_string()).chain(sizes).collect();
        format!("{} [{}]", port.name, sizes.join(", "))
    };
    ports.iter().map(one).collect::<Vec<String>>().join(", ")
}
