//! `elbo export`: programs that another host replays to the same numbers, and a page that does so in a browser.

mod browser;
mod host;
mod kinds;
mod onnx;
mod weights;

use std::fs;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::common;
use crate::program::Place;
use host::Host;

/// Steps that are compared, and how far losses may lie apart: float errors of 50 steps.
const STEPS: usize = 50;
const NEAR: f64 = 2e-4;
/// The same of decoded values between 0 and 1.
const NEAR_ROWS: f64 = 1e-5;
const CODES: [[f32; 2]; 3] = [[0.0, 0.0], [1.25, -0.5], [-2.0, 0.75]];

/// A run with a page and programs, and what the CPU executor makes of the same.
struct Made {
    place: Place,
    bundle: Value,
    /// The rows of [`CODES`].
    rows: Vec<Vec<f64>>,
    /// The losses of the steps that follow the run.
    losses: Vec<f64>,
    exported: Value,
}

fn made() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| {
        let place = Place::new();
        place.train("run", "--log-every 1 --schedule cosine --patience 3");
        place.write("codes.csv", "a,b\n0,0\n1.25,-0.5\n-2,0.75\n");
        place.run("decode run --device cpu --codes codes.csv --out rows.csv");
        let export = "export run --device cpu --with-data --epochs 12";
        place.run(&format!("{export} --to run.json"));
        let exported = place.run(&format!("{export} --to run.html --json"));
        place.run("train --resume run --device cpu --epochs 13 --patience 20");
        let table = fs::read_to_string(place.path("rows.csv")).expect("rows");
        let cells = |line: &str| line.split(',').map(|cell| cell.parse().expect("a number")).collect();
        let rows = table.lines().skip(1).map(cells).collect();
        let bundle = serde_json::from_str(&fs::read_to_string(place.path("run.json")).expect("JSON")).expect("JSON");
        let steps = fs::read_to_string(place.path("run/steps.jsonl")).expect("steps");
        let steps: Vec<Value> = steps.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let resumed = steps.iter().filter(|step| step["epoch"].as_u64() > Some(1));
        let losses = resumed.map(|step| step["loss"].as_f64().expect("a loss")).take(STEPS).collect();
        Made { place, bundle, rows, losses, exported: serde_json::from_str(&exported).expect("JSON") }
    })
}

/// The largest difference, relative to the second where that is larger than 1.
fn far(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(a, b)| (a - b).abs() / b.abs().max(1.0)).fold(0.0, f64::max)
}

#[test]
fn programs_replay_to_what_the_executor_computes() {
    let made = made();
    assert_eq!(made.losses.len(), STEPS);
    if common::adapter().is_none() {
        return;
    }
    for kind in ["software", "gpu"] {
        let mut host = Host::new(&made.bundle, kind).expect("there is an adapter");
        // A step of three live rows, with the program's own scalars.
        let decode = host.program("decode");
        let mut step = vec![0; 64];
        step[16] = 3;
        let mut codes = vec![0.0; 32];
        codes[..6].copy_from_slice(CODES.as_flattened());
        host.write(decode, "decode", &codes);
        assert!(host.run(decode, &step).is_empty());
        let found: Vec<f64> = host.read(decode, "decode").into_iter().map(f64::from).collect();
        let width = made.rows[0].len();
        for (row, expected) in found.chunks(width).zip(&made.rows) {
            assert!(far(row, expected) < NEAR_ROWS, "{kind}: {}", far(row, expected));
        }
        assert!(far(&found[..width], &made.rows[1]) > NEAR_ROWS, "another code is another row");
        let run = made.bundle["runs"].as_array().expect("runs").iter().find(|run| run["name"] == "train");
        let run = run.expect("a run");
        let steps = host::bytes(&run["steps"]);
        let mut train = |change: u8| -> Vec<f64> {
            host.restore(run);
            let launches = run["launches"].as_array().expect("launches").iter().zip(steps.chunks(64)).take(STEPS);
            let loss = |(program, step): (&Value, &[u8])| {
                let mut step = step.to_vec();
                step[0] ^= change;
                f64::from(host.run(program.as_u64().expect("a number") as usize, &step)[0])
            };
            launches.map(loss).collect()
        };
        let found = train(0);
        assert!(far(&found, &made.losses) < NEAR, "{kind}: {}", far(&found, &made.losses));
        // Another seed draws other codes.
        assert!(far(&train(1), &made.losses) > NEAR);
    }
}

