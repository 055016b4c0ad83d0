//! Devices that fail in the middle of a run: an executor that fails at one of its calls, and a GPU that is lost.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use elbo::apps::{CHECKPOINT, Outcome, Team, TrainRun, Watcher};
use elbo::config::Config;
use elbo::engine::cpu::Cpu;
use elbo::engine::gpu::{Gpu, Options};
use elbo::engine::kernels::Step;
use elbo::engine::program::{Buffer, Choices, Executor, Launch, Program, ProgramId, ReadTicket};
use elbo::{Error, Result};

use super::runs::{Device, Run, StopAt, small};
use super::whole;

/// Which calls of an executor are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Load,
    Allocate,
    Launch,
    Statistics,
    Write,
    BeginRead,
    PollRead,
    HasRoom,
    Wait,
}

const CALLS: [Call; 9] = [
    Call::Load,
    Call::Allocate,
    Call::Launch,
    Call::Statistics,
    Call::Write,
    Call::BeginRead,
    Call::PollRead,
    Call::HasRoom,
    Call::Wait,
];

/// What happens at the call that fails.
type Fault = Box<dyn Fn() -> Result<()> + Send>;

/// An executor that works until the Nth call of a kind.
struct Failing {
    inner: Box<dyn Executor>,
    call: Call,
    /// Calls of that kind that are left, shared by whoever wants to know.
    left: Arc<AtomicU64>,
    fault: Fault,
    /// How many programs were launched at once, each time.
    launched: Arc<Mutex<Vec<usize>>>,
}

impl Failing {
    fn new(inner: impl Executor + 'static, call: Call, at: u64, fault: Fault) -> Failing {
        Failing { inner: Box::new(inner), call, left: Arc::new(AtomicU64::new(at)), fault, launched: Arc::default() }
    }

    fn at(&mut self, call: Call) -> Result<()> {
        if call != self.call {
            return Ok(());
        }
        match self.left.fetch_sub(1, Ordering::SeqCst) {
            1 => (self.fault)(),
            0 => {
                self.left.store(0, Ordering::SeqCst);
                (self.fault)()
            }
            _ => Ok(()),
        }
    }
}

impl Executor for Failing {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn load(&mut self, program: Program) -> Result<ProgramId> {
        self.at(Call::Load)?;
        self.inner.load(program)
    }

    fn unload(&mut self, id: ProgramId) -> Result<()> {
        self.inner.unload(id)
    }

    fn allocate(&mut self, buffer: &Buffer) -> Result<()> {
        self.at(Call::Allocate)?;
        self.inner.allocate(buffer)
    }

    fn words(&self, buffer: &str) -> Option<usize> {
        self.inner.words(buffer)
    }

    fn program(&self, id: ProgramId) -> Result<&Program> {
        self.inner.program(id)
    }

    fn launch(&mut self, launches: &[Launch]) -> Result<()> {
        self.at(Call::Launch)?;
        self.launched.lock().unwrap().push(launches.len());
        self.inner.launch(launches)
    }

    fn statistics(&mut self, id: ProgramId, wait: bool, into: &mut Vec<f32>) -> Result<()> {
        self.at(Call::Statistics)?;
        self.inner.statistics(id, wait, into)
    }

    fn write_at(&mut self, buffer: &str, first: usize, words: &[u32]) -> Result<()> {
        self.at(Call::Write)?;
        self.inner.write_at(buffer, first, words)
    }

    fn begin_read(&mut self, buffer: &str) -> Result<ReadTicket> {
        self.at(Call::BeginRead)?;
        self.inner.begin_read(buffer)
    }

    fn poll_read(&mut self, ticket: &ReadTicket) -> Result<Option<Vec<u32>>> {
        self.at(Call::PollRead)?;
        self.inner.poll_read(ticket)
    }

    fn has_room(&mut self) -> Result<bool> {
        self.at(Call::HasRoom)?;
        self.inner.has_room()
    }

    fn wait(&mut self, ticket: Option<&ReadTicket>) -> Result<()> {
        self.at(Call::Wait)?;
        self.inner.wait(ticket)
    }

