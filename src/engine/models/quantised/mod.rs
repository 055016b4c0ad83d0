//! Quantised codes: an encoding is replaced by the nearest of K vectors of a codebook (van den Oord, Vinyals & Kavukcuoglu 2017), or each
//! of its numbers by one of a few levels (Mentzer et al. 2024, `scalar.rs`).
//!
//! The encoder gives each row several encodings z of D numbers, each of which becomes e = e_k with k = argmin_j ‖z − e_j‖². The decoder
//! sees e. Its gradient passes to z as it is (straight-through), and codebook and encodings are drawn to each other:
//!
//! −ln p(x|e) + β ‖z − sg e‖² (+ ‖sg z − e‖²)
//!
//! summed over the encodings of a row, sg being what no gradient flows through. The last term is there where the codebook is learnt by
//! gradient; otherwise it follows moving averages (`codebook.rs`). A prior says which indices k stand together (`distributions/index_prior`):
//! with it, −ln p(x|e) − ln p(k) bounds −ln p(x), and rows can be drawn.
//!
//! There may be a second level of codes, of a picture half as high and wide (Razavi et al. 2019, `top.rs`); what draws encodings and vectors to
//! each other is then the sum of both, and the prior p(k_top) p(k_bottom | k_top).

mod assignment;
mod book;
mod build;
mod codebook;
mod coded;
mod fsq;
mod grid;
mod level;
mod quantiser;
mod residual;
mod scalar;
mod settings;
#[cfg(test)]
mod tests;
mod top;
mod usage;
mod vq_vae;
mod with_prior;

pub(super) use fsq::FSQ;
pub(super) use settings::VQ_VAE;
pub use vq_vae::VqVae;
