//! Checks a device kernel by kernel: every case of the table is run there and by the CPU reference, and what the two
//! wrote is compared, word by word.
//!
//! Each binding is a slice in the middle of a buffer of its own. What the kernel does not read, in front of, behind
//! and between its words, is poison (a NaN of its own bits) before the run, and so is all that it writes. Afterwards
//! every word that the reference left as poison must be poison still, and every other must agree:
//!
//! |device − reference| / scale ≤ K·ε, and usually ≤ 4·√K·ε,
//!
//! where K counts the roundings an element gathers (for a sum, its length), ε = 2⁻²³, and the scale is the element's
//! own magnitude or, for sums whose terms cancel, the largest in its binding; see [`Scale`].
//!
//! A comparison that cannot fail says nothing, so each is made again with one word of an input changed for the
//! reference alone, binding by binding, and must fail every time.

use std::sync::Arc;

use crate::cpu::Cpu;
use crate::error::Result;
use crate::kernels::table::{Case, Fill, POISON, Row, Scale, Variant, variants};
use crate::kernels::{Step, Traits};
use crate::program::{Buffer, Call, Executor, Program, Slice};

/// Words of poison in front of every slice, and at least as many behind it; slices start at multiples of this.
const GUARD: usize = 64;

/// From here on a sum says that a term was not finite, and its value means nothing else.
const NOT_FINITE: f32 = 1e38;

/// Cases whose texts are compiled together: enough for all cores, and few enough that a GPU keeps all of them until they have run.
const AHEAD: usize = 32;

/// How two runs of one case compare.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The largest scaled error.
    pub worst: f64,
    /// How many words were compared.
    pub words: usize,
    /// What differs beyond the bound, if anything does.
    pub failure: Option<String>,
}

/// What a device made of a row of the table.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// How many runs were compared: one for each case and text.
    pub runs: usize,
    /// How many of them have errors above 4·√K·ε.
    pub unusual: usize,
    /// The largest scaled error, as a part of what its case allows.
    pub worst: f64,
    /// What was wrong, a line each.
    pub failures: Vec<String>,
}

impl Outcome {
    /// Whether the device can be trusted with these kernels: nothing wrong, and not more than one run of ten unusual.
    pub fn is_sound(&self) -> bool {
        self.failures.is_empty() && 10 * self.unusual <= self.runs
    }

    /// What speaks against the device, a line each; nothing where it is sound.
    pub fn complaints(&self) -> Vec<String> {
        if self.failures.is_empty() && !self.is_sound() {
            return vec![format!(
                "{} of {} runs have larger errors than rounding usually makes, one of ten is allowed to",
                self.unusual, self.runs
            )];
        }
        self.failures.clone()
    }
}

/// Tries all cases of a row on a device whose texts depend on `traits`: with the text that the rule chooses or, if
/// `every_variant`, with all that the device can run.
///
/// # Errors
/// If the device fails, which ends the examination: it may not work any more.
pub fn examine(row: &Row, device: &mut dyn Executor, traits: &Traits, every_variant: bool) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let cases: Vec<(u64, Case)> = (0..).zip((row.cases)()).collect();
    for cases in cases.chunks(AHEAD) {
        let limit = |case: &Case| if every_variant { case.variant_limit() } else { 1 };
        let texts: Vec<Vec<Variant>> = cases
            .iter()
            .map(|(_, case)| variants(&case.kernel, traits).into_iter().take(limit(case)).collect())
            .collect();
        prepare(cases.iter().map(|(_, case)| case).zip(&texts), device)?;
        for ((seed, case), texts) in cases.iter().zip(&texts) {
            let trial = Trial::new(case, *seed, &mut Cpu::new())?;
            for (v, variant) in texts.iter().enumerate() {
                let report = trial.run(variant, device)?;
                outcome.runs += 1;
                outcome.unusual += usize::from(report.worst > case.usual());
                outcome.worst = outcome.worst.max(report.worst / case.bound());
                let named = |failure| format!("{} (text {v}, seed {seed}): {failure}", case.label);
                outcome.failures.extend(report.failure.map(named));
            }
        }
    }
    Ok(outcome)
}

/// Has a device compile texts of cases side by side. Where a compiler is slow, as FXC is, that is most of the time of an examination.
///
/// # Errors
/// If one does not compile.
pub fn prepare<'a>(
    cases: impl IntoIterator<Item = (&'a Case, &'a Vec<Variant>)>,
    device: &mut dyn Executor,
) -> Result<()> {
    let programs = |(case, texts): (&'a Case, &'a Vec<Variant>)| {
        let program = program(case);
        texts.iter().map(move |variant| with_variant(&program, variant)).collect::<Vec<_>>()
    };
    device.prepare(&cases.into_iter().flat_map(programs).collect::<Vec<_>>())
}

/// A case made ready: what it is given, and what the reference makes of it.
pub struct Trial<'a> {
    case: &'a Case,
    program: Program,
    inputs: Memory,
    expected: Memory,
    controls: Vec<Control>,
}

