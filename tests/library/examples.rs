//! The programs of `examples/`: each asserts what it shows, and is run as it stands.

#[path = "../../examples/anomalies.rs"]
mod anomalies;
#[path = "../../examples/engine.rs"]
mod engine;
#[path = "../../examples/interpolate.rs"]
mod interpolate;
#[path = "../../examples/stop_early.rs"]
mod stop_early;

#[test]
fn anomalies_are_found() {
    anomalies::main().unwrap();
}

#[test]
fn the_engine_works_by_itself() {
    engine::main().unwrap();
}

#[test]
fn codes_lie_between_codes() {
    interpolate::main().unwrap();
}

#[test]
fn training_ends_early() {
    stop_early::main().unwrap();
}

/// A new example must be run here too. `proxy` has tests of its own, which `tests/run.sh` runs.
#[test]
fn all_of_them_are_run() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let names =
        std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    assert_eq!(names, ["anomalies.rs", "engine.rs", "interpolate.rs", "proxy", "stop_early.rs"]);
}
