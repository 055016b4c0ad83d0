//! Bits that were computed elsewhere: a hash of all, and a few of the numbers, so that a difference can be looked at.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Mutex;

/// Numbers that are written out of each list.
const SHOWN: usize = 6;

static FILE: Mutex<()> = Mutex::new(());

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/exact/recorded.txt")
}

/// FNV-1a (Fowler, Noll and Vo) over the words, lowest byte first.
fn hash(words: &[u32]) -> u64 {
    let bytes = words.iter().flat_map(|word| word.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// The line of a list: its name, its hash, and numbers from all over it, as bits and as what they are.
fn line(name: &str, words: &[u32]) -> String {
    let mut line = format!("{name} {:016x} of {}:", hash(words), words.len());
    for i in 0..SHOWN.min(words.len()) {
        let word = words[(2 * i + 1) * words.len() / (2 * SHOWN.min(words.len()))];
        write!(line, " {word:08x} ({:e})", f32::from_bits(word)).expect("strings grow");
    }
    line
}

/// Wants the bits that are recorded under a name.
pub fn check(name: &str, words: &[u32]) {
    let _one = FILE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let text = std::fs::read_to_string(path()).unwrap_or_default();
    let (found, start) = (line(name, words), format!("{name} "));
    let recorded = text.lines().find(|line| line.starts_with(&start));
    if std::env::var_os("ELBO_WRITE_EXACT").is_some_and(|value| value == "1") {
        let others = text.lines().filter(|line| !line.starts_with(&start));
        let mut lines: Vec<&str> = others.chain([found.as_str()]).collect();
        lines.sort_unstable();
        std::fs::write(path(), lines.join("\n") + "\n").expect("the file can be written");
        return;
    }
    assert_eq!(
        Some(found.as_str()),
        recorded,
        "{name}: other bits than recorded. If the formula was changed on purpose, ELBO_WRITE_EXACT=1 records the new ones"
    );
}

#[test]
fn one_bit_makes_another_hash() {
    // From the authors' list of test vectors: the bytes of "foobar", and two more.
    assert_eq!(hash(&[u32::from_le_bytes(*b"foob")]), 0xdd12_0e79_0c25_12af);
    assert_ne!(hash(&[1, 2, 3]), hash(&[1, 2, 2]));
    assert_ne!(hash(&[1, 2]), hash(&[2, 1]));
    assert_eq!(
        line("two", &[0x3f80_0000, 0]),
        format!("two {:016x} of 2: 3f800000 (1e0) 00000000 (0e0)", hash(&[0x3f80_0000, 0]))
    );
}
