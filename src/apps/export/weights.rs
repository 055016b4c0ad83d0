//! The weights of a model for PyTorch, in a safetensors file, and the script that builds its networks of them.

use std::path::Path;

use crate::apps::Saved;
use crate::apps::torch::{networks, script};
use crate::error::Result;
use crate::training::checkpoint::Checkpoint;

/// Weights, and what is to be said of them.
pub struct Weights {
    /// The file.
    pub checkpoint: Checkpoint,
    /// The script that builds networks of them, where any can be built.
    pub script: Option<String>,
    /// What cannot be built, and why, in sentences.
    pub notes: Vec<String>,
}

/// The weights of a model as all but training reads them: those of networks that PyTorch has as lines of layers under their names there and as they lie there,
/// all others as they are.
///
/// # Errors
/// If the device fails.
pub fn weights(saved: &mut Saved, out: &Path) -> Result<Weights> {
    let found = networks(&*saved.session.model, &saved.form);
    let mut tensors = vec![];
    let mut others = 0;
    for (name, shape, numbers) in saved.session.values()? {
        match found.parameters.iter().find(|parameter| parameter.name == name) {
            Some(parameter) => {
                tensors.push((parameter.theirs.clone(), parameter.shape.clone(), parameter.out(&numbers)));
            }
            None => {
                others += 1;
                tensors.push((name, shape, numbers));
            }
        }
    }
    let kind = &saved.config.model.kind;
    let file = out.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let script = (!found.named.is_empty()).then(|| script(&kind.to_string(), &file, &found.named, others > 0));
    let mut checkpoint = Checkpoint { tensors, ..Checkpoint::default() };
    checkpoint.set_metadata("format", "pt");
    checkpoint.set_metadata("elbo.model", kind);
    checkpoint.set_metadata("elbo.config", saved.config.to_toml()?);
    Ok(Weights { checkpoint, script, notes: found.notes })
}