    fn profile(&mut self, id: ProgramId, step: &Step) -> Result<Vec<f64>> {
        self.inner.profile(id, step)
    }

    fn replay_choices(&mut self, recorded: Option<Choices>) {
        self.inner.replay_choices(recorded);
    }

    fn bytes(&self) -> u64 {
        self.inner.bytes()
    }
}

/// A run of two epochs of six steps.
fn config() -> Config {
    let mut config = small();
    config.training.epochs = 2;
    config
}

/// The CPU executor, failing at the Nth call of a kind; with how many calls are left.
fn failing(call: Call, at: u64) -> (Box<dyn Executor>, Arc<AtomicU64>) {
    let failing = Failing::new(Cpu::new(), call, at, Box::new(|| Err(Error::Device("it is gone".into()))));
    let left = failing.left.clone();
    (Box::new(failing), left)
}

/// How often an unbroken run makes each call.
fn calls_of(call: Call) -> u64 {
    const MANY: u64 = 1 << 40;
    let (executor, left) = failing(call, MANY);
    let run = Run::new();
    TrainRun::start(config(), run.path(), executor).unwrap().train(&mut StopAt::never()).unwrap();
    MANY - left.load(Ordering::SeqCst)
}

/// The first calls, the last, and some between.
fn moments(calls: u64) -> Vec<u64> {
    let mut moments: Vec<u64> = (1..=3).chain((1..8).map(|part| calls * part / 8)).chain([calls]).collect();
    moments.retain(|at| (1..=calls).contains(at));
    moments.dedup();
    moments
}

/// Whatever call fails, at whatever moment, what is left can be gone on with, and becomes the unbroken run; or nothing had begun.
#[test]
fn a_device_that_fails_leaves_a_run_to_go_on_with() {
    let (config, device) = (config(), Device::cpu());
    let unbroken = whole(&config, &device).kept();
    for call in CALLS {
        let calls = calls_of(call);
        // The CPU executor has done everything when it is asked.
        assert!(calls > 0 || call == Call::Wait, "{call:?} is never made");
        for at in moments(calls) {
            let run = Run::new();
            let (executor, _) = failing(call, at);
            let started = TrainRun::start(config.clone(), run.path(), executor);
            let error = match started.and_then(|mut run| run.train(&mut StopAt::never()).map(|_| ())) {
                Err(error) => error,
                Ok(()) => panic!("{call:?} {at} of {calls} was to fail"),
            };
            assert!(matches!(error, Error::Device(_)), "{call:?} {at} of {calls}: {error}");
            assert!(error.to_string().contains("it is gone"), "{call:?} {at}: {error}");
            if run.path().join(CHECKPOINT).exists() {
                run.resume(&config, &device, &mut StopAt::never()).unwrap();
            } else {
                run.start(&config, &device, &mut StopAt::never()).unwrap();
            }
            assert!(run.kept() == unbroken, "{call:?} {at} of {calls} makes another run");
        }
    }
}

/// Counts what it is told.
#[derive(Default)]
struct Told(Vec<String>);

impl Watcher for Told {
    fn progress(&mut self, _: u64, _: u64, _: &elbo::engine::training::Progress) -> std::ops::ControlFlow<()> {
        std::ops::ControlFlow::Continue(())
    }

    fn epoch(&mut self, _: &[elbo::EpochRecord]) {}

    fn noticed(&mut self, sentence: &str) {
        self.0.push(sentence.to_string());
    }
}

