//! How a bundle is made: from programs, and from what their buffers hold.

use std::collections::BTreeSet;

use super::{Bundle, BundledCall, BundledProgram, Dispatch, NamedBuffer, Pipeline, Place, Run, Words};
use crate::error::{Error, Result};
use crate::gpu::passing::Passing;
use crate::kernels::{Access, Kernel, SCALARS, Step, Traits};
use crate::program::{Buffer, Executor, Program};

/// What stands before the name of an input in that of its buffer.
const INPUT: &str = "input.";
/// The adapters that texts are for: any GPU, and any that runs shaders on the processor. Neither is taken to have subgroups, which pages would have to
/// ask for and which differ from adapter to adapter.
const GPU: Traits = Traits { software: false, subgroup_size: None };
const SOFTWARE: Traits = Traits { software: true, subgroup_size: None };

impl Bundle {
    /// Adds a program, with the values that its scalars have where a step does not say others; its index.
    ///
    /// # Errors
    /// If there is one of that name, or a buffer has another size than in another program.
    pub fn add(&mut self, program: &Program, defaults: [f32; SCALARS]) -> Result<usize> {
        if self.programs.iter().any(|known| known.name == program.name) {
            return Err(Error::invalid(format!("two programs of a bundle are named {}", program.name)));
        }
        let buffers: Vec<usize> =
            program.buffers.iter().map(|buffer| self.buffer_of(&program.name, buffer)).collect::<Result<_>>()?;
        let calls = program.calls.iter().map(|call| BundledCall {
            kernel: call.kernel.name().to_string(),
            label: call.label.clone(),
            bindings: call.bindings.iter().map(|slice| [buffers[slice.buffer], slice.offset, slice.words]).collect(),
            sizes: call.kernel.dims(),
            gpu: self.dispatch(&*call.kernel, &GPU),
            software: self.dispatch(&*call.kernel, &SOFTWARE),
        });
        let calls = calls.collect();
        let inputs = program.buffers.iter().zip(&buffers).filter_map(|(buffer, &index)| {
            let name = buffer.name.strip_prefix(INPUT)?.to_string();
            Some(Place { name, buffer: index, offset: 0, words: buffer.words })
        });
        let outputs = program.outputs.iter().map(|output| Place {
            name: output.name.clone(),
            buffer: buffers[output.slice.buffer],
            offset: output.slice.offset,
            words: output.slice.words,
        });
        self.programs.push(BundledProgram {
            name: program.name.clone(),
            calls,
            scalars: program.scalars.clone(),
            defaults,
            statistics: program.statistics.clone(),
            ring: program.ring.map(|ring| buffers[ring]),
            inputs: inputs.collect(),
            outputs: outputs.collect(),
        });
        Ok(self.programs.len() - 1)
    }

    /// The index of a program's buffer.
    fn buffer_of(&mut self, program: &str, buffer: &Buffer) -> Result<usize> {
        let name = if buffer.is_private() { format!("{program}.{}", buffer.name) } else { buffer.name.clone() };
        match self.buffers.iter().position(|known| known.name == name) {
            Some(index) if self.buffers[index].words == buffer.words => Ok(index),
            Some(index) => {
                let (one, other) = (self.buffers[index].words, buffer.words);
                Err(Error::invalid(format!("the buffer {name} has {one} words in one program and {other} in another")))
            }
            None => {
                self.buffers.push(NamedBuffer { name, words: buffer.words, initial: None });
                Ok(self.buffers.len() - 1)
            }
        }
    }

    /// How a kernel is run on such an adapter.
    fn dispatch(&mut self, kernel: &dyn Kernel, traits: &Traits) -> Dispatch {
        let access = kernel.bindings();
        // The compilers of software adapters take minutes over the largest texts of a convolution, and moments over the shortest.
        let choices = if traits.software { kernel.choices(traits).map_or(1, |choices| choices.names.len()) } else { 1 };
        let module = (0..choices).map(|choice| kernel.module(traits, choice)).min_by_key(|module| module.text.len());
        let module = module.expect("there is a first choice");
        let text = Passing::BothBound.text(&module.text, access.len());
        let letter = |access: &Access| if *access == Access::Write { 'w' } else { 'r' };
        let pipeline =
            Pipeline { module: place_in(&mut self.modules, text), access: access.iter().map(letter).collect() };
        Dispatch { pipeline: place_in(&mut self.pipelines, pipeline), grid: module.workgroups }
    }

    /// Lets buffers begin with what an executor holds, perhaps under other names: each is the name here, and the name there.
    ///
    /// # Errors
    /// If the device fails.
    pub fn begin_with(&mut self, names: &[(String, String)], executor: &mut dyn Executor) -> Result<()> {
        for index in 0..self.buffers.len() {
            if let Some((_, held)) = names.iter().find(|(name, _)| *name == self.buffers[index].name) {
                self.buffers[index].initial = self.held(index, held, executor)?;
            }
        }
        Ok(())
    }

    /// Adds launches, of programs by their index, that go on from what an executor holds of their buffers.
    ///
    /// # Errors
    /// If the device fails.
    pub fn add_run(&mut self, name: &str, launches: &[(usize, Step)], executor: &mut dyn Executor) -> Result<()> {
        let (programs, steps): (Vec<usize>, Vec<Step>) = launches.iter().copied().unzip();
        let launched: BTreeSet<usize> = programs.iter().copied().collect();
        let calls = launched.iter().flat_map(|&program| &self.programs[program].calls);
        let used: BTreeSet<usize> = calls.flat_map(|call| &call.bindings).map(|[buffer, ..]| *buffer).collect();
        let mut state = vec![];
        for buffer in used {
            let name = self.buffers[buffer].name.clone();
            state.extend(self.held(buffer, &name, executor)?.map(|contents| [buffer, contents]));
        }
        let steps = Words(bytemuck::cast_slice(&steps).to_vec());
        self.runs.push(Run { name: name.to_string(), launches: programs, steps, state });
        Ok(())
    }

    /// Puts texts that are much alike beside each other, by their length: packing finds again what is near. The programs of a very deep VAE are packed into
    /// less than a third that way.
    pub fn sort_modules(&mut self) {
        let mut order: Vec<usize> = (0..self.modules.len()).collect();
        order.sort_by_key(|&index| (self.modules[index].len(), &self.modules[index]));
        let mut places = vec![0; order.len()];
        for (place, &index) in order.iter().enumerate() {
            places[index] = place;
        }
        self.modules = order.iter().map(|&index| std::mem::take(&mut self.modules[index])).collect();
        for pipeline in &mut self.pipelines {
            pipeline.module = places[pipeline.module];
        }
    }

    /// The index of what an executor holds under a name, for a buffer here; nothing where that is zeros, or it has no such buffer.
    fn held(&mut self, buffer: usize, name: &str, executor: &mut dyn Executor) -> Result<Option<usize>> {
        if executor.words(name) != Some(self.buffers[buffer].words) {
            return Ok(None);
        }
        let found = executor.read(name)?;
        Ok(found.iter().any(|word| *word != 0).then(|| place_in(&mut self.contents, Words(found))))
    }
}

/// The place of something in a list, to which it is added where it is new.
fn place_in<T: PartialEq>(list: &mut Vec<T>, one: T) -> usize {
    list.iter().position(|known| *known == one).unwrap_or_else(|| {
        list.push(one);
        list.len() - 1
    })
}
