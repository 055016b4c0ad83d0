//! The pictures of codes that some runs leave: what the codes of a plane mean, and whether prior and posteriors agree.

use crate::data::Shape;
use std::path::PathBuf;

use crate::apps::TrainRun;
use crate::apps::evaluation::most_codes;
use crate::apps::pictures::{Manifold, save_prior_map};
use crate::distributions::CodeSpace;
use crate::error::Result;
use crate::training::Given;

/// Rows that are encoded at once.
const CHUNK: usize = 1024;

/// How a model spreads its codes, where that decides what is worth looking at.
struct Spread {
    /// Codes are real numbers.
    real: bool,
    /// Their prior is a standard normal.
    standard_normal: bool,
    /// Prior or posterior can take a shape that figures do not tell.
    shaped: bool,
}

impl TrainRun {
    /// `manifold.png`, where codes are real numbers in a plane, all that is decoded, and rows are no lines of a table; `prior.png`, where
    /// the prior is no standard normal or the posterior is a flow. `means` are the posterior means of the rows that are shown
    /// `[rows, latent]`. Gives the files.
    pub(super) fn pictures_of_codes(&mut self, means: &[f32], image: Shape) -> Result<Vec<PathBuf>> {
        let Spread { real, standard_normal, shaped } = self.spread()?;
        let is_plane = self.trainer.session.latent()? == 2;
        let mut made = vec![];
        if let Some(side) = Manifold::side(image)
            .filter(|_| !self.data.train.schema.is_table())
            .filter(|_| real && is_plane && !self.config.model.kind.is_conditional())
        {
            let manifold =
                if standard_normal { Manifold::of_standard_normal(side) } else { Manifold::of_codes(means, side) };
            let images = self.trainer.session.decode(&manifold.codes())?;
            let path = self.folder.join("manifold.png");
            manifold.save(&path, &images, image)?;
            made.push(path);
        }
        if real && shaped {
            made.push(self.picture_of_prior()?);
        }
        Ok(made)
    }

    fn spread(&self) -> Result<Spread> {
        let model = &self.config.model;
        if !model.kind.is_variational {
            let real = self.trainer.session.model.can().decode.is_some();
            return Ok(Spread { real, standard_normal: false, shaped: false });
        }
        let posterior = model.parts()?.posterior;
        let standard_normal = model.codes_are_standard_normal();
        let shaped = !standard_normal || posterior.is_flow();
        Ok(Spread { real: posterior.codes() == CodeSpace::Real, standard_normal, shaped })
    }

    fn picture_of_prior(&mut self) -> Result<PathBuf> {
        let shown = self.data.evaluation_split().1;
        let rows = shown.rows.min(most_codes(self.trainer.session.model.can().encode()?.latent()));
        let seed = self.config.training.seed;
        let session = &mut self.trainer.session;
        let prior = session.prior_sample(rows, seed)?;
        let mut posterior = Vec::with_capacity(prior.len());
        for (i, start) in (0..rows).step_by(CHUNK).enumerate() {
            let (x, y) = shown.gather(start..rows.min(start + CHUNK));
            // Each call starts its noise anew, and none is that of the prior's codes.
            posterior.extend(session.draw_codes(Given::new(&x, &y), seed.wrapping_add(1 + i as u64))?);
        }
        let labels = shown.labels.as_ref().map(|labels| (&labels.values[..rows], labels.names.as_slice()));
        let path = self.folder.join("prior.png");
        save_prior_map(&path, &prior, &posterior, session.latent()?, labels)?;
        Ok(path)
    }
}
