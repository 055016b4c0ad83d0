//! Every text of every kernel, without a GPU: named by the table, valid for naga, written for each backend, within the
//! limits that every adapter grants, and accepted by Tint, the compiler of the browsers.

mod backends;

use crate::common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use elbo::apps::bench::{Workload, step_calls};
use elbo::engine::kernels::table::{TABLE, all_modules, variants};
use elbo::engine::kernels::{FUNCS, Kernel, Module, Traits, readable};
use naga::valid::{Capabilities, ModuleInfo, ShaderStages, SubgroupOperationSet, ValidationFlags, Validator};

/// The kinds of adapter that texts depend on.
const ADAPTERS: [Traits; 6] = [
    Traits { software: true, subgroup_size: None },
    Traits { software: true, subgroup_size: Some(4) },
    Traits { software: true, subgroup_size: Some(8) },
    Traits { software: true, subgroup_size: Some(16) },
    Traits { software: false, subgroup_size: Some(32) },
    Traits { software: false, subgroup_size: None },
];

/// Every distinct module, with what it first belongs to: a row and a case, or a call of a step.
fn modules() -> Vec<(String, Module)> {
    let mut distinct: BTreeMap<String, (String, Module)> = BTreeMap::new();
    let mut add = |name: &str, kernel: &Arc<dyn Kernel>, limit: usize| {
        for traits in &ADAPTERS {
            for variant in variants(kernel, traits).into_iter().take(limit) {
                let module = variant.module();
                assert!(
                    module.workgroups.iter().all(|&n| (1..=65_535).contains(&n)),
                    "{name}: {:?} workgroups, a dimension of a launch has 1 to 65,535",
                    module.workgroups
                );
                let named = || (format!("{name} {traits:?}"), module.clone());
                distinct.entry(module.text.clone()).or_insert_with(named);
            }
        }
    };
    for row in TABLE {
        for case in (row.cases)() {
            add(&format!("{} {}", row.name, case.label), &case.kernel, case.variant_limit());
        }
    }
    for workload in Workload::ALL {
        for call in step_calls(&workload, 64).expect("the step can be built") {
            add(&format!("the step {}, {}", workload.name, call.label), &call.kernel, 1);
        }
    }
    distinct.into_values().collect()
}

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn shader_files(folder: &Path, prefix: &str, into: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).expect("the folder of the shaders is there") {
        let path = entry.expect("it can be read").path();
        let name = format!("{prefix}{}", path.file_stem().expect("files have names").to_string_lossy());
        if path.is_dir() {
            shader_files(&path, &format!("{name}/"), into);
        } else {
            into.insert(name, std::fs::read_to_string(&path).expect("it is text"));
        }
    }
}

#[test]
fn every_shader_has_a_row_and_every_row_its_shaders() {
    let mut files = BTreeMap::new();
    shader_files(&project("shaders"), "", &mut files);
    files.retain(|name, _| !name.starts_with("generated/"));
    let named: BTreeSet<&str> = TABLE.iter().flat_map(|row| row.shaders).copied().collect();
    for name in files.keys() {
        assert!(named.contains(name.as_str()), "no row of the table names shaders/{name}.wgsl");
    }
    for row in TABLE {
        let cases = (row.cases)();
        assert!(cases.iter().any(|case| case.realistic), "the row {} has no realistic case", row.name);
        let texts: Vec<String> = cases
            .iter()
            .flat_map(|case| {
                ADAPTERS.iter().flat_map(|traits| all_modules(&*case.kernel, traits)).map(|module| module.text)
            })
            .collect();
        for name in row.shaders {
            let file = files
                .get(*name)
                .unwrap_or_else(|| panic!("{} names shaders/{name}.wgsl, which is not there", row.name));
            // What kernels do not replace must stand in some text of the row.
            let fixed =
                |line: &&str| !line.contains("//= ") && !line.starts_with("//+ ") && !line.starts_with("const ");
            let made_of = |text: &String| file.lines().map(str::trim).filter(fixed).all(|line| text.contains(line));
            assert!(texts.iter().any(made_of), "no case of the row {} is made of shaders/{name}.wgsl", row.name);
        }
    }
}

/// The text of a file behind those that its line `//+` names.
fn with_needs(files: &BTreeMap<String, String>, name: &str) -> String {
    let file = files.get(name).unwrap_or_else(|| panic!("shaders/{name}.wgsl is not there"));
    let needs = file.lines().next().and_then(|line| line.strip_prefix("//+ ")).unwrap_or_default();
    let needs = needs.split(", ").filter(|need| !need.is_empty());
    needs.map(|need| files.get(need).map_or("", String::as_str)).chain([file.as_str()]).collect()
}

