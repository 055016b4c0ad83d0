//! Calls that are ready to be recorded.

use std::sync::Arc;

use super::passing::{Passing, Steps};
use crate::kernels::{DIMS, Kernel, Module, Step};

/// A step as the calls of a launch are given it.
#[derive(Clone, Copy)]
pub(super) struct BoundStep<'s> {
    immediates: Option<&'s Step>,
    /// Whether the sizes of calls travel with it.
    with_sizes: bool,
}

impl<'s> BoundStep<'s> {
    /// Makes a step ready for calls that are recorded next.
    pub fn new(
        passing: Passing,
        steps: &mut Option<Steps>,
        pass: &mut wgpu::ComputePass,
        step: &'s Step,
    ) -> BoundStep<'s> {
        if let Some(steps) = steps {
            steps.bind(pass, step);
        }
        let immediates = (passing != Passing::BothBound).then_some(step);
        BoundStep { immediates, with_sizes: passing == Passing::Immediates }
    }
}

/// One call, ready to record.
pub(super) struct Dispatch {
    pipeline: Arc<wgpu::ComputePipeline>,
    group: wgpu::BindGroup,
    dims: [u32; DIMS],
    workgroups: [u32; 3],
}

impl Dispatch {
    /// A call whose pipeline is compiled, with what its kernel binds.
    pub fn new(
        device: &wgpu::Device,
        kernel: &dyn Kernel,
        module: &Module,
        pipeline: Arc<wgpu::ComputePipeline>,
        bound: Vec<wgpu::BindingResource>,
    ) -> Dispatch {
        let entry = |(i, resource)| wgpu::BindGroupEntry { binding: i as u32, resource };
        let entries: Vec<_> = bound.into_iter().enumerate().map(entry).collect();
        let layout = pipeline.get_bind_group_layout(0);
        let descriptor = wgpu::BindGroupDescriptor { label: None, layout: &layout, entries: &entries };
        Dispatch {
            group: device.create_bind_group(&descriptor),
            pipeline,
            dims: kernel.dims(),
            workgroups: module.workgroups,
        }
    }

    /// Records the call into a pass of its own.
    pub fn record(&self, pass: &mut wgpu::ComputePass, step: BoundStep) {
        pass.set_pipeline(&self.pipeline);
        self.dispatch(pass, step);
    }

    /// What it runs.
    pub fn pipeline(&self) -> &Arc<wgpu::ComputePipeline> {
        &self.pipeline
    }

    /// Records the call, its pipeline being set.
    pub fn dispatch(&self, pass: &mut wgpu::ComputePass, step: BoundStep) {
        pass.set_bind_group(0, &self.group, &[]);
        if let Some(immediates) = step.immediates {
            pass.set_immediates(0, bytemuck::bytes_of(immediates));
        }
        if step.with_sizes {
            pass.set_immediates(64, bytemuck::cast_slice(&self.dims));
        }
        let [x, y, z] = self.workgroups;
        pass.dispatch_workgroups(x, y, z);
    }
}
