//! Programs as JSON, for other hosts to replay: a web page, or anything else that speaks WebGPU.
//!
//! `docs/program.md` describes the format. A bundle is made from lowered programs ([`Bundle::add`]) and knows nothing of models. It holds two
//! texts of every call, one for GPUs and one for software adapters, and passes steps and sizes in uniform buffers, since browsers grant few
//! immediates or none.

mod make;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytemuck::Zeroable;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::kernels::{DIMS, SCALARS, Step};

/// The name of the format, which its first field holds.
pub const FORMAT: &str = "elbo-programs";
/// The version of the format: a reader refuses others.
pub const VERSION: u32 = 1;

/// 32-bit words; in JSON the Base64 of their bytes, the low one first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Words(pub Vec<u32>);

/// Programs, the buffers they share, and what these begin with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bundle {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// Distinct WGSL texts; the entry point of each is `main`.
    pub modules: Vec<String>,
    /// Distinct pipelines.
    pub pipelines: Vec<Pipeline>,
    /// The buffers of all programs.
    pub buffers: Vec<NamedBuffer>,
    /// What buffers may hold.
    pub contents: Vec<Words>,
    /// The programs.
    pub programs: Vec<BundledProgram>,
    /// Recorded launches of programs, such as the steps of a training.
    pub runs: Vec<Run>,
}

/// A module, and what it does with its bindings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pipeline {
    /// Index of the module.
    pub module: usize,
    /// A letter for each storage buffer of group 0, in binding order: `r` for one that is only read, `w` for one that is written.
    pub access: String,
}

/// A storage buffer; programs that name the same one share it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedBuffer {
    /// Its name, unique in the bundle.
    pub name: String,
    /// Its size in words of four bytes.
    pub words: usize,
    /// Index of the contents that it begins with; zeros where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial: Option<usize>,
}

/// A program: calls in the order in which they are run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BundledProgram {
    /// Its name, unique in the bundle.
    pub name: String,
    /// The calls.
    pub calls: Vec<BundledCall>,
    /// The names of the scalars of its steps, by slot.
    pub scalars: Vec<String>,
    /// The values of the slots of scalars in steps that nothing else is said of.
    pub defaults: [f32; SCALARS],
    /// The names of its statistics, by their place in a slot of the ring.
    pub statistics: Vec<String>,
    /// The buffer of the ring of statistics, where there are any.
    pub ring: Option<usize>,
    /// Buffers that the host fills before a step.
    pub inputs: Vec<Place>,
    /// What the host may read after a step.
    pub outputs: Vec<Place>,
}

/// One kernel call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BundledCall {
    /// The kind of kernel.
    pub kernel: String,
    /// What it computes, for people.
    pub label: String,
    /// Buffer, first word and words of each storage binding of group 0.
    pub bindings: Vec<[usize; 3]>,
    /// The sizes of the call: the uniform of group 0 behind the storage bindings.
    pub sizes: [u32; DIMS],
    /// How it is run on a GPU.
    pub gpu: Dispatch,
    /// How it is run on an adapter that runs shaders on the processor.
    pub software: Dispatch,
}

/// A pipeline, and how many workgroups of it are launched.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dispatch {
    /// Index of the pipeline.
    pub pipeline: usize,
    /// Workgroups in x, y, z.
    pub grid: [u32; 3],
}

/// A named part of a buffer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// Index of the buffer.
    pub buffer: usize,
    /// Its first word.
    pub offset: usize,
    /// Its words.
    pub words: usize,
}

/// Launches in the order in which they are to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its name.
    pub name: String,
    /// The index of the program of each launch.
    pub launches: Vec<usize>,
    /// The steps of the launches, 16 words each.
    pub steps: Words,
    /// Buffers, and the index of the contents that each has before the first launch. Other buffers of its programs are zeros then.
    pub state: Vec<[usize; 2]>,
}

impl Bundle {
    /// One without programs.
    pub fn new() -> Bundle {
        Bundle {
            format: FORMAT.to_string(),
            version: VERSION,
            modules: vec![],
            pipelines: vec![],
            buffers: vec![],
            contents: vec![],
            programs: vec![],
            runs: vec![],
        }
    }

    /// Reads one.
    ///
    /// # Errors
    /// If it is no such JSON, of another version, or names things that it does not have.
    pub fn from_json(text: &str) -> Result<Bundle> {
        let malformed = |why: String| Error::invalid(format!("these are not programs that can be replayed: {why}"));
        let bundle: Bundle = serde_json::from_str(text).map_err(|error| malformed(error.to_string()))?;
        if bundle.format != FORMAT || bundle.version != VERSION {
            let Bundle { format, version, .. } = &bundle;
            return Err(malformed(format!(
                "they are in version {version} of the format {format}, and version {VERSION} of {FORMAT} was expected"
            )));
        }
        bundle.missing().map_or(Ok(bundle), |what| Err(malformed(format!("they name {what}, which is not there"))))
    }

    /// The letters that its contents take as JSON.
    pub fn contents_in_text(&self) -> usize {
        self.contents.iter().map(|words| (4 * words.0.len()).div_ceil(3) * 4).sum()
    }