/// As an editor or a compiler sees them: nothing is filled in.
#[test]
fn every_shader_file_is_valid_as_it_lies_there() {
    let mut files = BTreeMap::new();
    shader_files(&project("shaders"), "", &mut files);
    for (name, file) in &files {
        let text = with_needs(&files, name);
        parse(&text).unwrap_or_else(|e| panic!("shaders/{name}.wgsl: {e}"));
        assert!(text == *file || parse(file).is_err(), "shaders/{name}.wgsl does not need what its first line names");
    }
}

/// The texts that stand in `shaders/generated/` to be read: file, row and label of the case.
const GENERATED: [(&str, &str, &str); 8] = [
    ("sample_with_kl", "gaussian", "sample and KL 128×20"),
    ("sample_with_kl_gradients", "gaussian", "gradients of sample and KL 128×20"),
    ("bernoulli_with_gradient", "likelihood", "Bernoulli 128×784"),
    ("adam", "optimiser", "adam, 652824"),
    ("linear_relu", "matmul", "128×400×784 NT Bias(Some(Relu))"),
    ("relu_gradient", "matmul", "128×400×784 NN Derivative(ReluGrad)"),
    ("weight_gradient", "matmul", "784×400×128 TN RowSums"),
    ("batch", "batch", "128 of 500×784 Bytes Shuffled Never"),
];

/// They are what a GPU without subgroups is given. `ELBO_WRITE_GENERATED=1` writes them anew.
#[test]
fn generated_texts_are_those_of_the_kernels() {
    let folder = project("shaders/generated");
    let mut found = BTreeMap::new();
    let write = std::env::var_os("ELBO_WRITE_GENERATED").is_some();
    if !write {
        shader_files(&folder, "", &mut found);
    }
    for (file, row, label) in GENERATED {
        let row = TABLE.iter().find(|r| r.name == row).expect("the table has the row");
        let case = (row.cases)().into_iter().find(|case| case.label == label);
        let case = case.unwrap_or_else(|| panic!("the row {} has no case {label}", row.name));
        let module = case.kernel.module(&Traits::default(), 0);
        let text = format!("// {} {label}\n\n{}", row.name, readable(&module.text));
        parse(&text).unwrap_or_else(|e| panic!("{file}: {e}"));
        let spaceless = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(spaceless(&readable(&module.text)), spaceless(&module.text), "{file}: only white space may differ");
        if write {
            std::fs::create_dir_all(&folder).expect("the folder can be made");
            std::fs::write(folder.join(format!("{file}.wgsl")), text).expect("the file can be written");
        } else {
            let same = found.remove(file).is_some_and(|found| found == text);
            assert!(
                same,
                "shaders/generated/{file}.wgsl is not what the kernel is: ELBO_WRITE_GENERATED=1 writes it anew"
            );
        }
    }
    assert!(found.is_empty(), "shaders/generated has files that no line of this test names: {:?}", found.keys());
}

#[test]
fn every_case_is_sound() {
    for row in TABLE {
        let mut labels = BTreeSet::new();
        for case in (row.cases)() {
            let bindings = case.kernel.bindings();
            assert_eq!(bindings.len(), case.inputs.len(), "{} {}", row.name, case.label);
            assert!(bindings.len() <= 8 && case.written().count() > 0, "{} {}", row.name, case.label);
            assert!(labels.insert(case.label.clone()), "two cases of {} are {}", row.name, case.label);
            let cost = case.kernel.cost();
            assert!(cost.flops >= 0.0 && cost.bytes_written > 0.0, "{} {}: {cost:?}", row.name, case.label);
        }
    }
}

#[test]
fn every_function_has_a_case() {
    let row = TABLE.iter().find(|row| row.name == "map").expect("maps are in the table");
    let labels: Vec<String> = (row.cases)().into_iter().map(|case| case.label).collect();
    for (_, name, ..) in FUNCS {
        assert!(labels.iter().any(|label| label.split(' ').next() == Some(name)), "no case of map tries {name}");
    }
}

/// Parses and validates a text as wgpu would, with no optional features but the ones we ask for.
fn parse(text: &str) -> Result<(naga::Module, ModuleInfo), String> {
    let module = naga::front::wgsl::parse_str(text).map_err(|e| e.emit_to_string(text))?;
    let mut validator = Validator::new(ValidationFlags::all(), Capabilities::IMMEDIATES | Capabilities::SUBGROUP);
    validator.subgroup_stages(ShaderStages::COMPUTE).subgroup_operations(SubgroupOperationSet::all());
    let info = validator.validate(&module).map_err(|e| e.emit_to_string(text))?;
    Ok((module, info))
}

