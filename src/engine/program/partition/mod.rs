//! A program in parts, each of which has some rows of every batch: single program, multiple data (Xu et al. 2021, "GSPMD").
//!
//! A request is made of the whole batch, as for one device. Each of its tensors is then, of all parts, the same in all, or rows that lie
//! behind each other, or summands ([`spread`]). A weight's gradient is the sum of those of the parts, and nothing needs it before the
//! optimiser does. Where something else needs a sum over rows, or rows of other parts (the statistics of batch normalisation, a codebook
//! that follows its codes, codes that are compared with each other), the program is cut there: what one link of the chain has written is
//! exchanged between all parts ([`Exchange`]) before the next begins. So a step is what it is on one device, whatever it computes.
//!
//! Nothing costly is computed twice: what a later link needs of products and sums of an earlier one stays on the device.

mod exchange;
mod local;
mod spread;
mod versions;

use super::{Gradients, Program, Request, lower};
pub use exchange::{Exchange, Held, PartRows, RowBlocks};
use local::Local;
use spread::Spreads;

use crate::graph::{Graph, Tensor};

/// A program of a chain.
#[derive(Debug)]
pub struct Link {
    /// What a part computes.
    pub program: Program,
    /// What all parts exchange before it begins.
    pub before: Vec<Exchange>,
}

/// The chain of programs that each of some parts runs for its rows of a batch of `rows`. Gradients, and tensors whose sums are statistics,
/// come out as summands; what is assigned is the same in all parts.
pub fn lower_in_parts(request: &Request, rows: usize, parts: usize) -> Vec<Link> {
    let spreads = Spreads::of(request.graph, rows);
    let graph = Graph::new();
    let mut local = Local::new(&spreads, &graph, request.name, parts);
    local.end_with(request);
    let mut tensors = |gradients: &Gradients| gradients.tensors.iter().map(|t| local.gradient(t.id())).collect();
    let gradients = request.gradients.iter().map(|gradients| Gradients { tensors: tensors(gradients), ..*gradients });
    let gradients: Vec<Gradients> = gradients.collect();
    let statistics = request.statistics.iter().map(|(name, t)| (*name, local.statistic(t.id()))).collect();
    let assigns = request.assigns.iter().map(|(name, t)| (*name, local.whole(t.id()))).collect();
    // Later links first: they say what they need of earlier ones.
    let last = local.link;
    let outputs: Vec<Vec<(String, Tensor)>> = (0..last).rev().map(|link| local.outputs(link)).collect();
    let common = Request {
        name: request.name,
        graph: &graph,
        parameters: request.parameters.clone(),
        data: request.data.clone(),
        outputs: vec![],
        statistics: vec![],
        gradients: vec![],
        assigns: vec![],
        updates: vec![],
        pass: request.pass,
    };
    let mut links: Vec<Link> = Vec::with_capacity(last + 1);
    for (link, outputs) in outputs.iter().rev().enumerate() {
        let name = format!("{}.{link}", request.name);
        let outputs = outputs.iter().map(|(name, t)| (name.as_str(), *t)).collect();
        let program = lower(&Request { name: &name, outputs, ..common.clone() });
        links.push(Link { program, before: local.exchanges(link) });
    }
    let program = lower(&Request { statistics, gradients, assigns, updates: request.updates.clone(), ..common });
    links.push(Link { program, before: local.exchanges(last) });
    links
}
