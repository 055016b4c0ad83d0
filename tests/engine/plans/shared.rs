//! Training that several trainers share: what one row draws is what it draws in the whole batch, and the sum of the parts is the whole.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use elbo::Result;
use elbo::apps::bench::Workload;
use elbo::config::{Preset, TrainingConfig};
use elbo::data::{Dataset, Shape, Values};
use elbo::engine::graph::{Graph, Init};
use elbo::engine::kernels::{Order, Packing, Step};
use elbo::engine::program::{DataSpec, Executor, ParameterSet, Request, lower};
use elbo::engine::training::{Alone, Pump, Reduce, Session, Share, Trainer, in_threads};

use super::course::devices;

const SMALL: Workload = Workload {
    name: "small",
    shape: Shape { height: 1, width: 20, channels: 1 },
    config: || Workload::vae("mlp:16,activation=relu", 3),
};

/// A reduction whose sums are looked at.
struct Watched {
    reduce: Box<dyn Reduce>,
    /// The sums, one after the other.
    seen: Arc<Mutex<Vec<Vec<f32>>>>,
}

impl Reduce for Watched {
    fn sum(&mut self, values: &mut [f32]) -> Result<()> {
        self.reduce.sum(values)?;
        self.seen.lock().unwrap().push(values.to_vec());
        Ok(())
    }

    fn broadcast(&mut self, words: &mut [u32]) -> Result<()> {
        self.reduce.broadcast(words)
    }

    fn fail(&mut self, why: &str) {
        self.reduce.fail(why);
    }
}

/// 37 rows of grey values, which do not fill their last batch.
fn data() -> Dataset {
    let value = |i: usize| (i * 7919 % 1009) as f32 / 1008.0;
    Dataset::new("grey", Values::Floats((0..37 * 20).map(value).collect()), Shape::vector(20)).unwrap()
}

fn config(accumulate: usize) -> TrainingConfig {
    TrainingConfig {
        batch: 8,
        accumulate,
        seed: 3,
        log_every: 1,
        clip_norm: Some(20.0),
        ..Preset::Classic.config().training
    }
}

/// What a trainer came to: its losses step by step and its parameters, and where it stands.
#[derive(Debug, PartialEq)]
struct Course {
    losses: Vec<f64>,
    parameters: Vec<f32>,
    step: u64,
}

