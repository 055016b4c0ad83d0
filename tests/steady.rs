//! Training in the steady state: nothing is made, the heap stays as it is, and memory is what the programs say.

mod common;

use std::sync::Mutex;

use elbo::apps::bench::{CountingAllocator, Workload, count_heap};
use elbo::config::{Preset, TrainingConfig};
use elbo::data::Shape;
use elbo::engine::cpu::Cpu;
use elbo::engine::gpu::Options;
use elbo::engine::program::{Counters, Executor, Program};
use elbo::engine::training::{Session, Trainer};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// One test at a time, since all threads are counted.
static ALONE: Mutex<()> = Mutex::new(());

const SMALL: Workload = Workload {
    name: "small",
    shape: Shape { height: 1, width: 50, channels: 1 },
    encoder: "mlp:32,activation=relu",
    latent: 4,
};

fn trainer(executor: Box<dyn Executor>) -> Trainer {
    let data = SMALL.data(16).unwrap();
    let config = TrainingConfig { batch: 16, ..Preset::Classic.config().training };
    let session = Session::new(SMALL.model(), executor, config.seed);
    Trainer::new(session, &data, &config, 1.0, false).unwrap()
}

/// Sends, as training does.
fn send(trainer: &mut Trainer, times: usize) {
    for _ in 0..times {
        trainer.send(4).unwrap();
        trainer.collect().unwrap();
    }
}

#[test]
fn the_heap_is_counted() {
    let _alone = ALONE.lock();
    let (made, used) = count_heap(|| vec![1_u64; 100]);
    let used = used.expect("this program counts");
    assert!(used.allocations >= 1 && used.bytes >= 800, "{used:?} for {} numbers", made.len());
}

#[test]
fn a_step_on_one_thread_allocates_nothing() {
    let _alone = ALONE.lock();
    // On more threads, handing over a part of a product takes an allocation.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| {
        let mut trainer = trainer(Box::new(Cpu::new()));
        send(&mut trainer, 8);
        trainer.settle().unwrap();
        // The test harness has threads of its own: the least of a few counts is the steps'.
        let least = (0..5).map(|_| count_heap(|| send(&mut trainer, 8)).1.unwrap().allocations).min();
        assert_eq!(least, Some(0));
    });
}

#[test]
fn nothing_is_made_and_memory_is_as_predicted() {
    let _alone = ALONE.lock();
    let gpu = common::open(Options::default()).map(|gpu| Box::new(gpu) as Box<dyn Executor>);
    for executor in gpu.into_iter().chain([Box::new(Cpu::new()) as Box<dyn Executor>]) {
        let fresh = executor.counters();
        assert_eq!(fresh, Counters::default());
        let mut trainer = trainer(executor);
        trainer.session.encode(&[0.0; 50]).unwrap();
        send(&mut trainer, 8);
        let before = trainer.session.executor.counters();
        assert!(before.buffers > 0 && before.steps == 33, "{before:?}");
        send(&mut trainer, 8);
        trainer.settle().unwrap();
        let made = trainer.session.executor.counters() - before;
        assert_eq!((made.steps, made.buffers, made.bind_groups, made.pipelines), (32, 0, 0, 0));

        let session = &trainer.session;
        let predicted = Program::bytes_together(session.programs());
        assert_eq!(predicted, session.executor.bytes());
        // The programs share the parameters.
        assert!(predicted < session.programs().map(Program::bytes).sum());
        if let Some(memory) = session.executor.device_memory() {
            let predicted = predicted + session.executor.fixed_bytes();
            // Slots for statistics on their way back, and what alignment adds.
            let more = memory.allocated.checked_sub(predicted).expect("nothing was predicted that was not taken");
            assert!(more < 64 << 10 && memory.reserved >= memory.allocated, "{memory:?}, {predicted}");
        }
        // What does make something is seen.
        let before = trainer.session.executor.counters();
        let name = trainer.session.layout.groups[0].values();
        trainer.session.executor.read(&name).unwrap();
        let made = trainer.session.executor.counters() - before;
        assert_eq!(made.buffers > 0 && made.waits > 0, !trainer.session.executor.is_cpu(), "{made:?}");
    }
}
