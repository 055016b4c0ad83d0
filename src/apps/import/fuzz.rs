//! Readers of weights and maps are given damaged files.

use std::fs;

use safetensors::tensor::{Dtype, TensorView, serialize};

use super::{foreign, map};
use crate::fuzz::{OF_WORDS, attack};

#[test]
fn weights() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("weights.safetensors");
    let numbers: Vec<u8> = (0..6).flat_map(|i| (i as f32).to_le_bytes()).collect();
    let tensor = |dtype, shape: &[usize]| TensorView::new(dtype, shape.to_vec(), &numbers).unwrap();
    let seeds = [
        serialize([("a.weight", tensor(Dtype::F32, &[2, 3])), ("a.bias", tensor(Dtype::F16, &[12]))], None).unwrap(),
        serialize([("b", tensor(Dtype::BF16, &[3, 4])), ("steps", tensor(Dtype::I64, &[3]))], None).unwrap(),
    ];
    attack("weights.safetensors", OF_WORDS, &seeds, |bytes| {
        fs::write(&path, bytes).unwrap();
        foreign::read(&path)
    });
}

#[test]
fn maps() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("map.toml");
    let seed = "\"a.0.weight\" = \"x\"\na.0.bias = [\"y\", \"z\"]\n[prior]\nmean = false\n[a.b.c]\nd = \"e\"\n";
    attack("map.toml", OF_WORDS, &[seed.into()], |bytes| {
        fs::write(&path, bytes).unwrap();
        map::read(&path)
    });
}
