//! New rows of codes that lie nearer to the middle of the prior than it has them, or further out.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use crate::apps::Saved;
use crate::catalogue::build;
use crate::distributions::{CodeSpace, POSTERIORS};
use crate::error::{Error, Result};
use crate::training::{Given, part_of_seed};

/// Codes that say where the middle of the prior lies, where it is not known.
const CENTRE: usize = 4096;

/// The part of a seed that says whose each row of an ensemble is, beside those that draw codes.
const OF_MEMBERS: u64 = u64::MAX - 1;

/// How codes are drawn from the prior.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Draws {
    /// t of z = m + t·(z′ − m), z′ being drawn from the prior and m its mean: below 1 rows are more usual and differ less (Kingma & Dhariwal
    /// 2018, section 6.2), above 1 less usual. 1 where nothing is said. Of a prior of choices, logits are divided by it.
    pub temperature: Option<f64>,
    /// The most standard deviations of the prior that z′ lies from its mean, in every dimension: those that lie further out are drawn
    /// again (Brock et al. 2019, section 3.1).
    pub truncate: Option<f64>,
}

impl Saved {
    /// New rows `[count, features]`: of tables draws from p(x | z), else E\[x | z\], for codes z that are drawn so. `y` is what the model is
    /// given with each `[count, condition]`. Of an ensemble each row is a member's, any of them as likely, and as that member alone would have it
    /// in its place.
    ///
    /// # Errors
    /// If the model has no prior or no decoder, the temperature is negative, the bound is not positive or the prior no product of Gaussians,
    /// or the device fails.
    pub fn new_rows(&mut self, count: usize, y: &[f32], draws: Draws, seed: u64) -> Result<Vec<f32>> {
        let mut of_members = self.each_member(|saved| saved.rows_of_one(count, y, draws, seed))?;
        if of_members.len() == 1 {
            return Ok(of_members.swap_remove(0));
        }
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(part_of_seed(seed, OF_MEMBERS));
        let features = self.session.model.features();
        let row = |row: usize| {
            let member = generator.random_range(0..of_members.len());
            of_members[member][row * features..][..features].to_vec()
        };
        Ok((0..count).flat_map(row).collect())
    }

    /// The same of one model.
    fn rows_of_one(&mut self, count: usize, y: &[f32], draws: Draws, seed: u64) -> Result<Vec<f32>> {
        if draws == Draws::default() {
            return match self.form.schema.is_table() {
                true => self.session.draw_rows(count, y, seed),
                false => self.session.sample(count, y, seed),
            };
        }
        let codes = self.drawn_codes(count, draws, seed)?;
        self.rows_of_codes(&codes, y, seed)
    }

    /// Rows `[rows, features]` of codes `[rows, latent]` and of what the model is given with each: of tables draws from p(x | z), else
    /// E\[x | z\].
    ///
    /// # Errors
    /// If the model has no decoder, or the device fails.
    pub(in crate::apps) fn rows_of_codes(&mut self, codes: &[f32], y: &[f32], seed: u64) -> Result<Vec<f32>> {
        match self.form.schema.is_table() {
            true => self.session.draw_decoded(Given::new(codes, y), seed),
            false => self.session.decode(Given::new(codes, y)),
        }
    }

    /// Codes `[count, latent]`.
    fn drawn_codes(&mut self, count: usize, draws: Draws, seed: u64) -> Result<Vec<f32>> {
        let refused = |what: &str, value: f64, example: &str| {
            Err(Error::invalid(format!("the {what} is {value}: give {example}")))
        };
        let temperature = draws.temperature.unwrap_or(1.0);
        if !(temperature >= 0.0 && temperature.is_finite()) {
            return refused("temperature", temperature, "0 or a positive number, such as 0.7");
        }
        if let Some(bound) = draws.truncate.filter(|bound| !(*bound > 0.0 && bound.is_finite())) {
            return refused("bound to truncate at", bound, "a positive number of standard deviations, such as 2");
        }
        self.session.model.can().generate()?;
        if build(POSTERIORS, &self.config.model.posterior)?.codes() == CodeSpace::Sphere {
            return Err(Error::invalid(
                "codes of this model lie on the unit sphere, where none is more usual than another: there is no temperature and no bound to \
                 give, so leave it out",
            ));
        }
        if draws.truncate.is_none()
            && let Some(codes) = self.session.tempered_prior_sample(count, temperature as f32, seed)?
        {
            return Ok(codes);
        }
        let latent = self.session.latent()?;
        let mut codes = self.session.prior_sample(count, seed)?;
        let moments = self.session.prior_moments()?;
        if let Some(bound) = draws.truncate {
            let Some(moments) = &moments else {
                return Err(Error::invalid(format!(
                    "codes of this model cannot be truncated: its prior, {}, has no standard deviations along its dimensions, as \
                     standard-normal and diagonal-gaussian have; a temperature below 1 draws more usual rows of any prior",
                    self.config.model.prior
                )));
            };
            truncate(&mut codes, moments, bound, seed);
        }
        let centre = match (moments, draws.temperature) {
            (_, None) => return Ok(codes),
            (Some([mean, _]), _) => mean.into_iter().map(f64::from).collect(),
            (None, _) => self.middle_of_prior(latent, seed)?,
        };
        for code in codes.chunks_exact_mut(latent) {
            code.iter_mut().zip(&centre).for_each(|(z, m)| *z = (m + temperature * (f64::from(*z) - m)) as f32);
        }
        Ok(codes)
    }

