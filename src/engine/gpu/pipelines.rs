//! Compute pipelines, one per distinct text, compiled in parallel.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use rayon::prelude::*;

use super::cache::Cache;
use super::passing::{Passing, Steps, uniform};
use crate::kernels::Access;

/// A text, and which of its bindings it writes.
type Key = (String, Vec<bool>);

/// How many pipelines are kept that no loaded program uses, so that most programs that are loaded again find theirs.
const SPARE: usize = 256;

/// The pipelines of a device, by their text and what they do with their bindings. Clones have them in common.
#[derive(Clone)]
pub(super) struct Pipelines {
    device: wgpu::Device,
    checked: bool,
    pub passing: Passing,
    /// The layout of the step, where it is bound.
    pub step_layout: Option<wgpu::BindGroupLayout>,
    known: Arc<Mutex<Known>>,
    /// What the driver keeps of what it compiled, where it offers that, and how many bytes of it are on disk.
    cache: Option<wgpu::PipelineCache>,
    kept: usize,
}

/// Pipelines, each with the number of the time that it was last asked for.
#[derive(Default)]
struct Known {
    made: HashMap<Key, (Arc<wgpu::ComputePipeline>, u64)>,
    asked: u64,
}

impl Pipelines {
    pub fn new(device: &wgpu::Device, passing: Passing, checked: bool, files: &Cache) -> Pipelines {
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
        let step_layout = (passing == Passing::BothBound).then(|| Steps::layout(device));
        Pipelines { device: device.clone(), checked, passing, step_layout, known: Arc::default(), cache, kept }
    }

    /// Writes what the driver has compiled to disk, if it is more than is there.
    pub fn keep(&mut self, files: &Cache) {
        let data = self.cache.as_ref().and_then(wgpu::PipelineCache::get_data);
        if let Some(data) = data.filter(|data| data.len() > self.kept) {
            files.save_pipelines(&data);
            self.kept = data.len();
        }
    }

    /// Compiles the texts that are not known yet, on all threads.
    pub fn prepare(&mut self, wanted: &[(String, Vec<Access>)]) {
        let mut new: Vec<Key> = wanted.iter().map(key).collect();
        new.sort();
        new.dedup();
        new.retain(|k| !self.known().made.contains_key(k));
        let made: Vec<_> = new.into_par_iter().map(|k| (Arc::new(self.compile(&k)), k)).collect();
        let mut known = self.known();
        // They are about to be asked for, and must not be the first to be forgotten.
        let asked = known.asked;
        known.made.extend(made.into_iter().map(|(pipeline, k)| (k, (pipeline, asked))));
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// A pipeline, compiled if it has not been prepared.
    pub fn get(&self, text: &str, access: &[Access]) -> Arc<wgpu::ComputePipeline> {
        let mut known = self.known();
        known.asked += 1;
        let Known { made, asked } = &mut *known;
        let key = key(&(text.to_string(), access.to_vec()));
        let (pipeline, last) = made.entry(key).or_insert_with_key(|key| (Arc::new(self.compile(key)), 0));
        *last = *asked;
        pipeline.clone()
    }

    /// Forgets pipelines that no program uses, if there are many of them: those that were not asked for the longest.
    pub fn trim(&self) {
        let mut known = self.known();
        let unused = known.made.values().filter(|(pipeline, _)| Arc::strong_count(pipeline) == 1);
        let mut unused: Vec<u64> = unused.map(|(_, last)| *last).collect();
        if let Some(too_many) = unused.len().checked_sub(SPARE + 1) {
            unused.sort_unstable();
            let last_forgotten = unused[too_many];
            known.made.retain(|_, (pipeline, last)| Arc::strong_count(pipeline) > 1 || *last > last_forgotten);
        }
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
        let storage = writes.iter().enumerate().map(|(i, &write)| wgpu::BindGroupLayoutEntry {
            binding: i as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Storage { read_only: !write },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        });
        let sizes = (self.passing != Passing::Immediates).then(|| uniform(writes.len(), false));
        let entries: Vec<_> = storage.chain(sizes).collect();
        let group =
            self.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries });
        let groups: Vec<_> = [Some(&group)].into_iter().chain(self.step_layout.as_ref().map(Some)).collect();
        let layout = self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: None,
            bind_group_layouts: &groups,
            immediate_size: self.passing.immediates(),
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
