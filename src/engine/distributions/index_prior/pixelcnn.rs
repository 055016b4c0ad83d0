//! A gated PixelCNN as the prior: each index is a choice whose probabilities those before it say.
//!
//! ln p(k) = Σ_p Σ_m ln softmax(a_{p,m})_{k_{p,m}}. A masked network on the picture of places says what the places before p mean for it;
//! the M indices of a place come one after the other, each seeing the sum of embeddings of those before it there. Of one place nothing
//! comes before, and a vector of M indices is such a place. Draws and codes go place by place and keep what is known of earlier ones.

use std::sync::Arc;

use super::{IndexGrid, IndexPrior, IndexWalk};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::graph::{Graph, Init, Tensor};
use crate::nn::causal::{Course, Gated, Places, Spot};
use crate::nn::{UNITS, linear};

/// The network's sizes.
#[derive(Clone, Copy, Debug)]
struct PixelCnn(Gated);

/// Where its parameters lie.
const SCOPE: &str = "prior.pixelcnn";

/// The most indices whose draws are unrolled.
const MOST: usize = 1024;

pub(super) static PIECE: Piece<dyn IndexPrior> = Piece {
    about: About {
        kind: Kind::Prior,
        id: "pixelcnn",
        aliases: &["gated-pixelcnn"],
        name: "of quantised codes: each index given those before it, by masked convolutions on the picture of places",
        formula: "ln p(k) = Σ_i ln p(k_i | k_<i), softmax of a gated PixelCNN over embedded indices",
        source: "van den Oord et al. 2016, Conditional image generation with PixelCNN decoders; as the prior of a VQ-VAE 2017, section 3.3",
        settings: &[
            Setting {
                name: "channels",
                default: Usual::Number(64.0),
                bounds: UNITS,
                meaning: "channels of each stack",
            },
            Setting {
                name: "layers",
                default: Usual::Number(5.0),
                bounds: Bounds::Whole(1, 64),
                meaning: "gated layers of each stack",
            },
            Setting {
                name: "reach",
                default: Usual::Number(1.0),
                bounds: Bounds::Whole(1, 16),
                meaning: "pixels that a kernel reaches from a place to each side: 1 is a kernel of 3×3",
            },
        ],
        example: "elbo fit-prior runs/vq-vae-cifar --prior pixelcnn:channels=64,layers=5",
    },
    build: |settings| {
        let [channels, layers, reach] = ["channels", "layers", "reach"].map(|name| settings.whole(name));
        Arc::new(PixelCnn(Gated { channels, layers, reach }))
    },
};

impl PixelCnn {
    /// What index m of a place means for what comes after, of ones among zeros `[n, K]`. `[n, channels]`
    fn embed<'g>(&self, m: usize, chosen: Tensor<'g>) -> Tensor<'g> {
        let shape = [chosen.width(), self.0.channels];
        chosen.matmul(chosen.graph().param(&format!("embedding.{m}.weight"), &shape, Init::Uniform(1.0)))
    }

    /// The logits of index m of places `[n, K]`: of what the places before mean `[n, channels]`, and the indices before it there.
    fn logits<'g>(&self, m: usize, context: Tensor<'g>, before: Option<Tensor<'g>>, codes: usize) -> Tensor<'g> {
        let graph = context.graph();
        let seen = before.map_or(context, |before| graph.concat(&[context, before], 1));
        let hidden = linear(&format!("index.{m}.hidden"), seen, self.0.channels).maximum(graph.constant(0.0));
        linear(&format!("index.{m}.logits"), hidden, codes)
    }
}

impl IndexPrior for PixelCnn {
    fn is_learnt(&self) -> bool {
        true
    }

    fn refusal(&self, grid: IndexGrid) -> Option<String> {
        (grid.indices() > MOST).then(|| {
            format!(
                "a draw from it takes {} choices in a row, one for every index, and at most {MOST} are unrolled: have fewer places (a \
                 larger `shrink` of the network) or fewer `vectors`",
                grid.indices()
            )
        })
    }