/// The words of every buffer of a program.
type Memory = Vec<Vec<u32>>;

/// A run that the comparison must tell from the case's own.
struct Control {
    /// What is different.
    what: String,
    /// What the reference makes of it, if any difference that was tried shows there.
    changed: Option<Memory>,
}

impl Trial<'_> {
    /// Runs the reference on a case, filled from a seed, and on its changed inputs.
    ///
    /// # Errors
    /// If the reference fails.
    pub fn new<'a>(case: &'a Case, seed: u64, reference: &mut dyn Executor) -> Result<Trial<'a>> {
        let inputs = inputs(case, seed);
        let program = program(case);
        let expected = run(reference, &program, &inputs, &case.steps)?;
        let mut trial = Trial { case, program, inputs, expected, controls: vec![] };
        trial.controls = trial.find_controls(reference)?;
        Ok(trial)
    }

    /// Runs a variant of the kernel on the device, compares what it wrote with the reference, and checks that the
    /// comparison fails where it must.
    ///
    /// # Errors
    /// If the device fails: what it computes is the report's affair.
    pub fn run(&self, variant: &Variant, device: &mut dyn Executor) -> Result<Report> {
        let written = run_variant(&self.program, &self.inputs, (self.case, variant), device)?;
        let mut report = compare(self.case, &self.expected, &written);
        for Control { what, changed } in &self.controls {
            let noticed =
                changed.as_ref().is_some_and(|changed| compare(self.case, changed, &written).failure.is_some());
            if report.failure.is_none() && !noticed {
                report.failure = Some(format!("the comparison does not notice {what}: it would miss an error"));
            }
        }
        Ok(report)
    }

    /// For each input, a change of one word that shows in what the reference writes.
    fn find_controls(&self, reference: &mut dyn Executor) -> Result<Vec<Control>> {
        let mut controls = Vec::new();
        for (b, input) in self.case.inputs.iter().enumerate().filter(|(_, input)| input.matters()) {
            let what = format!("a changed word of binding {b}");
            controls.push(Control { what, changed: self.find_change(b, input.fill, reference)? });
        }
        if controls.is_empty() {
            // Nothing is read: what is written must depend on the step.
            let other = |step: &Step| Step {
                step: step.step + 1,
                rows: step.rows + 1,
                scalars: step.scalars.map(|scalar| scalar + 1.0),
                ..*step
            };
            let steps: Vec<Step> = self.case.steps.iter().map(other).collect();
            let changed = self.changed(&self.inputs, &steps, reference)?;
            controls.push(Control { what: "another step".to_string(), changed: Some(changed) });
        }
        Ok(controls)
    }

    fn find_change(&self, b: usize, fill: Fill, reference: &mut dyn Executor) -> Result<Option<Memory>> {
        let len = self.inputs[b].len();
        // A single word may not count (a row that is not gathered, a branch that is not taken): several are tried.
        let probes =
            (0..64).map(|probe| probe * 7919 % len).chain((0..64).map(|probe| (probe * len / 64 + probe % 7) % len));
        for at in probes.filter(|&at| self.inputs[b][at] != POISON) {
            for word in changes(self.case, fill, self.inputs[b][at]) {
                let mut inputs = self.inputs.clone();
                inputs[b][at] = word;
                let changed = self.changed(&inputs, &self.case.steps, reference)?;
                if compare(self.case, &self.expected, &changed).failure.is_some() {
                    return Ok(Some(changed));
                }
            }
        }
        Ok(None)
    }

    /// What the reference writes for other inputs; that the inputs themselves differ is no news.
    fn changed(&self, inputs: &[Vec<u32>], steps: &[Step], reference: &mut dyn Executor) -> Result<Memory> {
        let mut all = run(reference, &self.program, inputs, steps)?;
        let written: Vec<usize> = self.case.written().collect();
        for (b, words) in all.iter_mut().enumerate().filter(|(b, _)| !written.contains(b)) {
            words.clone_from(&self.expected[b]);
        }
        Ok(all)
    }
}

/// All words of all bindings as a device leaves them that runs a variant of a case, filled from a seed.
///
/// # Errors
/// If the device fails.
pub fn written(case: &Case, seed: u64, variant: &Variant, device: &mut dyn Executor) -> Result<Vec<Vec<u32>>> {
    run_variant(&program(case), &inputs(case, seed), (case, variant), device)
}

fn inputs(case: &Case, seed: u64) -> Memory {
    (0..case.inputs.len()).map(|b| case.words(b, seed)).collect()
}

fn run_variant(
    program: &Program,
    inputs: &[Vec<u32>],
    (case, variant): (&Case, &Variant),
    device: &mut dyn Executor,
) -> Result<Memory> {
    run(device, &with_variant(program, variant), inputs, &case.steps)
}

/// The program with a text of its kernel.
fn with_variant(program: &Program, variant: &Variant) -> Program {
    let mut program = program.clone();
    program.calls[0].kernel = Arc::new(variant.clone());
    program
}