#[test]
fn browsers_compile_the_programs() {
    if common::is_set("ELBO_NO_TINT") {
        return common::left_out("Tint, as ELBO_NO_TINT=1 asks for");
    }
    let project = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let install = project.join("target/tint");
    if !install.join("node_modules/webgpu").is_dir() {
        return common::left_out("Tint, as it is not installed: npm install --prefix target/tint webgpu@0.6.2");
    }
    let made = made();
    let folder = tempfile::tempdir().expect("a folder");
    let modules = made.bundle["modules"].as_array().expect("modules");
    let wrong = Value::from("@compute @workgroup_size(64) fn main() { let x = 1u + 1.0f; }");
    for (i, module) in modules.iter().chain([&wrong]).enumerate() {
        let text = module.as_str().expect("a text");
        let code: String = text.lines().filter_map(|line| line.split("//").next()).collect();
        assert!(!code.contains("var<immediate>") && !code.contains("subgroup"), "{text}");
        fs::write(folder.path().join(format!("{i:03}.wgsl")), text).expect("a file");
    }
    let checker = project.join("tests/tint/check.mjs");
    let output = Command::new("node").arg(checker).arg(install).arg(folder.path()).output().expect("node starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let refused: Vec<&str> = said.lines().filter(|line| line.starts_with("refused")).collect();
    assert!(said.contains(&format!("checked {} files", modules.len() + 1)), "{said}");
    assert!(refused.len() == 1 && refused[0].contains(&format!("{:03}.wgsl", modules.len())), "{refused:?}");
}

#[test]
fn the_page_computes_what_the_executor_does() {
    let made = made();
    let script = format!(
        "const {{ model, trainer }} = await elbo;
        const codes = Float32Array.from({codes:?}.flat());
        const rows = Array.from(await model.decode(codes, new Float32Array(0)));
        await trainer.restore();
        const losses = [];
        while (losses.length < {STEPS}) for (const statistics of await trainer.go(Math.min(16, {STEPS} - losses.length))) losses.push(statistics[0]);
        const after = Array.from(await model.decode(codes, new Float32Array(0)));
        const shown = document.getElementById('recorded').hidden && !document.getElementById('live').hidden;
        tell(JSON.stringify({{ rows, losses, after, shown, kind: model.runner.kind }}));",
        codes = CODES
    );
    let Some(told) = browser::asked(&made.place, "run.html", &script) else { return };
    let told: Value = serde_json::from_str(&told).unwrap_or_else(|_| panic!("{told}"));
    let numbers = |name: &str| -> Vec<f64> {
        told[name].as_array().expect("numbers").iter().map(|value| value.as_f64().unwrap_or(f64::NAN)).collect()
    };
    assert_eq!((&told["shown"], &told["kind"]), (&Value::from(true), &Value::from("software")));
    let expected = made.rows.concat();
    assert!(far(&numbers("rows"), &expected) < NEAR_ROWS, "{}", far(&numbers("rows"), &expected));
    assert!(far(&numbers("losses"), &made.losses) < NEAR, "{}", far(&numbers("losses"), &made.losses));
    // Steps in another order are others, and the decoder follows the training.
    let mut other = made.losses.clone();
    other.rotate_left(1);
    assert!(far(&numbers("losses"), &other) > NEAR && far(&numbers("after"), &expected) > 10.0 * NEAR_ROWS);
}

#[test]
fn without_webgpu_the_page_shows_what_was_recorded() {
    let made = made();
    let page = fs::read_to_string(made.place.path("run.html")).expect("a page");
    for forbidden in [" src=\"http", " href=\"http", "<link", "connect-src"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("default-src 'none'") && page.contains("lang=\"en\"") && page.contains("name=\"viewport\""));
    let [bytes, numbers] = ["bytes", "bytes_of_numbers"].map(|name| made.exported[name].as_u64().expect("a number"));
    assert_eq!(bytes as usize, page.len());
    assert!(numbers > 0 && bytes - numbers < 300_000, "{bytes} bytes, {numbers} of them weights and rows");
    let Some(seen) = browser::seen(&made.place, "run.html") else { return };
    assert!(seen.contains("data-ready=\"yes\"") && seen.contains("The model cannot run here"), "nothing is said");
    assert!(seen.contains("id=\"live\" hidden") && seen.contains("id=\"samples\"") && seen.contains("id=\"rebuilt\""));
}

#[test]
fn tables_and_convolutions_are_exported() {
    let place = Place::new();
    let mut table = "\"<img src=x onerror=alert(1)>\",\"</script><script>alert(2)</script>\"\n".to_string();
    (0..60).for_each(|i| table += &format!("{},{}\n", f64::from(i % 7) + 0.5, ["<b>red</b>", "blue"][i as usize % 2]));
    place.write("names.csv", table);
    place.run("train --device cpu --data names.csv --latent 2 --hidden 8 --epochs 1 --batch 16 --out table");
    place.run("export table --device cpu --to table.html --with-data 20");
    let page = fs::read_to_string(place.path("table.html")).expect("a page");
    for forbidden in ["<img src=x", "<b>red", "alert(2)</script>"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;") || page.contains("\\u003cimg src=x"));
    place.run("train --device cpu --epochs 1 --count 100 --resolution 8 --validation 10 --latent 2 --batch 16 --encoder conv:4,8,hidden=8 --out conv");
    let line = "export conv --device cpu --to conv.json --with-data 32 --epochs 2 --json";
    let found: Value = serde_json::from_str(&place.run(line)).expect("JSON");
    assert_eq!((found["steps"].as_u64(), found["rows"].as_u64()), (Some(4), Some(32)));
    let bundle: Value =
        serde_json::from_str(&fs::read_to_string(place.path("conv.json")).expect("JSON")).expect("JSON");
    let calls =
        bundle["programs"].as_array().expect("programs").iter().flat_map(|p| p["calls"].as_array().expect("calls"));
    assert!(
        calls.map(|call| call["kernel"].to_string()).any(|kernel| kernel.contains("conv") || kernel.contains("patch"))
    );
}

#[test]
fn what_cannot_be_exported_is_said() {
    let place = Place::new();
    place.train("run", "");
    place.train("labels", "--model classifier");
    place.write("rows.csv", "a,b\n1,2\n");
    for (line, words) in [
        ("export run --to page.pdf", &["page.pdf", ".html, .json, .onnx or .safetensors"][..]),
        ("export run --to weights.bin", &[".onnx or .safetensors"]),
        ("export run --to run/report.html", &["run/report.html", "--force"]),
        ("export run --to run/metrics.html/page.html", &["run/metrics.html"]),
        ("export labels --to page.html", &["cannot", "decode"]),
        ("export gone --to page.html", &["gone", "does not exist"]),
        ("export run --to page.html --data gone.csv", &["gone.csv"]),
        ("export run --to page.html --with-data 0", &["with-data"]),
        ("export run --to page.html --epochs 3", &["with-data"]),
        ("export run --to page.html --with-data 90 --epochs 10000", &["steps", "20000"]),
    ] {
        let line = if line.contains("gone --to") { line.to_string() } else { format!("{line} --device cpu") };
        place.refused(&line, words);
    }
}