    fn log_prob<'g>(&self, chosen: Tensor<'g>, grid: IndexGrid) -> Tensor<'g> {
        let (graph, places) = (chosen.graph(), chosen.shape()[0] / grid.depth);
        let by_place = chosen.reshape(&[places, grid.depth * grid.codes]);
        let index = |m: usize| by_place.slice(1, m * grid.codes, grid.codes);
        graph.scope(SCOPE, || {
            let embedded: Vec<Tensor> = (0..grid.depth).map(|m| self.embed(m, index(m))).collect();
            let all = embedded.iter().copied().reduce(|all, one| all + one).expect("a place has an index");
            let context = self.0.network().whole(all, grid.image);
            let (mut before, mut total) = (None, graph.constant(0.0));
            for (m, one) in embedded.into_iter().enumerate() {
                let logits = self.logits(m, context, before, grid.codes);
                total = total + (logits * index(m)).sum_rows() - logits.log_sum_exp(&[1]);
                before = Some(one.added_to(before));
            }
            total.reshape(&[places / grid.places(), grid.places()]).sum_rows()
        })
    }

    fn walk<'g>(&self, graph: &'g Graph, rows: usize, grid: IndexGrid) -> Box<dyn IndexWalk<'g> + 'g> {
        Box::new(self.start(graph, rows, grid))
    }

    fn resume<'g>(
        &self,
        graph: &'g Graph,
        rows: usize,
        grid: IndexGrid,
        (number, memory): (usize, Option<Tensor<'g>>),
    ) -> Box<dyn IndexWalk<'g> + 'g> {
        let mut walk = self.start(graph, rows, grid);
        walk.next = number;
        if let Some(memory) = memory {
            walk.take_up(memory);
        }
        Box::new(walk)
    }
}

impl PixelCnn {
    fn start<'g>(&self, graph: &'g Graph, rows: usize, grid: IndexGrid) -> Walk<'g> {
        let places = Places::new(self.0.network(), graph, rows, (grid.image, self.0.channels));
        Walk { prior: *self, graph, grid, places, next: 0, context: None, before: None }
    }
}

/// Places of which those before the present one are known, and some indices of that.
struct Walk<'g> {
    prior: PixelCnn,
    graph: &'g Graph,
    grid: IndexGrid,
    places: Places<'g>,
    /// The number of the next index.
    next: usize,
    /// What the places before mean for the present one, once it was asked for `[rows, channels]`.
    context: Option<Tensor<'g>>,
    /// The sum of embeddings of the indices that are known of it `[rows, channels]`.
    before: Option<Tensor<'g>>,
}

impl<'g> Walk<'g> {
    /// The place of the next index, and which index of it that is.
    fn at(&self) -> ([usize; 2], usize) {
        let (IndexGrid { image: [_, across], depth, .. }, place) = (self.grid, self.next / self.grid.depth);
        ([place / across, place % across], self.next % depth)
    }

    /// What is kept of the places before behind the logits of the next index, and whether that place's context and some of its indices are.
    fn kept(&self) -> (Vec<Spot>, [bool; 2]) {
        let (place, m) = self.at();
        (Course::new(&self.prior.0.network(), self.grid.image).kept(place), [m + 1 < self.grid.depth, m > 0])
    }

    /// Takes up what [`Walk::memory`] gave.
    fn take_up(&mut self, memory: Tensor<'g>) {
        let (spots, [has_context, has_before]) = self.kept();
        let (channels, start) = (self.prior.0.channels, self.places.take_up(&spots, memory));
        self.context = has_context.then(|| memory.slice(1, start, channels));
        self.before = has_before.then(|| memory.slice(1, memory.width() - channels, channels));
    }
}

impl<'g> IndexWalk<'g> for Walk<'g> {
    fn logits(&mut self) -> Tensor<'g> {
        let (graph, (place, m)) = (self.graph, self.at());
        graph.scope(SCOPE, || {
            let context = *self.context.get_or_insert_with(|| self.places.value(place));
            self.prior.logits(m, context, self.before, self.grid.codes)
        })
    }

    fn tell(&mut self, chosen: Tensor<'g>) {
        let (graph, (place, m)) = (self.graph, self.at());
        let before = graph.scope(SCOPE, || self.prior.embed(m, chosen).added_to(self.before));
        self.next += 1;
        self.before = Some(before);
        if m + 1 == self.grid.depth {
            self.places.tell(place, before);
            (self.context, self.before) = (None, None);
        }
    }

    fn memory(&self) -> Option<Tensor<'g>> {
        let (spots, [has_context, has_before]) = self.kept();
        let mut all = self.places.known(&spots);
        all.extend(self.context.filter(|_| has_context));
        all.extend(self.before.filter(|_| has_before));
        (!all.is_empty()).then(|| self.graph.concat(&all, 1))
    }
}
