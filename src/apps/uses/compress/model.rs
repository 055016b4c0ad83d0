//! Which model it is: by its weights and settings.

use std::io::Write;

use sha2::{Digest, Sha256};

use crate::apps::Saved;
use crate::apps::saved::whole;
use crate::cpu::Cpu;
use crate::error::{Error, Result};

/// Settings that models have had since files were first written, each as it is where nobody says otherwise, the latest first: files that
/// are older than a setting name a model without it.
const LATER: [&str; 2] = [r#""missing-mechanism":"at-random","#, r#""network-weights":"point","#];
/// How many of them a file that is written now leaves out: no model that compresses has another mechanism.
const LEFT_OUT: usize = 1;

/// Settings as text, as every version of the program has written them, the present one first.
fn texts(settings: &str) -> Vec<String> {
    let without =
        |count: usize| LATER[..count].iter().fold(settings.to_string(), |text, later| text.replace(later, ""));
    (LEFT_OUT..=LATER.len()).map(without).collect()
}

/// What tells a model apart: the hash of its architecture, its rows and every bit of its weights. The first is what files are written with;
/// those behind it are what earlier versions called the same model.
///
/// # Errors
/// If the weights cannot be read.
pub fn fingerprints(saved: &mut Saved) -> Result<Vec<String>> {
    let settings = serde_json::to_string(&saved.config.model).map_err(Error::invalid)?;
    let schema = serde_json::to_string(&saved.form.schema).map_err(Error::invalid)?;
    let mut tensors = saved.session.values()?;
    tensors.sort_by(|a, b| a.0.cmp(&b.0));
    let of = |settings: &String| {
        let mut hash = Sha256::new();
        for text in [settings, &schema] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        for (name, _, values) in &tensors {
            hash.update(name);
            values.iter().for_each(|value| hash.update(value.to_le_bytes()));
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    };
    Ok(texts(&settings).iter().map(of).collect())
}

/// The model as one file, in memory: of weights that have a spread (SWAG) the mean alone, by which rows are packed.
pub fn bytes(saved: &mut Saved) -> Result<Vec<u8>> {
    let mut config = saved.config.clone();
    config.training.swag = 0;
    let folder = tempfile::tempdir().map_err(Error::invalid)?;
    let path = folder.path().join("model.safetensors");
    whole(&config, &saved.form, &mut saved.session, saved.epoch)?.save(&path)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ModelConfig;

    #[test]
    fn a_model_is_called_what_earlier_versions_called_it() {
        let usual = texts(&serde_json::to_string(&ModelConfig::default()).unwrap());
        let keys = |text: &String| -> Vec<bool> {
            ["missing-mechanism", "network-weights", "objective"].iter().map(|key| text.contains(key)).collect()
        };
        assert_eq!(usual.iter().map(keys).collect::<Vec<_>>(), [[false, true, true], [false, false, true]]);
        // What is another model stays one.
        let other = ModelConfig { network_weights: "bayes-by-backprop".into(), ..ModelConfig::default() };
        let other = texts(&serde_json::to_string(&other).unwrap());
        assert!(other.iter().all(|text| text.contains("bayes-by-backprop") && !usual.contains(text)), "{other:?}");
    }
}