/// A program of one call: every binding in the middle of a buffer of its own. Cases of equal sizes share buffers.
fn program(case: &Case) -> Program {
    let buffer = |(b, len): (usize, usize)| {
        let words = GUARD + len.next_multiple_of(GUARD) + GUARD;
        Buffer { name: format!("case.{b}.{words}"), words }
    };
    let slice = |(b, len): (usize, usize)| Slice { buffer: b, offset: GUARD, words: len };
    let lens = || case.inputs.iter().map(|input| input.len).enumerate();
    Program {
        name: case.label.clone(),
        buffers: lens().map(buffer).collect(),
        calls: vec![Call {
            kernel: case.kernel.clone(),
            bindings: lens().map(slice).collect(),
            label: case.label.clone(),
        }],
        scalars: vec![],
        statistics: vec![],
        ring: None,
        outputs: vec![],
    }
}

/// Fills the buffers, runs the steps, and gives all buffers whole.
fn run(executor: &mut dyn Executor, program: &Program, inputs: &[Vec<u32>], steps: &[Step]) -> Result<Memory> {
    let id = executor.load(program.clone())?;
    for (buffer, input) in program.buffers.iter().zip(inputs) {
        let mut words = vec![POISON; buffer.words];
        words[GUARD..][..input.len()].copy_from_slice(input);
        executor.write(&buffer.name, &words)?;
    }
    executor.run(id, steps)?;
    let written = program.buffers.iter().map(|buffer| executor.read(&buffer.name)).collect();
    executor.unload(id)?;
    written
}

/// Compares all buffers whole.
fn compare(case: &Case, reference: &[Vec<u32>], device: &[Vec<u32>]) -> Report {
    let mut report = Report { worst: 0.0, words: 0, failure: None };
    let written: Vec<usize> = case.written().collect();
    for (b, (reference, device)) in reference.iter().zip(device).enumerate() {
        let scale = if written.contains(&b) { case.scale } else { Scale::Exact };
        let largest = reference.iter().map(|&w| f32::from_bits(w).abs()).filter(|x| x.is_finite()).fold(0.0, f32::max);
        for (at, (&r, &d)) in reference.iter().zip(device).enumerate() {
            let error = scaled_error(scale, largest, r, d);
            report.worst = report.worst.max(error);
            report.words += usize::from(r != POISON);
            if error > case.bound() && report.failure.is_none() {
                let place = at as i64 - GUARD as i64;
                let show = |w: u32| match w {
                    POISON => "nothing".to_string(),
                    w => format!("{:e} ({w:#010x})", f32::from_bits(w)),
                };
                report.failure = Some(format!(
                    "word {place} of binding {b} ({} bound): the reference wrote {}, the device {}; \
                     the scaled error is {error:.2e}, at most {:.2e} is rounding",
                    case.inputs[b].len,
                    show(r),
                    show(d),
                    case.bound()
                ));
            }
        }
    }
    report
}

/// The error of one word; infinite where the words are of different kinds.
fn scaled_error(scale: Scale, largest: f32, reference: u32, device: u32) -> f64 {
    let (r, d) = (f32::from_bits(reference), f32::from_bits(device));
    if reference == device || (reference != POISON && device != POISON && r.is_nan() && d.is_nan()) {
        return 0.0;
    }
    let scale = match scale {
        Scale::Exact => 0.0,
        Scale::Own(least) => r.abs().max(least),
        Scale::Largest(least) => largest.max(least),
    };
    if r >= NOT_FINITE && d >= NOT_FINITE {
        return 0.0;
    }
    // Zeros of either sign are equal.
    let difference = (f64::from(r) - f64::from(d)).abs();
    if difference == 0.0 {
        return 0.0;
    }
    let error = difference / f64::from(scale);
    if error.is_nan() { f64::INFINITY } else { error }
}

/// Two other values for a word, of which at least one should matter.
fn changes(case: &Case, fill: Fill, word: u32) -> [u32; 2] {
    if fill == Fill::Bits {
        return [0, u32::MAX];
    }
    // What K terms of size 1 may be off by grows with K·ε·K; a change must stand out of that.
    let bump = (4.0 * case.bound() * case.roundings as f64).max(1.0) as f32;
    let x = f32::from_bits(word);
    [(x + bump).to_bits(), (x - bump).to_bits()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_not_sound_is_complained_of() {
        let outcome = |unusual, failures: &[&str]| Outcome {
            runs: 20,
            unusual,
            worst: 0.5,
            failures: failures.iter().map(|failure| failure.to_string()).collect(),
        };
        assert!(outcome(2, &[]).is_sound() && outcome(2, &[]).complaints().is_empty());
        assert!(!outcome(3, &[]).is_sound());
        assert!(outcome(3, &[]).complaints()[0].starts_with("3 of 20 runs"));
        assert_eq!(outcome(0, &["word 1"]).complaints(), ["word 1"]);
    }
}
