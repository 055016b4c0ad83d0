//! The switch of the mutants: written into a copy of elbo by `tests/mutants`, never part of elbo itself.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};

/// No mutant: the sites are numbered from 1.
const NONE: u32 = 0;
const TRACED: u32 = u32::MAX - 1;
const UNKNOWN: u32 = u32::MAX;

static ACTIVE: AtomicU32 = AtomicU32::new(UNKNOWN);
static SEEN: [AtomicBool; COUNT] = [const { AtomicBool::new(false) }; COUNT];

/// Whether this mutant is the one of this process.
#[inline(always)]
pub fn on(id: u32) -> bool {
    let active = ACTIVE.load(Relaxed);
    if active < TRACED { active == id } else { slow(id) }
}

#[cold]
#[inline(never)]
fn slow(id: u32) -> bool {
    if ACTIVE.load(Relaxed) == UNKNOWN {
        let asked = std::env::var("ELBO_MUTANT").ok().and_then(|id| id.parse().ok());
        let traced = if trace().is_some() { TRACED } else { NONE };
        ACTIVE.store(asked.unwrap_or(traced), Relaxed);
        return on(id);
    }
    if !SEEN[id as usize].swap(true, Relaxed) {
        record(&id.to_string());
    }
    false
}

fn trace() -> Option<&'static Mutex<std::fs::File>> {
    static FILE: OnceLock<Option<Mutex<std::fs::File>>> = OnceLock::new();
    FILE.get_or_init(|| {
        let path = std::env::var_os("ELBO_MUTANT_TRACE")?;
        std::fs::OpenOptions::new().create(true).append(true).open(path).ok().map(Mutex::new)
    })
    .as_ref()
}

fn record(line: &str) {
    if let Some(Ok(mut file)) = trace().map(Mutex::lock) {
        let _ = file.write_all(format!("{line}\n").as_bytes());
    }
}

const MARK: &str = "/*mutant ";

/// Shader text without markers, with this process's mutant in it.
pub fn wgsl(text: &str) -> String {
    on(NONE);
    let active = ACTIVE.load(Relaxed);
    let (plain, found) = strip(text, active);
    if active == TRACED {
        let live = live(&plain);
        for (id, at) in found {
            let seen = &SEEN[id as usize];
            if live.iter().any(|range| range.contains(&at)) && !seen.swap(true, Relaxed) {
                let valid = is_valid(&strip(text, id).0);
                record(&if valid { id.to_string() } else { format!("{id} invalid") });
            }
        }
    }
    plain
}

/// Takes the markers out and changes the token behind those of one mutant; says where which marker stood.
fn strip(text: &str, active: u32) -> (String, Vec<(u32, usize)>) {
    let (mut out, mut found, mut rest) = (String::with_capacity(text.len()), Vec::new(), text);
    while let Some(at) = rest.find(MARK) {
        out += &rest[..at];
        let (id, after) = rest[at + MARK.len()..].split_once("*/").expect("a marker ends");
        let id: u32 = id.parse().expect("a marker holds a number");
        found.push((id, out.len()));
        rest = after;
        if id == active {
            let (_, original, mutated) = WGSL.iter().find(|(known, ..)| *known == id).expect("the marker is known");
            // A template may have filled in something else: the second of two products has fields of its own.
            if let Some(after) = rest.strip_prefix(original) {
                rest = after;
                out += mutated;
            }
        }
    }
    (out + rest, found)
}

/// The bytes of a text that matter: what is outside functions, and functions that `main` calls, directly or not.
fn live(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut functions = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find("fn ").map(|n| at + n) {
        let name_end = text[start..].find('(').map_or(text.len(), |n| start + n);
        let (mut depth, mut end) = (0, text.len());
        for (i, c) in text[name_end..].char_indices() {
            depth += (c == '{') as i32 - (c == '}') as i32;
            if c == '}' && depth == 0 {
                end = name_end + i + 1;
                break;
            }
        }
        functions.push((&text[start + 3..name_end], start..end));
        at = end;
    }
    let mut live: Vec<usize> = functions.iter().position(|(name, _)| *name == "main").into_iter().collect();
    let mut next = 0;
    while let Some(&caller) = live.get(next) {
        next += 1;
        let body = &text[functions[caller].1.clone()];
        for (i, (name, _)) in functions.iter().enumerate() {
            if !live.contains(&i) && calls(body, name) {
                live.push(i);
            }
        }
    }
    let mut ranges: Vec<_> = live.iter().map(|&i| functions[i].1.clone()).collect();
    let mut outside = 0;
    for (_, range) in &functions {
        ranges.push(outside..range.start);
        outside = range.end;
    }
    ranges.push(outside..text.len());
    ranges
}

fn calls(body: &str, name: &str) -> bool {
    body.match_indices(name).any(|(i, _)| {
        let before = body[..i].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
        !before && body[i + name.len()..].starts_with('(')
    })
}

fn is_valid(text: &str) -> bool {
    use naga::valid::{Capabilities, ShaderStages, SubgroupOperationSet, ValidationFlags, Validator};
    let Ok(module) = naga::front::wgsl::parse_str(text) else { return false };
    Validator::new(ValidationFlags::all(), Capabilities::all())
        .subgroup_stages(ShaderStages::COMPUTE)
        .subgroup_operations(SubgroupOperationSet::all())
        .validate(&module)
        .is_ok()
}
