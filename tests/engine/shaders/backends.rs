//! What wgpu hands to drivers: a text written as SPIR-V, MSL and HLSL, with the checks left out that elbo leaves out.
//!
//! `ELBO_WRITE_TEXTS=FOLDER cargo test --test engine every_text` keeps all of them, for `tests/compilers.sh`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use naga::back::hlsl::ShaderModel;
use naga::back::{hlsl, msl, spv};
use naga::proc::BoundsCheckPolicies;
use naga::valid::ModuleInfo;

/// The versions of SPIR-V that drivers are given, by what asks for them.
const SPIRV: [(&str, (u8, u8)); 2] = [("vulkan1.1.spv", (1, 3)), ("vulkan1.3.spv", (1, 6))];

/// A text for each backend of wgpu: the ending of its file, and what is in it.
pub type Written = Vec<(&'static str, Vec<u8>)>;

/// Writes a text for each backend, parsed as `module`. Shader model 5.1, which is what FXC compiles, has no subgroups.
pub fn write(text: &str, module: &naga::Module, info: &ModuleInfo) -> Result<Written, String> {
    let mut written = Written::new();
    for (ending, version) in SPIRV {
        let options = spv::Options {
            lang_version: version,
            bounds_check_policies: BoundsCheckPolicies::default(),
            zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
            force_loop_bounding: false,
            emit_int_div_checks: false,
            ..spv::Options::default()
        };
        let words = spv::write_vec(module, info, &options, None).map_err(|e| format!("SPIR-V: {e}"))?;
        let bytes = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        written.push((ending, bytes));
    }

    let metal = msl::Options {
        lang_version: (2, 4),
        zero_initialize_workgroup_memory: false,
        force_loop_bounding: false,
        emit_int_div_checks: false,
        ..msl::Options::default()
    };
    let (metal, _) =
        msl::write_string(module, info, &metal, &msl::PipelineOptions::default()).map_err(|e| format!("MSL: {e}"))?;
    written.push(("metal", metal.into_bytes()));

    written.push(("6_0.hlsl", direct(module, info, ShaderModel::V6_0)?.into_bytes()));
    if !text.contains("subgroup") {
        written.push(("5_1.hlsl", direct(module, info, ShaderModel::V5_1)?.into_bytes()));
    }
    Ok(written)
}

fn direct(module: &naga::Module, info: &ModuleInfo, shader_model: ShaderModel) -> Result<String, String> {
    let options = hlsl::Options {
        shader_model,
        immediates_target: Some(hlsl::BindTarget { space: 1, ..hlsl::BindTarget::default() }),
        restrict_indexing: false,
        zero_initialize_workgroup_memory: false,
        force_loop_bounding: false,
        ..hlsl::Options::default()
    };
    let mut text = String::new();
    let pipeline = hlsl::PipelineOptions::default();
    hlsl::Writer::new(&mut text, &options, &pipeline)
        .write(module, info, None)
        .map_err(|e| format!("HLSL of {shader_model:?}: {e}"))?;
    Ok(text)
}

/// The folder in which what is written is kept, where the environment names one.
pub fn folder() -> Option<PathBuf> {
    std::env::var_os("ELBO_WRITE_TEXTS").map(PathBuf::from)
}

/// Keeps texts: a file for each backend, and in `names.tsv` what the files of a number are.
pub fn keep(folder: &Path, all: &[(String, Written)]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut names = String::new();
    for (number, (name, written)) in all.iter().enumerate() {
        writeln!(names, "{number:04}\t{}", name.replace(['\n', '\t'], " ")).expect("a string takes all");
        for (ending, bytes) in written {
            std::fs::write(folder.join(format!("{number:04}.{ending}")), bytes)?;
        }
    }
    std::fs::write(folder.join("names.tsv"), names)
}