#[test]
fn a_device_that_opens_again_goes_on_from_the_last_checkpoint() {
    let (config, device) = (config(), Device::cpu());
    let unbroken = whole(&config, &device).kept();
    let calls = calls_of(Call::Launch);
    // In the first epoch, in the second, and in the measuring behind it.
    for at in [2, calls / 2 + 2, calls] {
        let run = Run::new();
        let (executor, _) = failing(Call::Launch, at);
        let mut training = TrainRun::start(config.clone(), run.path(), executor).unwrap();
        training.reopening(|| Ok(Team::of(Cpu::new())));
        let mut told = Told::default();
        assert_eq!(training.train(&mut told).unwrap(), Outcome::Finished);
        assert!(
            matches!(&told.0[..], [one] if one.contains("it is gone") && one.contains("Going on from step")),
            "{:?}",
            told.0
        );
        drop(training);
        assert!(run.kept() == unbroken, "at launch {at} of {calls}");
    }
    // One that fails again at once is given up, and the run stays.
    let run = Run::new();
    let (executor, _) = failing(Call::Launch, 3);
    let mut training = TrainRun::start(config.clone(), run.path(), executor).unwrap();
    training.reopening(|| Ok(failing(Call::Launch, 3).0.into()));
    let error = training.train(&mut StopAt::never()).unwrap_err().to_string();
    assert!(error.contains("it is gone") && error.contains("--resume") && error.contains("at step 0"), "{error}");
    drop(training);
    run.resume(&config, &device, &mut StopAt::never()).unwrap();
    assert!(run.kept() == unbroken);
    // One that does not open is no better.
    let run = Run::new();
    let (executor, _) = failing(Call::Launch, 3);
    let mut training = TrainRun::start(config, run.path(), executor).unwrap();
    training.reopening(|| Err(Error::Device("there is no such device any more".into())));
    let error = training.train(&mut StopAt::never()).unwrap_err().to_string();
    assert!(error.contains("it is gone") && error.contains("no such device") && error.contains("--resume"), "{error}");
}

/// A GPU whose device is destroyed in the middle of a run, as a driver does that resets it.
#[test]
fn a_gpu_that_is_lost_leaves_a_run_to_go_on_with() {
    let Some(adapter) = crate::common::adapter() else { return };
    let config = config();
    let open = move || Gpu::open(&adapter, Options::default()).expect("the adapter opens");
    let healthy = open.clone();
    let device = Device::new("gpu", move || Box::new(healthy()));
    let unbroken = whole(&config, &device).kept();
    for reopens in [false, true] {
        let gpu = open();
        let (lost, run) = (gpu.another(), Run::new());
        // From there on it is the driver that fails, and no word of the test's own.
        let fault: Fault = Box::new(move || {
            lost.destroy();
            Ok(())
        });
        let executor = Box::new(Failing::new(gpu, Call::Launch, 10, fault));
        let mut training = TrainRun::start(config.clone(), run.path(), executor).unwrap();
        let mut told = Told::default();
        if reopens {
            let open = open.clone();
            training.reopening(move || Ok(Team::of(open())));
            assert_eq!(training.train(&mut told).unwrap(), Outcome::Finished);
            assert!(matches!(&told.0[..], [one] if one.contains("the GPU failed")), "{:?}", told.0);
        } else {
            let error = training.train(&mut told).unwrap_err().to_string();
            assert!(error.contains("the GPU failed") && error.contains("--resume"), "{error}");
            drop(training);
            run.resume(&config, &device, &mut StopAt::never()).unwrap();
        }
        assert!(run.kept() == unbroken, "reopened: {reopens}");
    }
}

/// How many steps are sent at once: one at first, and then at most twice as many as before, so that no submit is long before it is known
/// how long a step takes.
#[test]
fn the_first_submits_are_short() {
    let mut config = small();
    (config.training.steps_per_submit, config.training.batch, config.data.count) = (None, 4, Some(400));
    let executor = Failing::new(Cpu::new(), Call::Load, u64::MAX, Box::new(|| Ok(())));
    let (seen, executor) = (executor.launched.clone(), Box::new(executor));
    let run = Run::new();
    TrainRun::start(config, run.path(), executor).unwrap().train(&mut StopAt::never()).unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen[0], 1);
    // What is left of an epoch may be less.
    let mut most = 1;
    for (i, &size) in seen.iter().enumerate() {
        assert!(size <= 2 * most, "submit {i} has {size} steps, and none before it more than {most}");
        most = most.max(size);
    }
    assert!(most > 1, "steps of so small a model go together");
}
