//! The GPU that the tests share.
#![allow(dead_code, reason = "each test program uses its own part of this")]

use std::sync::{Mutex, MutexGuard, OnceLock};

use elbo::gpu::{Adapter, Gpu, Options, adapters};
use elbo::program::Executor;

static SHARED: OnceLock<Option<Mutex<Option<Gpu>>>> = OnceLock::new();

/// The adapter of the tests: the first of the list, or the one that `ELBO_ADAPTER` names a part of. None with
/// `ELBO_NO_GPU=1`, which says that no GPU tests are meant.
pub fn adapter() -> Option<Adapter> {
    if std::env::var_os("ELBO_NO_GPU").is_some_and(|value| value == "1") {
        eprintln!("NOT TESTED: ELBO_NO_GPU=1 says that no GPU tests are meant");
        return None;
    }
    let word = std::env::var("ELBO_ADAPTER").unwrap_or_default();
    let found = adapters().into_iter().find(|adapter| adapter.answers_to(&word));
    assert!(
        found.is_some(),
        "no GPU adapter{} was found: install a driver (a software one will do: `apt-get install mesa-vulkan-drivers`), \
         or set ELBO_NO_GPU=1 to say that no GPU tests are meant",
        if word.is_empty() { String::new() } else { format!(" that answers to {word}") }
    );
    found
}

/// A device of the test's own, where there is an adapter.
pub fn open(options: Options) -> Option<Gpu> {
    let gpu = Gpu::open(&adapter()?, options).expect("the adapter opens");
    eprintln!("on {}", gpu.describe());
    Some(gpu)
}

/// The device that tests of one process share, so that each text is compiled once.
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