/// Holds a module to the limits that WebGPU promises of every adapter, and to the size of immediates that we ask for.
fn limits(module: &naga::Module) -> Result<(), String> {
    let mut layouter = naga::proc::Layouter::default();
    layouter.update(module.to_ctx()).map_err(|e| e.to_string())?;
    let (mut storage, mut workgroup, mut private, mut immediates) = (0, 0, 0, 0);
    for (_, variable) in module.global_variables.iter() {
        let size = layouter[variable.ty].size;
        match variable.space {
            naga::AddressSpace::Storage { .. } => storage += 1,
            naga::AddressSpace::WorkGroup => workgroup += size.next_multiple_of(16),
            naga::AddressSpace::Private => private += size,
            naga::AddressSpace::Immediate => immediates += size,
            _ => return Err(format!("a variable in {:?}", variable.space)),
        }
    }
    let most = |what: &str, found: u32, most: u32| match found {
        found if found > most => Err(format!("{found} {what}, at most {most} are portable")),
        _ => Ok(()),
    };
    most("storage buffers", storage, 8)?;
    most("bytes of workgroup memory", workgroup, 16_384)?;
    // WGSL's own limit, the same everywhere.
    most("bytes of private memory", private, 8192)?;
    most("bytes of immediates", immediates, 128)?;
    let [main] = &module.entry_points[..] else { return Err(format!("{} entry points", module.entry_points.len())) };
    most("invocations in a workgroup", main.workgroup_size.iter().product(), 256)?;
    most("invocations in z", main.workgroup_size[2], 64)?;
    if main.name == "main" { Ok(()) } else { Err(format!("the entry point {}", main.name)) }
}

#[test]
fn every_text_is_valid_and_portable() {
    let mut all = Vec::new();
    for (name, module) in modules() {
        let written = parse(&module.text).and_then(|(parsed, info)| {
            limits(&parsed)?;
            backends::write(&module.text, &parsed, &info)
        });
        all.push((name.clone(), written.unwrap_or_else(|error| panic!("{name}: {error}"))));
    }
    let has =
        |ending: &str| all.iter().filter(|(_, written)| written.iter().any(|(other, _)| *other == ending)).count();
    assert!(has("5_1.hlsl") > 0 && has("5_1.hlsl") < has("6_0.hlsl"), "texts with subgroups and without");
    assert_eq!(has("6_0.hlsl"), all.len());
    if let Some(folder) = backends::folder() {
        backends::keep(&folder, &all).expect("the texts can be written");
    }
}

#[test]
fn what_is_wrong_is_refused() {
    let refused = |text: &str| parse(text).and_then(|(module, _)| limits(&module)).err().unwrap_or_default();
    let main = "@compute @workgroup_size(64) fn main() {";
    assert_eq!(refused(&format!("{main} }}")), "");
    assert!(refused(&format!("{main} let x = 1u + 1.0f; }}")).contains("Add"));
    assert!(refused(&format!("{main} let x = 1.0h; }}")).contains("f16"));
    let big = format!("var<workgroup> big: array<f32, 5000>; {main} big[0] = 1.0; }}");
    assert_eq!(refused(&big), "20000 bytes of workgroup memory, at most 16384 are portable");
    let many = format!("{} }}", main.replace("64", "512"));
    assert_eq!(refused(&many), "512 invocations in a workgroup, at most 256 are portable");
}

#[test]
fn tint_accepts_every_text() {
    if common::is_set("ELBO_NO_TINT") {
        return common::left_out("Tint, as ELBO_NO_TINT=1 asks for");
    }
    let install = project("target/tint");
    let remedy = "install node and run `npm install --prefix target/tint webgpu@0.6.2`";
    if !install.join("node_modules/webgpu").is_dir() {
        return common::left_out(&format!("Tint, the browsers' shader compiler, as it is not installed; {remedy}"));
    }
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let modules = modules();
    let expected = format!("checked {} files", modules.len() + 1);
    for (i, (name, module)) in modules.into_iter().enumerate() {
        let text = format!("// {}\n{}", name.replace('\n', " "), module.text);
        std::fs::write(folder.path().join(format!("{i:04}.wgsl")), text).expect("a file can be written");
    }
    // What naga takes and Tint refuses: a barrier that not all invocations reach.
    let wrong = "@compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {
        if (i > 3u) { return; } workgroupBarrier(); }";
    std::fs::write(folder.path().join("control.wgsl"), wrong).expect("a file can be written");
    let checker = project("tests/tint/check.mjs");
    let output = Command::new("node").arg(checker).arg(install).arg(folder.path()).output();
    let output = output.unwrap_or_else(|e| panic!("node does not start ({e}): {remedy}"));
    let said = String::from_utf8_lossy(&output.stdout);
    let refused: Vec<&str> = said.lines().filter(|line| line.starts_with("refused")).collect();
    assert!(
        output.status.success() && said.lines().last() == Some(&expected),
        "the checker failed: {said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(refused.iter().any(|line| line.contains("control.wgsl")), "Tint did not refuse the control:\n{said}");
    assert!(refused.len() == 1, "Tint refuses:\n{}", refused.join("\n"));
}
