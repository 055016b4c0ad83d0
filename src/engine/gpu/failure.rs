//! What went wrong on the device.

use std::sync::{Arc, Mutex};

use crate::error::{Error, Result};

/// The first thing that went wrong on the device, which wgpu tells asynchronously.
#[derive(Clone, Default)]
pub(super) struct Failure(Arc<Mutex<Option<String>>>);

impl Failure {
    pub fn set(&self, message: String) {
        let mut first = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        first.get_or_insert(message);
    }

    pub fn check(&self) -> Result<()> {
        match &*self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) {
            None => Ok(()),
            Some(message) => Err(Error::Device(format!(
                "the GPU failed: {message}\nA smaller `batch` needs less memory; the `device` cpu needs no GPU."
            ))),
        }
    }
}
