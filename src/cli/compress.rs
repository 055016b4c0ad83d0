//! `elbo compress` and `elbo decompress`.

use std::io::Write;
use std::path::Path;

use super::args::{CompressArgs, DecompressArgs};
use super::style::{bytes, count};
use super::uses::check_out;
use super::weights::say_weights;
use crate::apps::{Compressed, Saved, beside, compress_to, decompress_to};
use crate::cpu::Cpu;
use crate::error::{Error, Result};

/// Compresses rows.
pub fn compress(args: &CompressArgs) -> Result<()> {
    let mut saved = Saved::load(&args.run, Box::new(Cpu::exact()))?;
    // Said before the data is read.
    saved.session.model.can().compress()?;
    if args.out != Path::new("-") {
        if !args.json {
            say_weights(&saved);
        }
        check_out(&saved, (&args.run, args.force), &args.out, [args.data.as_str()])?;
    }
    let data = saved.plain(&args.data, args.binarise)?;
    let found = compress_to(&mut saved, &data, args.with_model, &args.out)?;
    let others = args.compare.then(|| beside(&data)).transpose()?;
    let mut lines = said(&found, "compressed", &args.out);
    if let Some(others) = others {
        lines.push(format!("gzip -9, all rows in one file: {:.4} bits of a value", others.gzip));
        for (name, bits) in [("PNG", others.png), ("WebP", others.webp)] {
            lines.extend(bits.map(|bits| format!("{name}, each row by itself: {bits:.4} bits of a value")));
        }
    }
    let mut json = serde_json::to_value(&found).map_err(Error::invalid)?;
    json["out"] = serde_json::json!(args.out);
    if let Some(others) = others {
        json["beside"] = serde_json::to_value(others).map_err(Error::invalid)?;
    }
    say(&args.out, args.json, &lines, &json);
    Ok(())
}

/// Gives rows back.
pub fn decompress(args: &DecompressArgs) -> Result<()> {
    let found = decompress_to(&args.file, args.run.as_deref(), &args.out)?;
    let mut json = serde_json::to_value(&found).map_err(Error::invalid)?;
    json["out"] = serde_json::json!(args.out);
    say(&args.out, args.json, &said(&found, "decompressed", &args.out), &json);
    Ok(())
}

fn said(found: &Compressed, what: &str, out: &Path) -> Vec<String> {
    let mut lines = vec![
        format!(
            "{} rows of {} values {what}: {}",
            count(found.rows as u64),
            count(found.features as u64),
            out.display()
        ),
        format!("{}, {:.4} bits of a value", bytes(found.bytes), found.bits_per_dimension),
    ];
    if found.model_bytes > 0 {
        lines.push(format!("and the model, {}", bytes(found.model_bytes)));
    }
    lines
}

/// Where the standard output carries rows, words go to the other stream.
fn say(out: &Path, json: bool, lines: &[String], found: &serde_json::Value) {
    let text = if json { found.to_string() } else { lines.join("\n") };
    match out == Path::new("-") {
        true => drop(writeln!(std::io::stderr(), "{text}")),
        false => println!("{text}"),
    }
}
