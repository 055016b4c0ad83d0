//! Compute pipelines, one per distinct text, compiled in parallel.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use rayon::prelude::*;

use super::cache::Cache;
use crate::kernels::Access;

/// A text, and which of its bindings it writes.
type Key = (String, Vec<bool>);

/// The pipelines of a device, by their text and what they do with their bindings. Clones have them in common.
#[derive(Clone)]
pub(super) struct Pipelines {
    device: wgpu::Device,
    checked: bool,
    known: Arc<Mutex<HashMap<Key, wgpu::ComputePipeline>>>,
    /// What the driver keeps of what it compiled, where it offers that, and how many bytes of it are on disk.
    cache: Option<wgpu::PipelineCache>,
    kept: usize,
}

impl Pipelines {
    pub fn new(device: &wgpu::Device, checked: bool, files: &Cache) -> Pipelines {
        let (mut cache, mut kept) = (None, 0);
        if !checked && device.features().contains(wgpu::Features::PIPELINE_CACHE) {
            let data = files.pipelines();
            kept = data.as_ref().map_or(0, Vec::len);
            // SAFETY: `pipelines` gives only what `keep` wrote, whole, for this adapter, driver and version.
            cache = Some(unsafe {
                device.create_pipeline_cache(&wgpu::PipelineCacheDescriptor {
                    label: None,
                    data: data.as_deref(),
                    fallback: true,
                })
            });
        }
        Pipelines { device: device.clone(), checked, known: Arc::default(), cache, kept }
    }

    /// Writes what the driver has compiled to disk, if it is more than is there.
    pub fn keep(&mut self, files: &Cache) {
        let data = self.cache.as_ref().and_then(wgpu::PipelineCache::get_data);
        if let Some(data) = data.filter(|data| data.len() > self.kept) {
            files.save_pipelines(&data);
            self.kept = data.len();
        }
    }

    /// Compiles the texts that are not known yet.
    pub fn prepare(&mut self, wanted: &[(String, Vec<Access>)]) {
        let mut new: Vec<Key> = wanted.iter().map(key).collect();
        new.sort();
        new.dedup();
        new.retain(|k| !self.known().contains_key(k));
        let made: Vec<_> = new.into_par_iter().map(|k| (self.compile(&k), k)).map(|(p, k)| (k, p)).collect();
        self.known().extend(made);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Key, wgpu::ComputePipeline>> {
        self.known.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// A pipeline that has been prepared.
    pub fn get(&self, text: &str, access: &[Access]) -> wgpu::ComputePipeline {
        self.known()[&key(&(text.to_string(), access.to_vec()))].clone()
    }

    fn compile(&self, (text, writes): &Key) -> wgpu::ComputePipeline {
        let source = wgpu::ShaderModuleDescriptor { label: None, source: wgpu::ShaderSource::Wgsl(text.into()) };
        let module = if self.checked {
            self.device.create_shader_module(source)
        } else {
            // SAFETY: kernels stay inside their bindings and their loops end; the parity tests hold them to it with
            // guard bands around every binding, and once more with the checks on.
            unsafe { self.device.create_shader_module_trusted(source, wgpu::ShaderRuntimeChecks::unchecked()) }
        };
        let entries: Vec<_> = writes
            .iter()
            .enumerate()
            .map(|(i, &write)| wgpu::BindGroupLayoutEntry {
                binding: i as u32,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Storage { read_only: !write },
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            })
            .collect();
        let group =
            self.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries });
        let layout = self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: None,
            bind_group_layouts: &[Some(&group)],
            immediate_size: 128,
        });
        self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: None,
            layout: Some(&layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                zero_initialize_workgroup_memory: self.checked,
                ..Default::default()
            },
            cache: self.cache.as_ref(),
        })
    }
}

fn key((text, access): &(String, Vec<Access>)) -> Key {
    (text.clone(), access.iter().map(|&a| a == Access::Write).collect())
}
