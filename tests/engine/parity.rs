//! The GPU against the CPU, over the whole table of kernels: every case, every text the adapter could run.
//!
//! `elbo::apps::doctor` says how outputs are poisoned, guarded and compared, and how each comparison is shown to fail
//! when one word of an input changes. Here it is also tried on devices that are wrong on purpose.

use crate::common;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::Instant;

use common::Shared;
use elbo::Result;
use elbo::apps::bench::Workload;
use elbo::apps::doctor::{Outcome, Report, Trial, examine, prepare, written};
use elbo::config::{Preset, TrainingConfig};
use elbo::data::Shape;
use elbo::engine::cpu::Cpu;
use elbo::engine::gpu::{Gpu, Options};
use elbo::engine::kernels::table::{Case, TABLE, Variant, variants};
use elbo::engine::kernels::{Step, Traits};
use elbo::engine::program::{Buffer, Executor, Launch, Objects, Program, ProgramId, ReadTicket};
use elbo::engine::training::{Session, Trainer};

/// Tries all cases of a row in all variants.
fn parity(name: &str) {
    let row = TABLE.iter().find(|row| row.name == name).unwrap_or_else(|| panic!("the table has no row {name}"));
    let Some(mut gpu) = common::gpu() else { return };
    let (started, traits) = (Instant::now(), gpu.traits());
    let outcome = examine(row, &mut gpu, &traits, true).unwrap_or_else(|error| {
        Shared::lock().expect("it was there before").discard();
        panic!("{name}: {error}")
    });
    let (Outcome { runs, unusual, worst, failures }, seconds) = (&outcome, started.elapsed().as_secs_f64());
    eprintln!("{name}: {runs} runs, {unusual} above 4·√K·ε, the worst at {worst:.3} K·ε, {seconds:.1} s");
    assert!(outcome.is_sound(), "{name}: {} of {runs} runs failed\n{}", failures.len(), failures.join("\n"));
}

macro_rules! rows {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            parity(stringify!($name));
        })*

        #[test]
        fn every_row_has_a_test() {
            let tested: BTreeSet<&str> = [$(stringify!($name)),*].into();
            let rows: BTreeSet<&str> = TABLE.iter().map(|row| row.name).collect();
            assert_eq!(tested, rows);
        }
    };
}

rows!(matmul pair convolution transposed patches fold map draws gaussian likelihood reduce statistics batch norm optimiser peak stream);

/// The text that the rule chooses for each case.
fn chosen(cases: &[Case], gpu: &Gpu) -> Vec<Vec<Variant>> {
    cases.iter().map(|case| vec![variants(&case.kernel, &gpu.traits())[0].clone()]).collect()
}

/// What the rule chooses, compiled with the compiler's own bounds and loop checks, must do the same.
#[test]
fn with_the_compilers_own_checks() {
    let Some(mut gpu) = common::open(Options { checked: true, ..Options::default() }) else { return };
    for row in TABLE {
        let cases: Vec<Case> = (row.cases)().into_iter().filter(|case| case.realistic).collect();
        let texts = chosen(&cases, &gpu);
        prepare(cases.iter().zip(&texts), &mut gpu).expect("the texts compile");
        for (case, text) in cases.iter().zip(&texts) {
            let trial = Trial::new(case, 1, &mut Cpu::new()).expect("the reference runs");
            let report = trial.run(&text[0], &mut gpu).expect("the device runs");
            assert_eq!(report.failure, None, "{} {}", row.name, case.label);
        }
    }
}

/// Where an adapter grants 64 bytes of immediates or none, every kernel writes the same bits as with 128.
#[test]
fn with_fewer_immediates() {
    let [many, step, none] =
        [128, 64, 0].map(|bytes| common::open(Options { immediates: Some(bytes), ..Options::default() }));
    let (Some(mut many), Some(step), Some(none)) = (many, step, none) else { return };
    assert_eq!(BTreeSet::from([many.passing(), step.passing(), none.passing()]).len(), 3, "three ways to pass them");
    let mut few = [step, none];
    for row in TABLE {
        let cases = (row.cases)();
        let texts = chosen(&cases, &many);
        for gpu in [&mut many].into_iter().chain(&mut few) {
            prepare(cases.iter().zip(&texts), gpu).expect("the texts compile");
        }
        // Several steps of different scalars, sizes and rows, as all cases together have them.
        for (seed, (case, text)) in cases.iter().zip(&texts).enumerate() {
            let variant = &text[0];
            let on = |gpu: &mut Gpu| written(case, seed as u64, variant, gpu).expect("the device runs");
            let expected = on(&mut many);
            for few in &mut few {
                assert!(on(few) == expected, "{} {}, {}", row.name, case.label, few.passing());
            }
            let other = written(case, seed as u64 + 1, variant, &mut many).expect("the device runs");
            assert!(
                other != expected || case.inputs.iter().all(|input| !input.matters()),
                "the comparison is of something"
            );
        }
    }
    assert!(few.iter().all(|few| few.objects() == Objects::default()), "all that was loaded is gone");
}

