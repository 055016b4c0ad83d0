//! The GPU that the tests share, and what becomes of tests that lack something.
#![allow(dead_code, reason = "each test program uses its own part of this")]

pub mod npy;
pub mod oracle;
pub mod pieces;
pub mod protobuf;

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock};

use elbo::engine::gpu::{Adapter, Gpu, Options, adapters};
use elbo::engine::program::Executor;

static SHARED: OnceLock<Option<Mutex<Option<Gpu>>>> = OnceLock::new();

/// Whether a variable of the environment is 1.
pub fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| value == "1")
}

/// Says, where nobody captures it, that a part of the tests is left out; with `ELBO_TEST_ALL=1` that is a failure.
pub fn left_out(why: &str) {
    assert!(!is_set("ELBO_TEST_ALL"), "{why}, and ELBO_TEST_ALL=1 says that nothing may be left out");
    writeln!(std::io::stderr(), "NOT TESTED: {why}").expect("the standard error can be written");
}

/// The adapter of the tests: the first of the list, or the one that `ELBO_ADAPTER` names a part of. None, which is said, where
/// there is none and none is asked for, or with `ELBO_NO_GPU=1`.
pub fn adapter() -> Option<Adapter> {
    if is_set("ELBO_NO_GPU") {
        left_out("the GPU, as ELBO_NO_GPU=1 asks for");
        return None;
    }
    let word = std::env::var("ELBO_ADAPTER").unwrap_or_default();
    let found = adapters().into_iter().find(|adapter| adapter.answers_to(&word));
    if found.is_none() {
        const REMEDY: &str = "a software driver will do: apt-get install mesa-vulkan-drivers";
        assert!(word.is_empty(), "there is no GPU adapter that answers to ELBO_ADAPTER={word}; {REMEDY}");
        left_out(&format!("the GPU, as there is no adapter; {REMEDY}"));
    }
    found
}

/// A data set that the project does not carry, under the folder that `ELBO_DATA` names. Its tests are marked as ignored, and run
/// with `--include-ignored`.
pub fn data(name: &str) -> PathBuf {
    let root = std::env::var_os("ELBO_DATA");
    let root = root.unwrap_or_else(|| panic!("set ELBO_DATA to the folder that holds `{name}`"));
    let folder = PathBuf::from(root).join(name);
    assert!(folder.is_dir(), "{} does not exist: ELBO_DATA must name the folder that holds `{name}`", folder.display());
    folder
}

/// A device of the test's own, where there is an adapter.
pub fn open(options: Options) -> Option<Gpu> {
    let options = match options.immediates {
        None => options.with_environment().expect("ELBO_IMMEDIATES is a number"),
        Some(_) => options,
    };
    let gpu = Gpu::open(&adapter()?, options).expect("the adapter opens");
    eprintln!("on {}, {}", gpu.describe(), gpu.passing());
    Some(gpu)
}

/// An executor of the test's own on the device that the tests of one process share, so that each text is compiled once; nothing
/// where there is no adapter.
pub fn gpu() -> Option<Gpu> {
    Some(Shared::lock()?.gpu().another())
}

/// The device that tests of one process share.
pub struct Shared(MutexGuard<'static, Option<Gpu>>);

impl Shared {
    /// Waits for the device; nothing with `ELBO_NO_GPU=1`.
    pub fn lock() -> Option<Shared> {
        let shared = SHARED.get_or_init(|| open(Options::default()).map(|gpu| Mutex::new(Some(gpu)))).as_ref()?;
        Some(Shared(shared.lock().unwrap_or_else(|poisoned| poisoned.into_inner())))
    }

    /// The device.
    pub fn gpu(&mut self) -> &mut Gpu {
        self.0.get_or_insert_with(|| open(Options::default()).expect("it was there before"))
    }

    /// Gives a device up that has failed: the next test gets a fresh one.
    pub fn discard(&mut self) {
        *self.0 = None;
    }
}
