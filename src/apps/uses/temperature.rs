//! New rows that are more usual, or less, than the prior's.

use crate::apps::Saved;
use crate::error::{Error, Result};
use crate::training::Given;

/// Codes that say where the middle of the prior lies.
const CENTRE: usize = 4096;

impl Saved {
    /// New rows E\[x | z\] `[count, features]` of codes z = m + t·(z′ − m), z′ being drawn from the prior and m its mean: at a
    /// temperature t below 1 more usual ones that differ less (Kingma & Dhariwal 2018, section 6.2), above 1 less usual ones. `y` is what
    /// the model is given with each `[count, condition]`.
    ///
    /// # Errors
    /// If the model has no prior or no decoder, the temperature is negative or no number, or the device fails.
    pub fn sample_at(&mut self, count: usize, y: &[f32], temperature: f64, seed: u64) -> Result<Vec<f32>> {
        if !(temperature >= 0.0 && temperature.is_finite()) {
            return Err(Error::invalid(format!(
                "the temperature is {temperature}: give 0 or a positive number, such as 0.7"
            )));
        }
        self.session.model.can().generate()?;
        let latent = self.session.latent()?;
        let mut codes = self.session.prior_sample(count, seed)?;
        let many = self.session.prior_sample(CENTRE, seed.wrapping_add(1))?;
        let mean = |d: usize| many.iter().skip(d).step_by(latent).map(|&z| f64::from(z)).sum::<f64>() / CENTRE as f64;
        let centre: Vec<f64> = (0..latent).map(mean).collect();
        for code in codes.chunks_exact_mut(latent) {
            code.iter_mut().zip(&centre).for_each(|(z, m)| *z = (m + temperature * (f64::from(*z) - m)) as f32);
        }
        self.session.decode(Given::new(&codes, y))
    }
}
