//! A lowered program against the meaning of its graph in f64 (`elbo::engine::graph::eval`): the same named values go into both.
#![allow(dead_code, reason = "each test program uses its own part of this")]

use elbo::engine::graph::Graph;
use elbo::engine::graph::eval::{Values, evaluate};
use elbo::engine::kernels::SCALARS;
use elbo::engine::program::{Executor, ParameterSet, Program, ProgramId, Request, Update, lower};

/// A device that programs are tried on.
pub struct Device {
    /// What runs the programs.
    pub executor: Box<dyn Executor>,
}

/// What a program left behind.
pub struct Found {
    /// Every output, row-major.
    pub outputs: Vec<Vec<f32>>,
    /// The statistics of the step, in the order of the request, then the squared gradient norm where there is an update.
    pub statistics: Vec<f32>,
    /// The gradients, set by set, in the order of their parameters.
    pub gradients: Vec<Vec<f32>>,
    /// What the assigned parameters have become.
    pub assigned: Vec<Vec<f32>>,
}

/// Numbers that are the same in every run: SplitMix64 (Steele, Lea & Flood 2014).
pub struct Numbers(pub u64);

impl Numbers {
    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A whole number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }

    /// `count` numbers between -1 and 1, each an f32.
    pub fn signed(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| f64::from((self.bits() >> 40) as f32 / (1 << 23) as f32 - 1.0)).collect()
    }
}

impl Device {
    /// A device without programs.
    pub fn new(executor: Box<dyn Executor>) -> Device {
        Device { executor }
    }

    /// Lowers a request and runs it once. All memory that the program must write before it reads holds NaNs at first;
    /// moments hold zeros, as they do at the first step.
    pub fn run(&mut self, request: &Request, values: &Values) -> Found {
        let program = lower(request);
        let id = self.executor.load(program.clone()).expect("the program loads");
        self.fill(&program, id, request, values);
        let mut step = values.step;
        for (slot, name) in step.scalars.iter_mut().zip(&program.scalars).take(SCALARS) {
            *slot = values.scalars.get(name).copied().unwrap_or(0.0) as f32;
        }
        self.executor.run(id, &[step]).expect("the program runs");
        let mut statistics = Vec::new();
        self.executor.statistics(id, true, &mut statistics).expect("the statistics come back");
        let mut read = |name: &str| self.executor.read_f32(name).expect("the buffer is there");
        let outputs = program.outputs.iter().map(|output| {
            let slice = output.slice;
            read(&program.buffers[slice.buffer].name)[slice.offset..][..slice.words].to_vec()
        });
        let outputs = outputs.collect();
        let named = |set: &ParameterSet, flat: Vec<f32>| -> Vec<Vec<f32>> {
            set.parameters.iter().map(|p| flat[p.offset..][..p.len()].to_vec()).collect()
        };
        let gradients = request.gradients.iter().flat_map(|g| named(g.set, read(&g.set.gradients()))).collect();
        let assigned = request.assigns.iter().map(|(name, _)| {
            let set = request.parameters.iter().find(|set| set.get(name).is_some()).expect("a set holds it");
            let place = set.parameters.iter().position(|p| p.name == *name).expect("it was found");
            named(set, read(&set.values())).swap_remove(place)
        });
        let assigned = assigned.collect();
        Found { outputs, statistics, gradients, assigned }
    }

    fn fill(&mut self, program: &Program, id: ProgramId, request: &Request, values: &Values) {
        let narrow = |wide: &[f64]| wide.iter().map(|&v| v as f32).collect::<Vec<_>>();
        for buffer in &program.buffers {
            let name = &buffer.name;
            let mut words = vec![f32::NAN; buffer.words];
            let mut target = name.clone();
            if let Some(input) = name.strip_prefix("input.").or_else(|| name.strip_prefix("data.")) {
                words = narrow(&values.tensors[input]);
            } else if let Some(set) = request.parameters.iter().find(|set| set.values() == *name) {
                words.fill(0.0);
                for p in &set.parameters {
                    // A set may hold parameters that this graph does not name.
                    let given = values.tensors.get(&p.name).map(|v| narrow(v)).unwrap_or_default();
                    words[p.offset..][..given.len()].copy_from_slice(&given);
                }
            } else if request.updates.iter().any(|update| is_kept(update, name)) {
                words.fill(0.0);
            } else if let Some(gradients) = request.gradients.iter().find(|g| g.set.gradients() == *name) {
                // Padding between parameters is read by the optimiser and written by nobody.
                words.fill(0.0);
                for p in &gradients.set.parameters {
                    words[p.offset..][..p.len()].fill(f32::NAN);
                }
            } else if name.starts_with("scratch") {
                target = format!("{}.{id}.{name}", program.name);
            }
            self.executor.write_f32(&target, &words).expect("the buffer is there");
        }
    }
}

