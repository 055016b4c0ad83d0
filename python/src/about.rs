//! What never changes of a trained model: it is told while another thread computes with the model.

use elbo::apps::Form;
use elbo::{Error, Result, Trained};

/// What stays as it is.
pub struct About {
    /// What rows look like.
    pub form: Form,
    /// Numbers of a code.
    pub latent: usize,
    /// Numbers that were trained.
    pub parameters: usize,
    /// The device, for people.
    pub device: String,
    /// Whether a NaN stands for a value that was not observed.
    pub takes_gaps: bool,
    /// The settings that are not as the preset has them, as JSON.
    pub settings: String,
}

impl About {
    /// What there is to tell of a model.
    ///
    /// # Errors
    /// If its settings cannot be told.
    pub fn of(trained: &Trained) -> Result<About> {
        let settings = serde_json::to_string(&trained.config().keywords()?);
        Ok(About {
            form: trained.form().clone(),
            latent: trained.latent(),
            parameters: trained.parameters(),
            device: trained.device(),
            takes_gaps: trained.takes_gaps(),
            settings: settings.map_err(|error| Error::Invalid(error.to_string()))?,
        })
    }

    /// Values of a row.
    pub fn features(&self) -> usize {
        self.form.shape().features()
    }
}
