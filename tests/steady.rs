//! Training in the steady state: nothing is made, the heap stays as it is, and memory is what the programs say. What is unloaded is gone.

mod common;

use std::sync::Mutex;

use elbo::apps::bench::{CountingAllocator, Workload, count_heap};
use elbo::data::Shape;
use elbo::engine::cpu::Cpu;
use elbo::engine::gpu::Options;
use elbo::engine::graph::Graph;
use elbo::engine::kernels::Step;
use elbo::engine::program::{Buffer, Counters, Executor, Launch, Objects, Program, ProgramId, Request, lower};
use elbo::engine::training::{Session, Trainer};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// One test at a time, since all threads are counted.
static ALONE: Mutex<()> = Mutex::new(());

const SMALL: Workload = Workload {
    name: "small",
    shape: Shape { height: 1, width: 50, channels: 1 },
    config: || Workload::vae("mlp:32,activation=relu", 4),
};

fn trainer(executor: Box<dyn Executor>) -> Trainer {
    let data = SMALL.data(16).unwrap();
    let config = SMALL.training(16);
    let session = Session::new(SMALL.model().unwrap(), executor, config.seed);
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
        let is_cpu = trainer.session.executor.is_cpu();
        // A device may have answered before it is waited for.
        assert!((made.buffers > 0) != is_cpu && (made.waits == 0 || !is_cpu), "{made:?}");
    }
}

fn executors() -> impl Iterator<Item = Box<dyn Executor>> {
    let gpu = common::open(Options::default()).map(|gpu| Box::new(gpu) as Box<dyn Executor>);
    gpu.into_iter().chain([Box::new(Cpu::new()) as Box<dyn Executor>])
}

/// x ↦ factor·x of so many numbers, from `input.x` to `output.y`, and their sum as a statistic.
fn multiple(len: usize, factor: f32) -> Program {
    let graph = Graph::new();
    let y = factor * graph.input("x", &[len]);
    lower(&Request { outputs: vec![("y", y)], statistics: vec![("sum", y)], ..Request::new("multiple", &graph) })
}

/// What an executor has: its objects and their bytes.
fn held(executor: &dyn Executor) -> (Objects, u64) {
    (executor.objects(), executor.bytes())
}

/// What is taken of the device's memory, where that is told.
fn taken(executor: &dyn Executor) -> u64 {
    executor.device_memory().map_or(0, |memory| memory.allocated)
}

/// Loads a program, runs it and gives it up; its handle, and what the executor has then.
fn once(executor: &mut dyn Executor, factor: f32) -> (ProgramId, (Objects, u64)) {
    let id = executor.load(multiple(1000, factor)).unwrap();
    let before = held(executor);
    executor.run(id, &[Step::default()]).unwrap();
    assert_eq!(executor.read_f32("output.y").unwrap(), [3.0 * factor; 1000]);
    executor.unload(id).unwrap();
    assert!(held(executor) != before, "what is loaded is seen");
    (id, held(executor))
}

