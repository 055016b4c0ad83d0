//! Which model it is: by its weights and settings.

use std::io::Write;

use sha2::{Digest, Sha256};

use crate::apps::Saved;
use crate::apps::saved::whole;
use crate::cpu::Cpu;
use crate::error::{Error, Result};

/// What tells a model apart: the hash of its architecture, its rows and every bit of its weights.
///
/// # Errors
/// If the weights cannot be read.
pub fn fingerprint(saved: &mut Saved) -> Result<String> {
    let mut hash = Sha256::new();
    let settings = serde_json::to_string(&saved.config.model).map_err(Error::invalid)?;
    let schema = serde_json::to_string(&saved.form.schema).map_err(Error::invalid)?;
    for text in [settings, schema] {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    let mut tensors = saved.session.values()?;
    tensors.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, _, values) in tensors {
        hash.update(name);
        values.iter().for_each(|value| hash.update(value.to_le_bytes()));
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The model as one file, in memory.
pub fn bytes(saved: &mut Saved) -> Result<Vec<u8>> {
    let folder = tempfile::tempdir().map_err(Error::invalid)?;
    let path = folder.path().join("model.safetensors");
    whole(&saved.config, &saved.form, &mut saved.session, saved.epoch)?.save(&path)?;
    std::fs::read(&path).map_err(Error::io("read", &path))
}

/// A model that [`bytes`] made, in the exact mode.
///
/// # Errors
/// If it is damaged.
pub fn embedded(bytes: &[u8]) -> Result<Saved> {
    let mut file = tempfile::Builder::new().suffix(".safetensors").tempfile().map_err(Error::invalid)?;
    file.write_all(bytes).and_then(|()| file.flush()).map_err(Error::io("write", file.path()))?;
    Saved::load(file.path(), Box::new(Cpu::exact()))
        .map_err(|error| Error::invalid(format!("the model in the file cannot be read: {error}")))
}