    /// What is named and is not there, if anything.
    fn missing(&self) -> Option<String> {
        let buffer = |&index: &usize| index >= self.buffers.len();
        let places = self.programs.iter().flat_map(|program| program.inputs.iter().chain(&program.outputs));
        let calls = || self.programs.iter().flat_map(|program| &program.calls);
        let buffers = places
            .map(|place| place.buffer)
            .chain(calls().flat_map(|call| call.bindings.iter().map(|[buffer, ..]| *buffer)))
            .chain(self.programs.iter().filter_map(|program| program.ring))
            .chain(self.runs.iter().flat_map(|run| run.state.iter().map(|[buffer, _]| *buffer)));
        let contents = self.buffers.iter().filter_map(|buffer| buffer.initial);
        let contents = contents.chain(self.runs.iter().flat_map(|run| run.state.iter().map(|[_, contents]| *contents)));
        let mut pipelines = calls().flat_map(|call| [call.gpu.pipeline, call.software.pipeline]);
        let too_many = |what: &str, index: Option<usize>| index.map(|index| format!("{what} {index}"));
        too_many("buffer", buffers.into_iter().find(buffer))
            .or_else(|| too_many("contents", contents.into_iter().find(|&index| index >= self.contents.len())))
            .or_else(|| too_many("pipeline", pipelines.find(|&index| index >= self.pipelines.len())))
            .or_else(|| {
                let mut modules = self.pipelines.iter().map(|pipeline| pipeline.module);
                too_many("module", modules.find(|&index| index >= self.modules.len()))
            })
            .or_else(|| {
                let mut launched = self.runs.iter().flat_map(|run| run.launches.iter().copied());
                too_many("program", launched.find(|&index| index >= self.programs.len()))
            })
    }
}

impl Default for Bundle {
    fn default() -> Bundle {
        Bundle::new()
    }
}

impl Run {
    /// The step of each launch.
    ///
    /// # Errors
    /// If they are not as many as the launches.
    pub fn steps(&self) -> Result<Vec<Step>> {
        let words = &self.steps.0;
        if words.len() != self.launches.len() * DIMS {
            let problem = format!("a run has {} launches and {} words of steps", self.launches.len(), words.len());
            return Err(Error::invalid(problem));
        }
        let step = |words: &[u32]| {
            let mut step = Step::zeroed();
            bytemuck::bytes_of_mut(&mut step).copy_from_slice(bytemuck::cast_slice(words));
            step
        };
        Ok(words.chunks_exact(DIMS).map(step).collect())
    }
}

impl Words {
    /// Their bytes, the low one of each word first.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|word| word.to_le_bytes()).collect()
    }
}

impl From<Words> for String {
    fn from(words: Words) -> String {
        STANDARD.encode(words.bytes())
    }
}

impl TryFrom<String> for Words {
    type Error = Error;

    fn try_from(text: String) -> Result<Words> {
        let bytes = STANDARD.decode(text).map_err(|error| Error::invalid(format!("words are no Base64: {error}")))?;
        if bytes.len() % 4 != 0 {
            return Err(Error::invalid(format!("{} bytes are no words", bytes.len())));
        }
        let word = |bytes: &[u8]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        Ok(Words(bytes.chunks_exact(4).map(word).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_their_text() {
        // 1.0 is 0x3f800000; its low byte comes first.
        assert_eq!(serde_json::to_string(&Words(vec![0x3f80_0000])).unwrap(), "\"AACAPw==\"");
        let words = Words(vec![0, 1, u32::MAX, 0x7fc0_0001]);
        let read = |text: &str| serde_json::from_str::<Words>(text);
        assert_eq!(read(&serde_json::to_string(&words).unwrap()).unwrap(), words);
        assert!(read("\"AAAA\"").is_err() && read("\"?\"").is_err());
    }

    #[test]
    fn pipelines_keep_their_texts_where_these_are_sorted() {
        let texts = ["longer, b", "short", "longer, a"];
        let mut bundle = Bundle::new();
        bundle.modules = texts.map(str::to_string).to_vec();
        bundle.pipelines = [2, 0, 1, 0].into_iter().map(|module| Pipeline { module, access: "r".into() }).collect();
        bundle.sort_modules();
        assert_eq!(bundle.modules, ["short", "longer, a", "longer, b"]);
        let of: Vec<&str> = bundle.pipelines.iter().map(|pipeline| &*bundle.modules[pipeline.module]).collect();
        assert_eq!(of, [texts[2], texts[0], texts[1], texts[0]]);
    }

    #[test]
    fn what_is_no_bundle_is_refused() {
        let read = |change: &dyn Fn(&mut Bundle)| {
            let mut bundle = Bundle::new();
            change(&mut bundle);
            Bundle::from_json(&serde_json::to_string(&bundle).unwrap()).map_err(|error| error.to_string())
        };
        assert_eq!(read(&|_| ()), Ok(Bundle::new()));
        assert!(read(&|bundle| bundle.version = 2).unwrap_err().contains("version 2"));
        assert!(read(&|bundle| bundle.format = "other".into()).unwrap_err().contains("format other"));
        let pipeline = Pipeline { module: 3, access: "r".into() };
        assert!(read(&|bundle| bundle.pipelines.push(pipeline.clone())).unwrap_err().contains("module 3"));
        let buffer = NamedBuffer { name: "a".into(), words: 1, initial: Some(0) };
        assert!(read(&|bundle| bundle.buffers.push(buffer.clone())).unwrap_err().contains("contents 0"));
        let run = |launches: Vec<usize>, steps: Vec<u32>| Run {
            name: "train".into(),
            launches,
            steps: Words(steps),
            state: vec![],
        };
        assert!(read(&|bundle| bundle.runs.push(run(vec![1], vec![]))).unwrap_err().contains("program 1"));
        assert!(run(vec![0], vec![1]).steps().unwrap_err().to_string().contains("1 launches and 1 words"));
        assert!(Bundle::from_json("[]").is_err());
    }
}