/// Whether a buffer is of what an optimiser keeps.
fn is_kept(update: &Update, buffer: &str) -> bool {
    update.rule.optimiser.state().iter().any(|name| update.set.state(name) == buffer)
}

/// The largest difference of a list from its exact values, relative to the largest of those or to `floor`; infinite
/// where something is not finite.
pub fn difference(found: &[f32], exact: &[f64], floor: f64) -> f64 {
    assert_eq!(found.len(), exact.len());
    let scale = exact.iter().fold(floor, |scale, x| scale.max(x.abs()));
    let far = |(f, e): (&f32, &f64)| (f64::from(*f) - e).abs() / scale;
    found.iter().zip(exact).map(far).fold(0.0, |a, b| if b.is_finite() { a.max(b) } else { f64::INFINITY })
}

/// The largest difference of anything a program of this request computes from the graph in f64, and what it is in.
pub fn worst(device: &mut Device, request: &Request, values: &Values) -> (f64, String) {
    worst_against(device, request, values, values)
}

/// The same, with other values for the graph than the program gets: to show that differences are seen.
pub fn worst_against(device: &mut Device, request: &Request, given: &Values, values: &Values) -> (f64, String) {
    let found = device.run(request, given);
    let statistics = found.statistics.chunks(1).map(<[f32]>::to_vec);
    let lists = found.outputs.into_iter().chain(found.gradients).chain(found.assigned).chain(statistics);
    let (outputs, statistics) = (&request.outputs, &request.statistics);
    let gradients: Vec<_> = request.gradients.iter().flat_map(|g| g.tensors.iter().copied()).collect();
    let assigned = request.assigns.iter().map(|(_, t)| *t);
    let wanted: Vec<_> = outputs.iter().map(|o| o.1).chain(gradients.iter().copied()).chain(assigned).collect();
    let sums: Vec<_> = statistics.iter().map(|s| s.1).collect();
    let mut exact = evaluate(values, &wanted);
    exact.extend(evaluate(values, &sums).iter().map(|v| vec![v.iter().sum()]));
    for update in &request.updates {
        let all = request.gradients.iter().flat_map(|g| g.tensors.iter().map(|_| g.set.name == update.set.name));
        let own = all.zip(&exact[outputs.len()..]).filter(|(is_own, _)| *is_own).flat_map(|(_, exact)| exact);
        exact.push(vec![own.map(|g| g * g).sum()]);
    }
    let names = (outputs.iter().map(|o| format!("output {}", o.0)))
        .chain((0..gradients.len()).map(|i| format!("gradient {i}")))
        .chain(request.assigns.iter().map(|(name, _)| format!("{name} assigned")))
        .chain(statistics.iter().map(|s| format!("statistic {}", s.0)))
        .chain(request.updates.iter().map(|u| format!("squared gradient norm of {}", u.set.name)));
    let differences = lists.zip(&exact).zip(names).map(|((list, exact), name)| (difference(&list, exact, 1.0), name));
    differences.fold((0.0, String::new()), |a, b| if b.0 > a.0 { b } else { a })
}

/// A graph that lives as long as the test program, so that what holds it can hold its tensors too.
pub fn graph() -> &'static Graph {
    Box::leak(Box::default())
}

/// Named values without tensors: all rows live, step 3 of seed 7.
pub fn values(rows: usize) -> Values {
    let step = elbo::engine::kernels::Step { seed: [7, 0], step: 3, rows: rows as u32, ..Default::default() };
    Values { step, ..Default::default() }
}
