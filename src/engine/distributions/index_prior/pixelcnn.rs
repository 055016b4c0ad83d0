//! A gated PixelCNN as the prior: each index is a choice whose probabilities those before it say.
//!
//! ln p(k) = Σ_p Σ_m ln softmax(a_{p,m})_{k_{p,m}}. A masked network on the picture of places says what the places before p mean for it;
//! the M indices of a place come one after the other, each seeing the sum of embeddings of those before it there. Of one place nothing
//! comes before, and a vector of M indices is such a place. Draws and codes go place by place and keep what is known of earlier ones.
//!
//! Of a level of codes with another above it, it is p(k | above): embeddings of the indices above, brought to the size of the picture by a
//! convolution of 3×3 and a transposed one of 4×4, stand beside what the places before mean, at each place those that lie there (Razavi,
//! van den Oord & Vinyals 2019, section 3.2, where they enter every layer).

use std::sync::Arc;

use super::{Above, IndexGrid, IndexLevel, IndexPrior, IndexWalk};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::graph::{Graph, Init, Tensor};
use crate::kernels::Window;
use crate::nn::causal::{Course, Gated, Places, Spot};
use crate::nn::conv::{Start, conv_transpose2d, conv2d};
use crate::nn::{UNITS, linear};

/// The network's sizes.
#[derive(Clone, Copy, Debug)]
struct PixelCnn(Gated);

/// Where the parameters of a level lie.
fn scope(level: Option<&str>) -> String {
    level.map_or("prior.pixelcnn".to_string(), |name| format!("prior.{name}.pixelcnn"))
}

/// The most indices whose draws are unrolled.
const MOST: usize = 1024;

pub(super) static PIECE: Piece<dyn IndexPrior> = Piece {
    about: About {
        kind: Kind::Prior,
        id: "pixelcnn",
        aliases: &["gated-pixelcnn"],
        name: "of quantised codes: each index given those before it, by masked convolutions on the picture of places",
        formula: "ln p(k) = Σ_i ln p(k_i | k_<i), softmax of a gated PixelCNN over embedded indices; of two levels p(k_top) p(k_bottom | k_top)",
        source: "van den Oord et al. 2016, Conditional image generation with PixelCNN decoders; as the prior of a VQ-VAE 2017, section 3.3; of two \
                 levels Razavi et al. 2019, section 3.2",
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

/// What stands beside what the places before mean: of the level above, and of the indices that come before at a place `[n, channels]` each.
#[derive(Clone, Copy, Debug, Default)]
struct Beside<'g> {
    above: Option<Tensor<'g>>,
    before: Option<Tensor<'g>>,
}

impl PixelCnn {
    /// What index m of a place means for what comes after, of ones among zeros `[n, K]`. `[n, channels]`
    fn embed<'g>(&self, m: usize, chosen: Tensor<'g>) -> Tensor<'g> {
        let shape = [chosen.width(), self.0.channels];
        chosen.matmul(chosen.graph().param(&format!("embedding.{m}.weight"), &shape, Init::Uniform(1.0)))
    }

    /// What all indices of places mean together, of ones among zeros `[n·M, K]`: each index's, and their sum `[n, channels]`.
    fn embed_all<'g>(&self, chosen: Tensor<'g>, grid: IndexGrid) -> (Vec<Tensor<'g>>, Tensor<'g>) {
        let by_place = by_place(chosen, grid);
        let each = (0..grid.depth).map(|m| self.embed(m, by_place.slice(1, m * grid.codes, grid.codes)));
        let each: Vec<Tensor> = each.collect();
        let sum = each.iter().copied().reduce(|all, one| all + one).expect("a place has an index");
        (each, sum)
    }

    /// What the level above means for each place of a picture `[rows·P, channels]`.
    fn of_above<'g>(&self, above: Above<'g>, image: [usize; 2]) -> Tensor<'g> {
        let (graph, channels) = (above.chosen.graph(), self.0.channels);
        let zero = graph.constant(0.0);
        graph.scope("above", || {
            let (_, all) = self.embed_all(above.chosen, above.grid);
            let near = Window::same(above.grid.image, channels, 3, 1);
            let all = conv2d("near", all, near, channels, Start::Kaiming).maximum(zero);
            let grown = Window::same(image, channels, 4, 2);
            conv_transpose2d("grown", all, grown, Start::Kaiming).maximum(zero)
        })
    }

    /// The logits of index m of places `[n, K]`: of what the places before mean `[n, channels]`, and what stands beside it.
    fn logits<'g>(&self, m: usize, context: Tensor<'g>, beside: Beside<'g>, codes: usize) -> Tensor<'g> {
        let graph = context.graph();
        let seen: Vec<Tensor> = [Some(context), beside.above, beside.before].into_iter().flatten().collect();
        let seen = graph.concat(&seen, 1);
        let hidden = linear(&format!("index.{m}.hidden"), seen, self.0.channels).maximum(graph.constant(0.0));
        linear(&format!("index.{m}.logits"), hidden, codes)
    }
}

