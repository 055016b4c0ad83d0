//! What a part may need of a tensor, and where it has that from.

use super::spread::{Spread, Spreads};
use crate::graph::{NodeId, Op};

/// What is needed of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Version {
    /// What the part has by the way in which the tensor is spread.
    Own,
    /// All of it.
    Whole,
    /// The part's own rows, along this axis.
    Rows(usize),
}

/// Where a version comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// It is made, by the tensor's operation, of these versions of its arguments.
    Made(Vec<Version>),
    /// It comes of what the parts have, by an exchange.
    Exchanged,
}

impl Spreads<'_> {
    /// The same version by one name.
    pub fn named(&self, id: NodeId, version: Version) -> Version {
        match (version, self.spread(id)) {
            (Version::Whole, Spread::Same) => Version::Own,
            (Version::Rows(axis), Spread::Rows(own)) if axis == own => Version::Own,
            _ => version,
        }
    }

    /// Where a version of a tensor comes from. What only looks at a tensor differently is made of less.
    pub fn source(&self, id: NodeId, version: Version) -> Source {
        let node = self.graph.node(id);
        let all = |version: Version| Source::Made(vec![version; node.inputs.len()]);
        let is_summands = self.spread(id) == Spread::Summands;
        match (self.named(id, version), &node.op) {
            (Version::Own, _) => Source::Made(self.way(id).takes.clone()),
            (Version::Whole, Op::Expand | Op::Reshape | Op::Permute(_) | Op::Detach) => all(Version::Whole),
            (Version::Whole, _) => Source::Exchanged,
            (Version::Rows(_), Op::Const(_) | Op::Scalar(_) | Op::Rows | Op::RowOffset | Op::Coordinate(_)) => {
                all(version)
            }
            (Version::Rows(axis), Op::Expand) => {
                let is_repeated = self.graph.shape(node.inputs[0])[axis] == 1;
                all(if is_repeated { Version::Whole } else { version })
            }
            (Version::Rows(axis), Op::Reshape) => {
                let moved = self.moved(axis, &node.shape, self.graph.shape(node.inputs[0]));
                moved.map_or(Source::Exchanged, |axis| all(Version::Rows(axis)))
            }
            (Version::Rows(axis), Op::Permute(order)) => all(Version::Rows(order[axis])),
            (Version::Rows(_), Op::Detach) => all(version),
            (Version::Rows(_), Op::Call(_)) if !is_summands => all(version),
            (Version::Rows(axis), Op::Slice { axis: cut, .. } | Op::Concat(cut)) if !is_summands && axis != *cut => {
                all(version)
            }
            (Version::Rows(_), _) => Source::Exchanged,
        }
    }

    /// The link of the chain in which a version of a tensor is there first.
    pub fn link_of(&self, id: NodeId, version: Version) -> usize {
        let version = self.named(id, version);
        if let Some(&known) = self.links.borrow().get(&(id, version)) {
            return known;
        }
        let link = match self.source(id, version) {
            Source::Exchanged => self.link_of(id, Version::Own) + 1,
            Source::Made(versions) => {
                let inputs = self.graph.node(id).inputs.iter().zip(versions);
                inputs.map(|(&input, version)| self.link_of(input, version)).max().unwrap_or(0)
            }
        };
        self.links.borrow_mut().insert((id, version), link);
        link
    }
}
