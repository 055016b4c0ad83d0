//! Single kernels: arithmetic and memory traffic per second, beside what the device can do at most, see
//! [`Ceilings`](super::Ceilings).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ceilings::Ceilings;
use super::timing::{program, time};
use crate::error::Result;
use crate::kernels::table::TABLE;
use crate::kernels::{Access, Expr, Instr, Kernel, Map, Step, Store, View, Work};
use crate::program::Executor;

/// How fast one kernel ran.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KernelFigures {
    /// The row of the table.
    pub kernel: String,
    /// Sizes and options.
    pub case: String,
    /// The median time of one run, in seconds.
    pub seconds: f64,
    /// The fastest and the slowest round.
    #[serde(default)]
    pub spread: Option<[f64; 2]>,
    /// Operations per second: of the CPU executor all that it computes ([`Work`](crate::kernels::Work)), of a GPU floating-point operations, of which a
    /// function is one.
    pub flops: f64,
    /// Divisions and square roots per second, of the CPU executor.
    #[serde(default)]
    pub divisions: f64,
    /// Bytes read and written per second.
    pub bytes: f64,
    /// The share of the arithmetic ceiling.
    pub flops_share: f64,
    /// The share of the ceiling of divisions.
    #[serde(default)]
    pub divisions_share: f64,
    /// The share of the memory ceiling for buffers of its size.
    pub bytes_share: f64,
}

impl KernelFigures {
    /// The share of the ceiling that bounds it: the roofline (Williams, Waterman & Patterson 2009).
    pub fn share(&self) -> f64 {
        self.flops_share.max(self.divisions_share).max(self.bytes_share)
    }

    /// Whether it is faster than can be: then the ceilings were not measured in peace.
    pub fn exceeds_its_ceiling(&self) -> bool {
        self.share() > 1.05
    }
}

/// Words of the draws that are timed over much memory.
const DRAWN: usize = 16 << 20;

/// Times every kernel of the table at the sizes of the classic VAE, and the draws over 64 MiB:
/// a batch of them is too few to say what the sampling itself costs.
///
/// # Errors
/// If the device fails.
pub fn measure_kernels(executor: &mut dyn Executor, ceilings: &Ceilings) -> Result<Vec<KernelFigures>> {
    let mut figures = Vec::new();
    for row in TABLE {
        for case in (row.cases)().iter().filter(|case| case.realistic) {
            let words: Vec<usize> = case.inputs.iter().map(|input| input.len).collect();
            let names = (row.name, case.label.as_str());
            figures.push(measure(executor, ceilings, names, (case.kernel.clone(), &words), &case.steps[0], |b| {
                case.words(b, 0)
            })?);
        }
        if row.name == "draws" {
            for (label, normal) in [("normal, 64 MiB", true), ("uniform, 64 MiB", false)] {
                let kernel: Arc<dyn Kernel> = Arc::new(draws(normal));
                let names = (row.name, label);
                figures.push(measure(executor, ceilings, names, (kernel, &[DRAWN]), &Step::default(), |_| {
                    vec![0; DRAWN]
                })?);
            }
        }
    }
    Ok(figures)
}

/// [`DRAWN`] draws of one stream, stored.
fn draws(normal: bool) -> Map {
    let view = View { offset: 0, strides: vec![1] };
    let mut expr = Expr::default();
    let instr = if normal { Instr::Normal(0.into(), view.clone()) } else { Instr::Uniform(0.into(), view.clone()) };
    let reg = expr.push(instr);
    let stores = vec![Store { reg, binding: 0, view }];
    Map { extents: vec![DRAWN], reduced: 0, expr, stores, reductions: vec![], access: vec![Access::Write] }
}

/// Times one kernel on buffers of so many words, which start as `fill` says.
fn measure(
    executor: &mut dyn Executor,
    ceilings: &Ceilings,
    (name, case): (&str, &str),
    (kernel, words): (Arc<dyn Kernel>, &[usize]),
    step: &Step,
    fill: impl Fn(usize) -> Vec<u32>,
) -> Result<KernelFigures> {
    let cost = kernel.cost();
    let program = program(&format!("{name} {case}"), kernel, words);
    let buffers: Vec<String> = program.buffers.iter().map(|b| b.name.clone()).collect();
    let id = executor.load(program)?;
    for (b, buffer) in buffers.iter().enumerate() {
        executor.write(buffer, &fill(b))?;
    }
    let (seconds, spread) = time(executor, id, step)?;
    executor.unload(id)?;
    let computed = if executor.is_cpu() { cost.work } else { Work::of(cost.flops) };
    let [flops, divisions, bytes] =
        [computed.operations, computed.divisions, cost.bytes_read + cost.bytes_written].map(|count| count / seconds);
    let footprint = 4 * words.iter().sum::<usize>() as u64;
    Ok(KernelFigures {
        kernel: name.to_string(),
        case: case.to_string(),
        seconds,
        spread: Some(spread),
        flops,
        divisions,
        bytes,
        flops_share: flops / ceilings.flops,
        divisions_share: ceilings.divisions.map_or(0.0, |most| divisions / most),
        bytes_share: bytes / ceilings.bytes(footprint),
    })
}