/// And so does training, with many steps in a submit.
#[test]
fn training_with_fewer_immediates() {
    const SMALL: Workload = Workload {
        name: "small",
        shape: Shape { height: 1, width: 20, channels: 1 },
        config: || Workload::vae("mlp:16,activation=relu", 3),
    };
    let train = |bytes: u32, seed: u64| {
        let gpu = common::open(Options { immediates: Some(bytes), ..Options::default() })?;
        let training =
            TrainingConfig { batch: 8, seed, steps_per_submit: Some(5), ..Preset::Classic.config().training };
        let session = Session::new(SMALL.model().unwrap(), Box::new(gpu), seed);
        let mut trainer = Trainer::new(session, &SMALL.data(8).unwrap(), &training, 1.0, true).unwrap();
        let mut losses = vec![];
        for _ in 0..5 {
            let record = trainer.epoch(&mut |_| ControlFlow::Continue(())).unwrap().expect("nobody stopped it");
            losses.push(record.loss.to_bits());
        }
        Some((losses, trainer.checkpoint().unwrap().tensors))
    };
    let Some(expected) = train(128, 1) else { return };
    assert_eq!(train(64, 1).unwrap(), expected);
    assert_eq!(train(0, 1).unwrap(), expected);
    assert_ne!(train(0, 2).unwrap(), expected, "another seed is another run");
}

/// A CPU executor that does something wrong to what is read back.
struct Wrong<F: FnMut(&str, &mut Vec<u32>) + Send>(Cpu, F);

impl<F: FnMut(&str, &mut Vec<u32>) + Send> Executor for Wrong<F> {
    fn describe(&self) -> String {
        self.0.describe()
    }

    fn load(&mut self, program: Program) -> Result<ProgramId> {
        self.0.load(program)
    }

    fn unload(&mut self, id: ProgramId) -> Result<()> {
        self.0.unload(id)
    }

    fn program(&self, id: ProgramId) -> Result<&Program> {
        self.0.program(id)
    }

    fn allocate(&mut self, buffer: &Buffer) -> Result<()> {
        self.0.allocate(buffer)
    }

    fn words(&self, buffer: &str) -> Option<usize> {
        self.0.words(buffer)
    }

    fn launch(&mut self, launches: &[Launch]) -> Result<()> {
        self.0.launch(launches)
    }

    fn statistics(&mut self, id: ProgramId, wait: bool, into: &mut Vec<f32>) -> Result<()> {
        self.0.statistics(id, wait, into)
    }

    fn write_at(&mut self, buffer: &str, first: usize, words: &[u32]) -> Result<()> {
        self.0.write_at(buffer, first, words)
    }

    fn begin_read(&mut self, buffer: &str) -> Result<ReadTicket> {
        self.0.begin_read(buffer)
    }

    fn poll_read(&mut self, ticket: &ReadTicket) -> Result<Option<Vec<u32>>> {
        self.0.poll_read(ticket)
    }

    fn has_room(&mut self) -> Result<bool> {
        self.0.has_room()
    }

    fn wait(&mut self, ticket: Option<&ReadTicket>) -> Result<()> {
        self.0.wait(ticket)
    }

    fn read(&mut self, buffer: &str) -> Result<Vec<u32>> {
        let mut words = self.0.read(buffer)?;
        (self.1)(buffer, &mut words);
        Ok(words)
    }

    fn profile(&mut self, id: ProgramId, step: &Step) -> Result<Vec<f64>> {
        self.0.profile(id, step)
    }

    fn bytes(&self) -> u64 {
        self.0.bytes()
    }
}

/// How a case fares on a device that is wrong in this way.
fn on_a_wrong_device(case: &Case, wrong: impl FnMut(&str, &mut Vec<u32>) + Send) -> Report {
    let traits = Traits { software: true, subgroup_size: None };
    let trial = Trial::new(case, 5, &mut Cpu::new()).expect("the reference runs");
    trial.run(&variants(&case.kernel, &traits)[0], &mut Wrong(Cpu::new(), wrong)).expect("the CPU runs")
}

#[test]
fn wrong_devices_are_found_out() {
    for row in TABLE {
        let cases = (row.cases)();
        let case = cases.iter().find(|case| !case.realistic).expect("there are small cases");
        let (last, len) = {
            let last = case.written().last().expect("something is written");
            (format!("case.{last}."), case.inputs[last].len)
        };
        let first_word = 64;
        let expect = |what: &str, found_out: bool, wrong: &mut (dyn FnMut(&mut Vec<u32>) + Send)| {
            let report = on_a_wrong_device(case, |buffer, words| {
                if buffer.starts_with(&last) {
                    wrong(words);
                }
            });
            assert_eq!(report.failure.is_some(), found_out, "{} {}, {what}: {report:?}", row.name, case.label);
        };
        expect("a device that is right", false, &mut |_| {});
        expect("a word in front of its slice", true, &mut |words| words[first_word - 1] = 0);
        expect("a word behind its slice", true, &mut |words| words[first_word + len] = 0);
        expect("a word not written", true, &mut |words| {
            let at = words.iter().position(|&w| w != 0x7fc0_dead).expect("something is written");
            words[at] = 0x7fc0_dead;
        });
        expect("another NaN in place of a number", true, &mut |words| {
            let at = words.iter().position(|&w| w != 0x7fc0_dead).expect("something is written");
            words[at] = f32::NAN.to_bits();
        });
        expect("everything a little larger", true, &mut |words| {
            for word in words.iter_mut().filter(|word| **word != 0x7fc0_dead) {
                *word = (f32::from_bits(*word) * 1.001).to_bits();
            }
        });
    }
}