    /// The mean of the prior, from draws.
    fn middle_of_prior(&mut self, latent: usize, seed: u64) -> Result<Vec<f64>> {
        let many = self.session.prior_sample(CENTRE, seed.wrapping_add(1))?;
        let mean = |d: usize| many.iter().skip(d).step_by(latent).map(|&z| f64::from(z)).sum::<f64>() / CENTRE as f64;
        Ok((0..latent).map(mean).collect())
    }
}

/// Draws again what lies more than so many standard deviations from the mean. As dimensions are independent, that is as good as drawing whole
/// codes again until all of one lies within.
fn truncate(codes: &mut [f32], [mean, deviation]: &[Vec<f32>; 2], bound: f64, seed: u64) {
    // Draws of its own, beside those of the codes.
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(part_of_seed(seed, u64::MAX));
    for code in codes.chunks_exact_mut(mean.len()) {
        for ((z, &mean), &deviation) in code.iter_mut().zip(mean).zip(deviation) {
            if f64::from(*z - mean).abs() > bound * f64::from(deviation) {
                let within = mean + deviation * normal_within(bound, &mut generator) as f32;
                *z = within.clamp(mean - deviation * bound as f32, mean + deviation * bound as f32);
            }
        }
    }
}

/// A draw from N(0, 1) among those of at most this size: uniform ones are taken with the probability e^{-u²/2}.
fn normal_within(bound: f64, generator: &mut Xoshiro256PlusPlus) -> f64 {
    loop {
        let u = bound * (2.0 * generator.random::<f64>() - 1.0);
        if generator.random::<f64>() < libm::exp(-0.5 * u * u) {
            return u;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_again_is_as_a_truncated_normal() {
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(1);
        for (bound, variance) in [(0.5, 0.080_59), (1.0, 0.291_125), (2.0, 0.773_741)] {
            // 1 − 2bφ(b)/(2Φ(b) − 1)
            let draws: Vec<f64> = (0..40_000).map(|_| normal_within(bound, &mut generator)).collect();
            let mean_of = |f: fn(f64) -> f64| draws.iter().map(|&u| f(u)).sum::<f64>() / draws.len() as f64;
            assert!(draws.iter().all(|u| u.abs() <= bound));
            assert!(mean_of(|u| u).abs() < 0.02 * bound, "{}", mean_of(|u| u));
            assert!((mean_of(|u| u * u) / variance - 1.0).abs() < 0.03, "{bound}: {}", mean_of(|u| u * u));
        }
    }

    #[test]
    fn only_what_lies_outside_is_drawn_again() {
        // Of means 10 and 0 and deviations 2 and 1: the second and the third lie further out than one and a half.
        let moments = [vec![10.0, 0.0], vec![2.0, 1.0]];
        let given = [12.5, 1.6, 6.9, -1.4, 10.0, 0.2];
        let mut codes = given;
        truncate(&mut codes, &moments, 1.5, 7);
        let same: Vec<bool> = codes.iter().zip(given).map(|(code, given)| *code == given).collect();
        assert_eq!(same, [true, false, false, true, true, true]);
        assert!(codes[1].abs() <= 1.5 && (codes[2] - 10.0).abs() <= 3.0, "{codes:?}");
        let mut others = given;
        truncate(&mut others, &moments, 1.5, 8);
        assert_ne!(codes, others);
    }
}