#[test]
fn what_is_unloaded_leaves_nothing_behind() {
    let _alone = ALONE.lock();
    for mut executor in executors() {
        let kept = Buffer { name: "input.x".to_string(), words: 1000 };
        executor.allocate(&kept).unwrap();
        let stays = executor.load(multiple(1000, 2.0)).unwrap();
        executor.write_f32("input.x", &[3.0; 1000]).unwrap();
        let (_, first) = once(&mut *executor, 1.5);
        let before = taken(&*executor);
        for round in 0..100 {
            assert_eq!(once(&mut *executor, 1.5 + (round % 3) as f32).1, first, "round {round}");
        }
        // A buffer that stayed every time would be 400,000 bytes; what the last submits took is given back when the next come.
        let more = taken(&*executor).saturating_sub(before);
        assert!(more < 32 << 10, "{more} bytes more");
        // A handle of a program that is gone stands for no other, and using it is an error.
        let (gone, _) = once(&mut *executor, 4.0);
        let same_place = executor.load(multiple(1000, 5.0)).unwrap();
        assert_ne!(gone, same_place);
        let errors = [
            executor.run(gone, &[Step::default()]).unwrap_err(),
            executor
                .launch(&[
                    Launch { program: stays, step: Step::default() },
                    Launch { program: gone, step: Step::default() },
                ])
                .unwrap_err(),
            executor.statistics(gone, true, &mut vec![]).unwrap_err(),
            executor.program(gone).unwrap_err(),
            executor.profile(gone, &Step::default()).unwrap_err(),
            executor.unload(gone).unwrap_err(),
        ];
        assert!(errors.iter().all(|error| error.to_string().contains("not loaded")), "{errors:?}");
        // What was launched of a program that is gone by now came to its end, and what others share is there.
        executor.run(same_place, &[Step::default(); 3]).unwrap();
        executor.unload(same_place).unwrap();
        assert_eq!(executor.read_f32("output.y").unwrap(), [15.0; 1000]);
        executor.run(stays, &[Step::default()]).unwrap();
        let mut sums = vec![];
        executor.statistics(stays, true, &mut sums).unwrap();
        assert_eq!(sums, [6000.0]);
        executor.unload(stays).unwrap();
        assert!(executor.read("output.y").is_err(), "no program is left that has it");
        assert_eq!(
            (executor.read("input.x").unwrap().len(), executor.bytes()),
            (1000, 4000),
            "it was asked for by itself"
        );
    }
}

/// Estimates a likelihood with ever other numbers of samples, and goes on training; what the executor has then.
fn ask(trainer: &mut Trainer, samples: std::ops::Range<usize>) -> (u64, u64, u64) {
    samples.for_each(|samples| drop(trainer.session.log_likelihood(&[0.5; 50], samples, 1).unwrap()));
    trainer.send(4).unwrap();
    trainer.settle().unwrap();
    let executor = &trainer.session.executor;
    (executor.objects().programs, executor.objects().buffers, executor.bytes())
}

#[test]
fn a_session_that_is_asked_for_ever_other_things_does_not_grow() {
    let _alone = ALONE.lock();
    for executor in executors() {
        let mut trainer = trainer(executor);
        // Sixteen programs of 1 to 16 codes of each row at once; then ever the same.
        let all = ask(&mut trainer, 1..17);
        assert_eq!(all.0, 17, "{all:?}");
        assert_eq!(ask(&mut trainer, 1..17), all);
        // Programs for data sets of ever other sizes make room for each other.
        let nll = |trainer: &mut Trainer| trainer.session.importance(&SMALL.data(20).unwrap(), 1).unwrap().nll;
        let (mut most, before) = ((0, 0), nll(&mut trainer));
        for rows in 20..60 {
            let data = SMALL.data(rows).unwrap();
            trainer.session.importance(&data, 1).unwrap();
            let executor = &trainer.session.executor;
            most = (most.0.max(executor.objects().programs), executor.objects().programs);
        }
        assert_eq!(most, (25, 25), "the training program and 24 others");
        // The rows went with the programs that read them, and are brought again.
        assert_eq!(nll(&mut trainer), before);
        trainer.send(4).unwrap();
        trainer.settle().unwrap();
    }
}

#[test]
fn reads_come_in_any_order_and_see_what_was_run_before_them() {
    let _alone = ALONE.lock();
    for mut executor in executors() {
        let id = executor.load(multiple(64, 2.0)).unwrap();
        let mut begin = |x: f32| {
            executor.write_f32("input.x", &[x; 64]).unwrap();
            executor.run(id, &[Step::default()]).unwrap();
            executor.begin_read("output.y").unwrap()
        };
        let tickets = [1.0, 2.0, 3.0].map(&mut begin);
        drop(begin(4.0));
        for (ticket, expected) in tickets.iter().zip([2.0f32, 4.0, 6.0]).rev() {
            let words = loop {
                match executor.poll_read(ticket).unwrap() {
                    Some(words) => break words,
                    None => executor.wait(Some(ticket)).unwrap(),
                }
            };
            assert_eq!(words, [expected.to_bits(); 64]);
            let error = executor.poll_read(ticket).unwrap_err();
            assert!(error.to_string().contains("given before"), "{error}");
        }
        assert!(executor.begin_read("nothing").is_err() && executor.has_room().is_ok());
    }
}
