//! A gated PixelCNN as the prior: each index is a choice whose probabilities those before it say.
//!
//! ln p(k) = Σ_p Σ_m ln softmax(a_{p,m})_{k_{p,m}}. A masked network on the picture of places says what the places before p mean for it;
//! the M indices of a place come one after the other, each seeing the sum of embeddings of those before it there. Of one place nothing
//! comes before, and a vector of M indices is such a place. Draws go place by place and keep what is known of earlier ones.

use std::sync::Arc;

use super::{IndexGrid, IndexPrior};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::distributions::choice::draw;
use crate::graph::{Graph, Init, Tensor};
use crate::nn::causal::{Gated, Places};
use crate::nn::{UNITS, linear};

/// The network's sizes.
#[derive(Clone, Copy, Debug)]
struct PixelCnn(Gated);

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
        graph.scope("prior.pixelcnn", || {
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

    fn sample<'g>(&self, graph: &'g Graph, rows: usize, grid: IndexGrid, temperature: f32) -> Vec<Tensor<'g>> {
        let (network, [_, across]) = (self.0.network(), grid.image);
        graph.scope("prior.pixelcnn", || {
            let mut places = Places::new(&network, graph, rows, (grid.image, self.0.channels));
            let mut drawn = Vec::with_capacity(grid.indices());
            for place in (0..grid.places()).map(|place| [place / across, place % across]) {
                let (context, mut before) = (places.value(place), None);
                for m in 0..grid.depth {
                    let chosen = draw(self.logits(m, context, before, grid.codes), temperature);
                    before = Some(self.embed(m, chosen).added_to(before));
                    drawn.push(chosen);
                }
                places.tell(place, before.expect("a place has an index"));
            }
            drawn
        })
    }
}