/// Trains for some epochs; `stop_at` is the step from which on it is asked to stop.
fn course(mut trainer: Trainer, epochs: usize, stop_at: Option<u64>) -> Course {
    let mut losses = vec![];
    for _ in 0..epochs {
        let finished = trainer.epoch(&mut |progress| {
            losses.extend(progress.steps.iter().map(|step| step.loss));
            let last = progress.steps.last().map_or(0, |step| step.step);
            if stop_at.is_some_and(|at| last >= at) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if finished.unwrap().is_none() {
            break;
        }
    }
    Course { losses, parameters: parameters(&mut trainer), step: trainer.state.step }
}

fn parameters(trainer: &mut Trainer) -> Vec<f32> {
    trainer.session.values().unwrap().into_iter().flat_map(|(_, _, values)| values).collect()
}

fn session(executor: Box<dyn Executor>) -> Session {
    Session::new(SMALL.model().unwrap(), executor, 3)
}

/// One trainer of whole batches, perhaps by way of a reduction over itself alone.
fn whole(executor: Box<dyn Executor>, config: &TrainingConfig, reduce: Option<Alone>) -> Trainer {
    let data = data();
    match reduce {
        None => Trainer::new(session(executor), &data, config, 1.0, true),
        Some(alone) => {
            let share = Share { part: 0, parts: 1, reduce: Box::new(alone) };
            Trainer::shared(session(executor), (&data, None), config, (1.0, true), share)
        }
    }
    .unwrap()
}

/// What several trainers came to, on threads of their own, of a part of every batch each: the first, and the parameters of the others; and
/// the sums that they reduced to. `asked` is the part that is asked to stop behind the first batches, if one is.
fn parts(
    parts: usize,
    open: &dyn Fn() -> Box<dyn Executor>,
    config: &TrainingConfig,
    epochs: usize,
    asked: Option<usize>,
) -> (Course, Vec<Vec<f32>>, Vec<Vec<f32>>) {
    let seen = Arc::new(Mutex::new(vec![]));
    let trainer = |share: Share| {
        let sums = if share.part == 0 { seen.clone() } else { Arc::default() };
        let share = Share { reduce: Box::new(Watched { reduce: share.reduce, seen: sums }), ..share };
        Trainer::shared(session(open()), (&data(), None), config, (1.0, true), share).unwrap()
    };
    let mut trainers: Vec<Trainer> = in_threads(parts).into_iter().map(trainer).collect();
    let followers = trainers.split_off(1);
    std::thread::scope(|scope| {
        let followers: Vec<_> = followers
            .into_iter()
            .enumerate()
            .map(|(before, mut trainer)| {
                let batches = AtomicU64::new(0);
                let stops = move || batches.fetch_add(1, Ordering::SeqCst) >= 7 && asked == Some(before + 1);
                scope.spawn(move || {
                    trainer.follow(&stops).unwrap();
                    parameters(&mut trainer)
                })
            })
            .collect();
        let course = course(trainers.remove(0), epochs, Some(7).filter(|_| asked == Some(0)));
        let others = followers.into_iter().map(|thread| thread.join().unwrap()).collect();
        let sums = seen.lock().unwrap().clone();
        (course, others, sums)
    })
}

/// The largest difference, relative to the largest number.
fn apart(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let largest = a.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
    a.iter().zip(b).fold(0.0f64, |far, (a, b)| far.max(f64::from((a - b).abs() / largest)))
}

#[test]
fn parts_are_one_whole() {
    for executor in 0..devices().len() {
        let open = || devices().swap_remove(executor);
        for accumulate in [1, 2] {
            let config = config(accumulate);
            let expected = course(whole(open(), &config, None), 10, None);
            assert_eq!((expected.losses.len(), expected.step), (50, 50));
            // Of eight rows, three parts have three, three and two.
            for count in [2, 3] {
                let (first, others, _) = parts(count, &open, &config, 10, None);
                assert_eq!(
                    others,
                    vec![first.parameters.clone(); count - 1],
                    "all move the same parameters along the same gradients"
                );
                for (step, (found, expected)) in first.losses.iter().zip(&expected.losses).enumerate() {
                    assert!((found / expected - 1.0).abs() < 1e-6, "loss of step {step}: {found}, {expected}");
                }
                assert!(apart(&first.parameters, &expected.parameters) < 1e-4);
                // As often as one likes.
                assert_eq!(parts(count, &open, &config, 10, None).0, first);
            }
            // A reduction over one trainer changes no bit.
            assert_eq!(course(whole(open(), &config, Some(Alone)), 10, None), expected);
        }
        // Another batch is another course, and so is half of one: a reduction that forgets the other part.
        let expected = course(whole(open(), &config(1), None), 1, None);
        let other = course(whole(open(), &TrainingConfig { batch: 4, ..config(1) }, None), 1, None);
        assert!(apart(&other.parameters, &expected.parameters) > 1e-3);
        let share = Share { part: 0, parts: 2, reduce: Box::new(Alone) };
        let half = Trainer::shared(session(open()), (&data(), None), &config(1), (1.0, true), share).unwrap();
        let half = course(half, 1, None);
        assert!(apart(&half.parameters, &expected.parameters) > 1e-3);
        assert!((half.losses[0] / expected.losses[0] - 1.0).abs() > 0.1);
    }
}

#[test]
fn gradients_of_halves_add_up_to_those_of_the_whole() {
    for executor in 0..devices().len() {
        let open = || devices().swap_remove(executor);
        let mut one = whole(open(), &config(1), None);
        one.steps(1).unwrap();
        let group = one.session.layout.groups[0].gradients();
        let expected = one.session.executor.read_f32(&group).unwrap();
        let (_, _, sums) = parts(2, &open, &config(1), 1, None);
        // One reduction for each of five batches; the first begins with what one trainer has of the first batch.
        assert_eq!(sums.len(), 5);
        let far = apart(&expected, &sums[0][..expected.len()]);
        assert!(far < 1e-6, "{far:e}");
        assert!(apart(&expected, &sums[1][..expected.len()]) > 1e-2, "another batch has another gradient");
    }
}

#[test]
fn all_stop_where_one_is_asked_to() {
    let open = || devices().remove(0);
    for accumulate in [1, 2] {
        for asked in [0, 1] {
            let (first, others, _) = parts(2, &open, &config(accumulate), 10, Some(asked));
            assert_eq!(others, [first.parameters]);
            // It is told with the next iteration's gradients.
            assert!((7..12).contains(&first.step), "{}", first.step);
        }
    }
}

/// What a training goes on from is the first trainer's, whatever the others have.
#[test]
fn all_go_on_from_where_the_first_does() {
    let open = || devices().remove(0);
    let config = config(1);
    let trainer =
        |share: Share| Trainer::shared(session(open()), (&data(), None), &config, (1.0, true), share).unwrap();
    let team = |count: usize| {
        let mut trainers: Vec<Trainer> = in_threads(count).into_iter().map(trainer).collect();
        let followers = trainers.split_off(1);
        trainers.remove(0).lead(followers).unwrap()
    };
    let expected = course(team(2), 4, None);
    for count in [2, 3] {
        let mut first = team(2);
        (0..2).for_each(|_| _ = first.epoch(&mut |_| ControlFlow::Continue(())).unwrap());
        let checkpoint = first.checkpoint().unwrap();
        // The same team goes astray, and back; another begins there.
        first.epoch(&mut |_| ControlFlow::Continue(())).unwrap();
        first.resume(&checkpoint).unwrap();
        let mut other = team(count);
        other.resume(&checkpoint).unwrap();
        let [back, other] = [first, other].map(|trainer| course(trainer, 2, None));
        assert_eq!(back.parameters, expected.parameters, "on as many, the same bits");
        assert_eq!(back.losses, expected.losses[10..]);
        let far = apart(&other.parameters, &expected.parameters);
        assert!(if count == 2 { far == 0.0 } else { far > 0.0 && far < 1e-4 }, "{far:e}");
    }
}

#[test]
fn a_row_is_the_same_in_a_part_as_in_the_whole() {
    let words: Vec<f32> = (0..37 * 20).map(|i| (i % 11) as f32 / 10.0).collect();
    for mut executor in devices() {
        let mut run = |batch: usize, (row_offset, position): (u32, u32)| -> Vec<Vec<f32>> {
            let graph = Graph::new();
            let set = ParameterSet::new("weights", [("weight".to_string(), vec![8, 3])]);
            let binarised = graph.batch("grey", batch, 20, Order::Shuffled, Some(1));
            let weight = graph.transform_parameters(
                |_, weight| weight + weight.graph().normal(4, weight.shape()),
                || graph.param("weight", &[8, 3], Init::Constant(1.0)),
            );
            let outputs = vec![
                ("binarised", binarised),
                ("weights", graph.row_weights(batch)),
                ("normal", graph.normal(2, &[batch, 3])),
                // Several of each row behind each other, as many as do not fill whole blocks of the generator.
                ("uniform", graph.uniform(3, &[3 * batch, 5])),
                ("weight", weight),
            ];
            let names: Vec<&str> = outputs.iter().map(|(name, _)| *name).collect();
            let id = executor
                .load(lower(&Request {
                    parameters: vec![&set],
                    data: [("grey".to_string(), DataSpec::whole(37, 20, Packing::Floats))].into(),
                    outputs,
                    ..Request::new("rows", &graph)
                }))
                .unwrap();
            executor.write_f32("data.grey", &words).unwrap();
            let step = Step { seed: [5, 6], step: 9, rows: 7, position, row_offset, ..Step::default() };
            executor.run(id, &[step]).unwrap();
            let all = names.iter().map(|name| executor.read_f32(&format!("output.{name}")).unwrap()).collect();
            executor.unload(id).unwrap();
            all
        };
        for position in [0, 32] {
            let expected = run(8, (0, position));
            let parts = [run(4, (0, position)), run(4, (4, position))];
            for (place, expected) in expected.iter().enumerate().take(4) {
                let joined = [&parts[0][place][..], &parts[1][place][..]].concat();
                assert_eq!(joined, *expected, "tensor {place} from {position} on");
                assert_ne!(parts[0][place], parts[1][place]);
            }
            // What all rows have in common is the same in all parts.
            assert!(parts.iter().all(|part| part[4] == expected[4]));
            // One of the eight rows is none.
            assert_eq!(expected[1], [[1.0 / 7.0; 7].as_slice(), &[0.0]].concat());
        }
    }
}

#[test]
fn a_batch_has_no_more_parts_than_rows() {
    let share = |part, parts| Share { part, parts, reduce: Box::new(Alone) };
    let shared = |share| Trainer::shared(session(devices().remove(0)), (&data(), None), &config(1), (1.0, true), share);
    // Of eight rows in parts of two, a fifth part would have none.
    for (part, parts, words) in [
        (2, 2, "counted from 0"),
        (0, 0, "counted from 0"),
        (0, 9, "the last has none: give a `batch` of 9, or fewer devices"),
        (0, 5, "the last has none: give a `batch` of 10, or fewer devices"),
    ] {
        let error = shared(share(part, parts)).err().unwrap().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert!(shared(share(1, 3)).is_ok());
    // The first leads, and nobody else.
    let error = shared(share(0, 2)).unwrap().follow(&|| false).unwrap_err().to_string();
    assert!(error.contains("it leads"), "{error}");
}

/// The pump never waits, and comes to what an epoch comes to.
#[test]
fn an_epoch_can_be_driven_by_an_event_loop() {
    for executor in 0..devices().len() {
        let open = || devices().swap_remove(executor);
        let expected = course(whole(open(), &config(1), None), 1, None);
        let mut trainer = whole(open(), &config(1), None);
        let (mut losses, mut turns) = (vec![], 0);
        let before = trainer.session.executor.counters();
        loop {
            turns += 1;
            let pumped = trainer.pump(&mut |progress| {
                losses.extend(progress.steps.iter().map(|step| step.loss));
                ControlFlow::Continue(())
            });
            match pumped.unwrap() {
                Pump::Finished(record) => {
                    assert_eq!(record.steps, Some(5));
                    break;
                }
                Pump::Working => assert!(trainer.checkpoint().is_err(), "steps are under way"),
                Pump::Waiting => std::thread::sleep(Duration::from_millis(1)),
                Pump::Stopped => panic!("nobody stopped it"),
            }
        }
        assert_eq!((trainer.session.executor.counters() - before).waits, 0);
        assert!(trainer.checkpoint().is_ok());
        assert!(turns >= 2 && losses == expected.losses, "{turns} turns");
    }
}
