//! `elbo kernels`.

use super::args::{KernelsArgs, KernelsCommand, ShowKernelArgs};
use super::style::{Align, Table};
use crate::apps::shader_traits;
use crate::error::{Error, Result};
use crate::kernels::table::{Case, Row, TABLE};
use crate::kernels::{Kernel, Traits, readable};

/// Lists the kernels, or shows the WGSL of one.
pub fn run(args: &KernelsArgs) -> Result<()> {
    match &args.command {
        None => list(),
        Some(KernelsCommand::Show(args)) => show(args)?,
    }
    Ok(())
}

fn list() {
    let columns = [("kernel", Align::Left), ("cases", Align::Right), ("what it computes", Align::Left)];
    let mut table = Table::new(&columns);
    for row in TABLE {
        table.row([row.name.to_string(), (row.cases)().len().to_string(), row.summary.to_string()]);
    }
    println!("{table}");
    println!("The shader of one, as a device is given it: elbo kernels show NAME");
}

fn show(args: &ShowKernelArgs) -> Result<()> {
    let row = TABLE.iter().find(|row| row.name == args.name).ok_or_else(|| {
        let names: Vec<&str> = TABLE.iter().map(|row| row.name).collect();
        Error::invalid(format!("no kernel is named `{}`; there are {}", args.name, names.join(", ")))
    })?;
    let cases = (row.cases)();
    if args.cases {
        cases.iter().for_each(|case| println!("{}", case.label));
        return Ok(());
    }
    let case = chosen(row, &cases, args.case.as_deref())?;
    let (device, traits) = shader_traits(&args.device)?;
    print!("{}", listing(&*case.kernel, &format!("{} {}", row.name, case.label), &device, &traits));
    Ok(())
}

/// The case of that label, or else the first whose label contains the word; without one, the first of a real model.
fn chosen<'a>(row: &Row, cases: &'a [Case], word: Option<&str>) -> Result<&'a Case> {
    let found = match word {
        None => cases.iter().find(|case| case.realistic).or(cases.first()),
        Some(word) => {
            // Sizes may be typed as 128x784.
            let plain = |text: &str| text.to_lowercase().replace('×', "x");
            let exact = cases.iter().find(|case| plain(&case.label) == plain(word));
            exact.or_else(|| cases.iter().find(|case| plain(&case.label).contains(&plain(word))))
        }
    };
    found.ok_or_else(|| {
        let word = word.unwrap_or_default();
        Error::invalid(format!(
            "no case of the kernel {0} contains `{word}`; all of them: elbo kernels show {0} --cases",
            row.name
        ))
    })
}

/// A kernel's WGSL for a device, the text that the rule chooses, headed by what it is.
pub(super) fn listing(kernel: &dyn Kernel, what: &str, device: &str, traits: &Traits) -> String {
    let module = kernel.module(traits, 0);
    let [x, y, z] = module.workgroups;
    format!("// {what}\n// for {device}, in {x} x {y} x {z} workgroups\n\n{}", readable(&module.text))
}
