//! How what changes from step to step, and the sizes of a call, reach kernels.
//!
//! Kernels are written for one block of immediates, `im`, whose first half is the [`Step`] and whose second half the sizes of the call,
//! 64 bytes each. Adapters grant 128 bytes of them or more, browsers 64 or none. What is not granted is bound instead: the sizes, which never
//! change, in a uniform buffer of the program, behind the call's other bindings; the steps of a submit in one of the executor, at an offset
//! each. The numbers that kernels compute with are the same.

use crate::kernels::{DIMS, IMMEDIATES, Kernel, Step};
use crate::program::RING_SLOTS;

/// Bytes of a step, and of the sizes of a call.
const BLOCK: u64 = 64;
/// Bytes from one block of a uniform buffer to the next, which every adapter accepts.
const APART: u64 = 256;

/// How the step and the sizes of a call are given to kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passing {
    /// Both as immediates.
    Immediates,
    /// The step as immediates, the sizes bound.
    SizesBound,
    /// Both bound.
    BothBound,
}

impl Passing {
    /// What can be done with so many bytes of immediates.
    pub fn within(bytes: u32) -> Passing {
        match bytes {
            128.. => Passing::Immediates,
            64.. => Passing::SizesBound,
            _ => Passing::BothBound,
        }
    }

    /// Bytes of immediates that it takes.
    pub fn immediates(self) -> u32 {
        match self {
            Passing::Immediates => 128,
            Passing::SizesBound => 64,
            Passing::BothBound => 0,
        }
    }

    /// For people.
    pub fn describe(self) -> &'static str {
        match self {
            Passing::Immediates => "steps and sizes as immediates (128 bytes)",
            Passing::SizesBound => "steps as immediates (64 bytes), sizes in uniform buffers",
            Passing::BothBound => "steps and sizes in uniform buffers",
        }
    }

    /// A kernel's text, written for immediates, as it is compiled: the sizes are bound behind `bindings` other bindings.
    pub fn text(self, text: &str, bindings: usize) -> String {
        if self == Passing::Immediates {
            return text.to_string();
        }
        let (step, sizes) = IMMEDIATES.split_once("    d0:").expect("the sizes begin with d0");
        let (sizes, _) = sizes.split_once('}').expect("the block ends behind the sizes");
        let step_is = if self == Passing::SizesBound { "var<immediate>" } else { "@group(1) @binding(0) var<uniform>" };
        let apart = format!(
            "{step}}}\nstruct Sizes {{\n    d0:{sizes}}}\n{step_is} im: Immediates;\n\
             @group(0) @binding({bindings}) var<uniform> sizes: Sizes;\n"
        );
        sizes_apart(&text.replacen(IMMEDIATES, &apart, 1))
    }

    /// The uniform buffer with the sizes of some calls, a block each, where they are bound.
    pub fn bound_sizes<'k>(
        self,
        device: &wgpu::Device,
        kernels: impl ExactSizeIterator<Item = &'k dyn Kernel>,
    ) -> Option<wgpu::Buffer> {
        if self == Passing::Immediates || kernels.len() == 0 {
            return None;
        }
        let mut blocks = vec![0; APART as usize * kernels.len()];
        for (block, kernel) in blocks.chunks_exact_mut(APART as usize).zip(kernels) {
            let sizes: [u32; DIMS] = kernel.dims();
            block[..BLOCK as usize].copy_from_slice(bytemuck::cast_slice(&sizes));
        }
        let buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("sizes"),
            size: blocks.len() as u64,
            usage: wgpu::BufferUsages::UNIFORM,
            mapped_at_creation: true,
        });
        if let Ok(mut view) = buffer.get_mapped_range_mut(..) {
            view.copy_from_slice(&blocks);
        }
        buffer.unmap();
        Some(buffer)
    }
}

/// What binds the sizes of a call: the block of its number in such a buffer.
pub(super) fn size_block(buffer: &wgpu::Buffer, call: usize) -> wgpu::BindingResource<'_> {
    wgpu::BindingResource::Buffer(wgpu::BufferBinding {
        buffer,
        offset: APART * call as u64,
        size: wgpu::BufferSize::new(BLOCK),
    })
}

/// The text with `im.d0` to `im.d3` read from `sizes`.
fn sizes_apart(text: &str) -> String {
    let mut parts = text.split("im.d");
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let is_word = out.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let is_size = !is_word && part.starts_with(|c: char| c.is_ascii_digit());
        out += if is_size { "sizes.d" } else { "im.d" };
        out += part;
    }
    out
}

/// The steps of a submit in a uniform buffer, where they are bound.
pub(super) struct Steps {
    buffer: wgpu::Buffer,
    group: wgpu::BindGroup,
    /// What is written, kept between submits.
    blocks: Vec<u8>,
}

impl Steps {
    /// Room for as many steps as a submit has, where they are bound at all: where pipelines have a `layout` for them.
    pub fn new(device: &wgpu::Device, layout: Option<&wgpu::BindGroupLayout>) -> Option<Steps> {
        let layout = layout?;
        let buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("steps"),
            size: APART * RING_SLOTS as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let bound = wgpu::BufferBinding { buffer: &buffer, offset: 0, size: wgpu::BufferSize::new(BLOCK) };
        let entry = wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::Buffer(bound) };
        let group = device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &[entry] });
        Some(Steps { buffer, group, blocks: Vec::new() })
    }

    /// The layout that pipelines have it in.
    pub fn layout(device: &wgpu::Device) -> wgpu::BindGroupLayout {
        device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("step"),
            entries: &[uniform(0, true)],
        })
    }

    /// Forgets the steps of the last submit.
    pub fn clear(&mut self) {
        self.blocks.clear();
    }

    /// Binds one more step of the submit that is recorded.
    pub fn bind(&mut self, pass: &mut wgpu::ComputePass, step: &Step) {
        pass.set_bind_group(1, &self.group, &[self.blocks.len() as u32]);
        self.blocks.extend_from_slice(bytemuck::bytes_of(step));
        self.blocks.resize(self.blocks.len().next_multiple_of(APART as usize), 0);
    }

    /// Writes the steps that were bound, to be done before the submit.
    pub fn write(&self, queue: &wgpu::Queue) {
        queue.write_buffer(&self.buffer, 0, &self.blocks);
    }
}

/// A binding of a uniform block, perhaps at an offset that is given when it is bound.
pub(super) fn uniform(binding: usize, has_dynamic_offset: bool) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding: binding as u32,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Uniform,
            has_dynamic_offset,
            min_binding_size: wgpu::BufferSize::new(BLOCK),
        },
        count: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_where_they_are() {
        assert_eq!(sizes_apart("(im.d0.x + him.d1) * im.degree"), "(sizes.d0.x + him.d1) * im.degree");
        assert_eq!((size_of::<Step>() as u64, 4 * DIMS as u64), (BLOCK, BLOCK));
        for bytes in [0, 63, 64, 127, 128, 256] {
            let passing = Passing::within(bytes);
            assert!(passing.immediates() <= bytes);
            let text = passing.text(&format!("{IMMEDIATES}fn f() {{ return im.d3.w + im.rows; }}"), 5);
            assert_eq!(text.contains("im.d3.w"), passing == Passing::Immediates, "{text}");
            assert_eq!(text.contains("@binding(5) var<uniform> sizes"), passing != Passing::Immediates, "{text}");
            assert_eq!(text.contains("var<immediate>"), passing != Passing::BothBound, "{text}");
        }
    }
}