/// Ones among zeros `[n·M, K]` of indices, those of a place beside each other `[n, M·K]`.
fn by_place(chosen: Tensor<'_>, grid: IndexGrid) -> Tensor<'_> {
    chosen.reshape(&[chosen.shape()[0] / grid.depth, grid.depth * grid.codes])
}

impl IndexPrior for PixelCnn {
    fn is_learnt(&self) -> bool {
        true
    }

    fn refusal(&self, indices: usize) -> Option<String> {
        (indices > MOST).then(|| {
            format!(
                "a draw from it takes {indices} choices in a row, one for every index, and at most {MOST} are unrolled: have fewer places (a \
                 larger `shrink` of the network) or fewer `vectors`"
            )
        })
    }

    fn log_prob<'g>(&self, chosen: Tensor<'g>, level: IndexLevel<'g>) -> Tensor<'g> {
        let (graph, grid) = (chosen.graph(), level.grid);
        let by_place = by_place(chosen, grid);
        graph.scope(&scope(level.name), || {
            let above = level.above.map(|above| self.of_above(above, grid.image));
            let (each, all) = self.embed_all(chosen, grid);
            let context = self.0.network().whole(all, grid.image);
            let (mut before, mut total) = (None, graph.constant(0.0));
            for (m, one) in each.into_iter().enumerate() {
                let logits = self.logits(m, context, Beside { above, before }, grid.codes);
                let chosen = by_place.slice(1, m * grid.codes, grid.codes);
                total = total + (logits * chosen).sum_rows() - logits.log_sum_exp(&[1]);
                before = Some(one.added_to(before));
            }
            total.reshape(&[by_place.shape()[0] / grid.places(), grid.places()]).sum_rows()
        })
    }

    fn walk<'g>(&self, graph: &'g Graph, rows: usize, level: IndexLevel<'g>) -> Box<dyn IndexWalk<'g> + 'g> {
        Box::new(self.start(graph, rows, level))
    }

    fn resume<'g>(
        &self,
        graph: &'g Graph,
        rows: usize,
        level: IndexLevel<'g>,
        (number, memory): (usize, Option<Tensor<'g>>),
    ) -> Box<dyn IndexWalk<'g> + 'g> {
        let mut walk = self.start(graph, rows, level);
        walk.next = number;
        if let Some(memory) = memory {
            walk.take_up(memory);
        }
        Box::new(walk)
    }
}

impl PixelCnn {
    fn start<'g>(&self, graph: &'g Graph, rows: usize, level: IndexLevel<'g>) -> Walk<'g> {
        let (grid, channels) = (level.grid, self.0.channels);
        let of_above = |above| {
            let by_place = graph.scope(&scope(level.name), || self.of_above(above, grid.image));
            by_place.reshape(&[rows, grid.places() * channels])
        };
        Walk {
            prior: *self,
            graph,
            scope: scope(level.name),
            grid,
            above: level.above.map(of_above),
            places: Places::new(self.0.network(), graph, rows, (grid.image, channels)),
            next: 0,
            context: None,
            before: None,
        }
    }
}

/// Places of which those before the present one are known, and some indices of that.
struct Walk<'g> {
    prior: PixelCnn,
    graph: &'g Graph,
    scope: String,
    grid: IndexGrid,
    /// What the level above means for each place `[rows, P·channels]`.
    above: Option<Tensor<'g>>,
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
        let (graph, (place, m), channels) = (self.graph, self.at(), self.prior.0.channels);
        let above = self.above.map(|above| above.slice(1, self.next / self.grid.depth * channels, channels));
        graph.scope(&self.scope, || {
            let context = *self.context.get_or_insert_with(|| self.places.value(place));
            self.prior.logits(m, context, Beside { above, before: self.before }, self.grid.codes)
        })
    }

    fn tell(&mut self, chosen: Tensor<'g>) {
        let (graph, (place, m)) = (self.graph, self.at());
        let before = graph.scope(&self.scope, || self.prior.embed(m, chosen).added_to(self.before));
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
