//! Changes one thing at a time in elbo and says which changes no test sees.
//!
//! All mutants of a sample stand in one copy of the project, each behind a switch that an environment variable turns, so
//! that there is one build for all of them. Every test is run once to learn which mutants it reaches; then each mutant is
//! switched on and the tests that reach it are run, fastest first, until one of them fails.

mod areas;
mod build;
mod judge;
mod literal;
mod process;
mod report;
mod rules;
mod rust;
mod sample;
mod site;
mod trace;
mod tree;
mod wgsl;
mod work;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;

use build::{Binary, Built};
use judge::Verdict;
use sample::{Deck, Wish};
use site::Site;
use tree::Tree;

/// Changes one thing at a time in elbo and says which changes no test sees.
#[derive(Parser)]
struct Args {
    /// How many mutants.
    #[arg(long, default_value_t = 200)]
    sample: usize,
    /// How many of them in shader text; without it, three of ten.
    #[arg(long)]
    wgsl: Option<usize>,
    /// Other seeds give other samples.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only in files whose path begins so.
    #[arg(long)]
    only: Option<String>,
    /// Seconds of testing for each mutant.
    #[arg(long, default_value_t = 120)]
    timeout: u64,
    /// Tests that take longer than so many seconds are left out.
    #[arg(long, default_value_t = 60)]
    slowest: u64,
    /// After so many minutes no further mutant is tried.
    #[arg(long)]
    minutes: Option<u64>,
    /// A part of the sample, as 2/4: no two of the four parts share a mutant.
    #[arg(long, value_parser = part, default_value = "1/1")]
    part: (usize, usize),
    /// Only prints the sample.
    #[arg(long)]
    list: bool,
    /// These mutants instead of a sample, by the numbers that the list and the report give them.
    #[arg(long)]
    mutant: Vec<u32>,
    /// How many tests run at a time.
    #[arg(long, default_value_t = 2)]
    workers: usize,
}

fn part(text: &str) -> Result<(usize, usize), String> {
    let numbers = text.split_once('/').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    numbers.filter(|&(a, b)| 0 < a && a <= b).ok_or_else(|| "a part looks like 2/4".into())
}

fn main() -> Result<()> {
    let args = Args::parse();
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().context("finding elbo")?;
    let files = tree::files(&project)?;
    let sites = areas::sites(&project, &files)?;
    let mut deck = Deck::new(&sites, &wish(&args));
    let chosen: Vec<Site> = sites.iter().filter(|site| args.mutant.contains(&site.id)).cloned().collect();
    if args.list {
        let picked = if args.mutant.is_empty() { deck.picked() } else { &chosen };
        picked.iter().for_each(|site| println!("{:<14}{:<18}{}", site.area, site.rule, site.describe()));
        println!("{} mutants of {} changes that can be made", picked.len(), sites.len());
        return Ok(());
    }
    let start = Instant::now();
    let out = project.join("target/mutants");
    let mut tree = Tree::new(&project, out.join("tree"), &files);
    let (picked, binaries) = if args.mutant.is_empty() {
        build_sample(&mut tree, &mut deck, &out)?
    } else {
        tree.write(&chosen)?;
        match build::build(&tree, &out.join("build"))? {
            Built::Done(binaries) => (chosen, binaries),
            Built::Refused(ids) => anyhow::bail!("these do not compile: {ids:?}"),
        }
    };
    say(start, &format!("{} mutants are built; every test runs once without any", picked.len()));
    let scratch = out.join("scratch");
    process::fresh(&scratch)?;
    let traced = trace::trace(&binaries, &tree.root, &scratch, args.workers, Duration::from_secs(args.slowest))?;
    report::print_tests(&traced);
    let mut picked: Vec<Site> = picked.into_iter().filter(|site| !traced.invalid.contains(&site.id)).collect();
    // In no order, so that those for which there is no time are of all areas.
    picked.sort_by_key(|site| site.id.wrapping_mul(0x9E37_79B9));
    say(start, &format!("the tests are run; {} mutants are left out as invalid shader text", traced.invalid.len()));
    let limit = Duration::from_secs(args.timeout);
    let verdicts = work::in_parallel(args.workers, &picked, |worker, number, site| {
        if args.minutes.is_some_and(|minutes| start.elapsed().as_secs() >= minutes * 60) {
            return Ok(None);
        }
        let scratch = scratch.join(format!("worker{worker}"));
        let verdict = judge::judge(site, &traced, &tree.root, &scratch, limit)?;
        say(start, &format!("{}/{} {}: {}", number + 1, picked.len(), word(&verdict), site.describe()));
        Ok(Some(verdict))
    })?;
    let tried = picked.into_iter().zip(verdicts).filter_map(|(site, verdict)| Some((site, verdict?)));
    let mut lines: Vec<_> = tried.map(|(site, verdict)| report::line(site, verdict, &traced)).collect();
    lines.sort_by_key(|line| line.site.id);
    report::print(&lines);
    report::write(&lines, &out.join("report.json"))?;
    say(start, "done; the same stands in target/mutants/report.json");
    Ok(())
}

fn wish(args: &Args) -> Wish<'_> {
    let (part, parts) = args.part;
    let share = |whole: usize| (whole * part / parts) - (whole * (part - 1) / parts);
    let wgsl = args.wgsl.unwrap_or(args.sample * 3 / 10).min(args.sample);
    let size = share(args.sample);
    Wish { size, wgsl: share(wgsl).min(size), seed: args.seed, only: args.only.as_deref(), part: part - 1, parts }
}

/// Builds the sample, with other mutants in place of those that do not compile.
fn build_sample(tree: &mut Tree, deck: &mut Deck, out: &Path) -> Result<(Vec<Site>, Vec<Binary>)> {
    loop {
        ensure!(!deck.picked().is_empty(), "there is nothing to change");
        tree.write(deck.picked())?;
        match build::build(tree, &out.join("build"))? {
            Built::Done(binaries) => return Ok((deck.picked().to_vec(), binaries)),
            Built::Refused(ids) => {
                println!("{} mutants do not compile; others take their place", ids.len());
                deck.replace(&ids.into_iter().collect::<Vec<_>>());
            }
        }
    }
}

/// A verdict in a word.
fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Caught { .. } => "caught",
        Verdict::Survived { .. } => "SURVIVES",
        Verdict::NotReached => "NOT REACHED",
    }
}

fn say(start: Instant, what: &str) {
    println!("[{:>4} s] {what}", start.elapsed().as_secs());
}
