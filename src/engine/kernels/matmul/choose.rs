//! Which matmul kernel for which product: configurations, the rule for a first run, and the candidates of an autotune.
//!
//! Every configuration computes the same C = A B. Those for software adapters add up each result in the order of k, so they
//! agree bit for bit with one another; the tiled ones do too, except where slices share a sum.

use std::fmt;

use super::operand::Operand;
use crate::kernels::Traits;

/// How the operands lie in memory: the part of a product that is settled when its text is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Layout {
    /// A is stored `[k, m]`.
    pub transpose_a: bool,
    /// B is stored `[n, k]`.
    pub transpose_b: bool,
    /// A is read four elements at a time: its base, its row pitch and the length of its rows are multiples of four.
    pub wide_a: bool,
    /// The same of B.
    pub wide_b: bool,
}

impl Layout {
    /// The layout of an m x n product over k terms, with wide reads wherever they are safe. A buffer that is read wide must be
    /// a multiple of 16 bytes long, and so must be the offset at which it is bound.
    pub fn of(m: usize, n: usize, k: usize, a: &Operand, b: &Operand) -> Layout {
        let wide = |x: &Operand, row: usize| [x.offset, x.stride, row].iter().all(|words| words % 4 == 0);
        Layout {
            transpose_a: a.transposed,
            transpose_b: b.transposed,
            wide_a: wide(a, if a.transposed { m } else { k }),
            wide_b: wide(b, if b.transposed { k } else { n }),
        }
    }
}

/// One way to compute a product. Part of a pipeline's identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Config {
    /// Software adapters with subgroups: tiles of `rows` x 4 `subgroup`, shared by broadcasts.
    Broadcast {
        /// The adapter's subgroup size: 4, 8, 16, 32.
        subgroup: u32,
        /// Rows of a tile: a multiple of four, at most 4 `subgroup`.
        rows: u32,
        /// The tile lies across: `rows` counts columns of C.
        swapped: bool,
    },
    /// Software adapters without subgroups: `micro` x `micro` results a lane.
    Registers {
        /// 4 or 8.
        micro: u32,
    },
    /// GPUs: tiles in workgroup memory, micro-tiles in registers.
    Tiled {
        /// Rows of a workgroup's tile.
        tile_m: u32,
        /// Columns of a workgroup's tile.
        tile_n: u32,
        /// Terms of the sum taken at a time.
        tile_k: u32,
        /// Rows of a thread's micro-tile, a multiple of four.
        micro_m: u32,
        /// Columns of a thread's micro-tile, a multiple of four.
        micro_n: u32,
        /// Threads that share each micro-tile's sum.
        slices: u32,
    },
}

impl fmt::Display for Layout {
    /// `NT`: A as it is used, B transposed; small letters where reads are narrow.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (transposed, wide) in [(self.transpose_a, self.wide_a), (self.transpose_b, self.wide_b)] {
            f.write_str(match (transposed, wide) {
                (false, true) => "N",
                (false, false) => "n",
                (true, true) => "T",
                (true, false) => "t",
            })?;
        }
        Ok(())
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match *self {
            Config::Broadcast { subgroup, rows, swapped } => {
                write!(f, "broadcast {rows} by {}{}", 4 * subgroup, if swapped { ", swapped" } else { "" })
            }
            Config::Registers { micro } => write!(f, "registers {micro} by {micro}"),
            Config::Tiled { tile_m, tile_n, tile_k, micro_m, micro_n, slices } => {
                write!(f, "tiled {tile_m} by {tile_n}, {tile_k} deep, {micro_m} by {micro_n} a thread, {slices} slices")
            }
        }
    }
}

impl Config {
    /// Rows and columns of C that one workgroup covers.
    fn tile(self) -> [usize; 2] {
        let [down, across] = match self {
            Config::Broadcast { subgroup, rows, swapped: false } => [rows, 4 * subgroup],
            Config::Broadcast { subgroup, rows, swapped: true } => [4 * subgroup, rows],
            Config::Registers { micro } => [2 * micro, 4 * micro],
            Config::Tiled { tile_m, tile_n, .. } => [tile_m, tile_n],
        };
        [down as usize, across as usize]
    }

    pub fn tiles(self, m: usize, n: usize) -> usize {
        let [down, across] = self.tile();
        m.div_ceil(down) * n.div_ceil(across)
    }

    /// Turns of the loop over a sum of k terms, a block of it a turn.
    pub fn turns(self, k: usize) -> usize {
        let block = match self {
            Config::Broadcast { subgroup, rows, .. } => 4 * (subgroup / (rows / 4)),
            Config::Registers { .. } => 4,
            Config::Tiled { tile_k, .. } => tile_k,
        };
        k.div_ceil(block as usize)
    }

    /// Invocations of a workgroup.
    pub fn threads(self) -> u32 {
        match self {
            Config::Broadcast { subgroup, .. } => subgroup,
            Config::Registers { .. } => 8,
            Config::Tiled { tile_m, tile_n, micro_m, micro_n, slices, .. } => {
                tile_m / micro_m * (tile_n / micro_n) * slices
            }
        }
    }
}

const fn tiled(tile_m: u32, tile_n: u32, tile_k: u32, micro_m: u32, micro_n: u32, slices: u32) -> Config {
    Config::Tiled { tile_m, tile_n, tile_k, micro_m, micro_n, slices }
}

/// The tiled configurations, from the smallest tile to the largest; at most 256 threads and 16 KiB of workgroup memory.
const TILED: [Config; 7] = [
    tiled(16, 16, 32, 4, 4, 4),
    tiled(16, 16, 64, 4, 4, 8),
    tiled(32, 32, 16, 4, 4, 1),
    tiled(32, 32, 32, 4, 4, 2),
    tiled(64, 64, 16, 8, 4, 1),
    tiled(128, 64, 16, 8, 8, 1),
    tiled(128, 128, 8, 8, 8, 1),
];

/// Threads that a GPU wants in flight before a larger tile is worth more than another workgroup.
const THREADS_TO_FILL: usize = 16_384;

/// The rule for a first run.
pub fn choose(m: usize, n: usize, k: usize, layout: Layout, traits: &Traits) -> Config {
    if traits.software {
        return software(m, n, k, layout, traits)[0];
    }
    // The largest tile that still fills the device and does not hang over C by much; small tiles otherwise.
    let fits = |config: &Config| {
        let [down, across] = config.tile();
        let covered = m.next_multiple_of(down) * n.next_multiple_of(across);
        config.tiles(m, n) * config.threads() as usize >= THREADS_TO_FILL && 3 * covered <= 4 * m * n
    };
    let small = if k >= 256 { TILED[1] } else { TILED[0] };
    TILED[2..].iter().rev().find(|config| fits(config)).copied().unwrap_or(small)
}

/// What an autotune should time: at most eight, the first run's choice first.
pub fn candidates(m: usize, n: usize, k: usize, layout: Layout, traits: &Traits) -> Vec<Config> {
    if traits.software {
        let mut found = software(m, n, k, layout, traits);
        found.truncate(8);
        return found;
    }
    let first = choose(m, n, k, layout, traits);
    std::iter::once(first).chain(TILED.into_iter().filter(|&config| config != first)).collect()
}

/// The launch that covers an m x n result: one workgroup a tile, in lines of at most 65,535.
pub fn workgroups(config: Config, m: usize, n: usize) -> [u32; 3] {
    let tiles = config.tiles(m, n);
    let lines = tiles.div_ceil(65_535);
    [tiles.div_ceil(lines) as u32, lines as u32, 1]
}

/// The configurations for a software adapter, the cheapest first.
fn software(m: usize, n: usize, k: usize, layout: Layout, traits: &Traits) -> Vec<Config> {
    let mut found = match traits.subgroup_size {
        Some(subgroup) if [4, 8, 16].contains(&subgroup) => {
            let rows = (1..=subgroup).map(|groups| 4 * groups);
            let both = |rows| [false, true].map(|swapped| Config::Broadcast { subgroup, rows, swapped });
            rows.flat_map(both).collect()
        }
        _ => vec![Config::Registers { micro: 8 }, Config::Registers { micro: 4 }],
    };
    found.sort_by_key(|&config| software_cost(config, m, n, k, layout));
    found
}

/// Tenths of a nanosecond of one core, roughly, as measured on lavapipe with eight lanes: 36 for a row's products with a 4x4
/// block, 740 for a block's loads (1,250 where they are narrow), 3,000 for a tile's start. Two cores want an even number of
/// tiles.
fn software_cost(config: Config, m: usize, n: usize, k: usize, layout: Layout) -> usize {
    let load = |wide: bool| if wide { 740 } else { 1250 };
    let (a, b) = (load(layout.wide_a), load(layout.wide_b));
    let (terms, step) = match config {
        Config::Broadcast { subgroup, rows, swapped } => {
            let quads = 4 * subgroup as usize / rows as usize;
            let (x, y) = if swapped { (b, a) } else { (a, b) };
            (4 * quads, 36 * quads * rows as usize + (x + quads * y) * subgroup as usize / 8)
        }
        Config::Registers { micro } => (4, 9 * (micro * micro) as usize + micro as usize / 4 * (a + b)),
        Config::Tiled { .. } => (1, 0),
    };
    config.tiles(m, n).next_multiple_of(2) * (k.div_ceil(terms) * step + 3000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPES: [[usize; 3]; 6] =
        [[1, 1, 1], [128, 400, 784], [400, 20, 128], [10, 1200, 1000], [4096, 4096, 4096], [3_000_000, 17, 9]];

    fn adapters() -> impl Iterator<Item = Traits> {
        let software = [None, Some(4), Some(8), Some(16), Some(7)];
        let software = software.map(|subgroup_size| Traits { software: true, subgroup_size });
        software.into_iter().chain([Traits { software: false, subgroup_size: Some(32) }])
    }

    #[test]
    fn launches_cover_the_result_within_the_limits() {
        let layout = Layout { transpose_a: false, transpose_b: true, wide_a: true, wide_b: false };
        for ([m, n, k], traits) in SHAPES.into_iter().flat_map(|shape| adapters().map(move |traits| (shape, traits))) {
            let found = candidates(m, n, k, layout, &traits);
            assert!((1..=8).contains(&found.len()));
            assert_eq!(found[0], choose(m, n, k, layout, &traits));
            let launch = workgroups(found[0], m, n);
            assert!(launch.iter().all(|&groups| (1..=65_535).contains(&groups)), "{m}x{n}x{k}: {launch:?}");
            let launched: usize = launch.iter().map(|&groups| groups as usize).product();
            assert!(launched >= found[0].tiles(m, n), "{m}x{n}x{k}: {launch:?}");
        }
    }

    #[test]
    fn tiles_keep_to_the_default_limits() {
        for config in TILED {
            let Config::Tiled { tile_m, tile_n, tile_k, slices, .. } = config else { unreachable!() };
            let padded = 16 * tile_k * (tile_m / 4 + tile_n / 4 + 2);
            let partial = if slices > 1 { 16 * config.threads() } else { 0 };
            assert!(config.threads() <= 256 && padded + partial <= 16_384, "{config:?}");
            assert_eq!(tile_k % (4 * slices).min(tile_k), 0, "{config:?}");
        }
    }

    #[test]
    fn reads_are_wide_only_where_every_row_starts_and_ends_on_a_vec4() {
        let dense = |stride, transposed| Operand { offset: 0, stride, transposed };
        let layout = Layout::of(128, 10, 400, &dense(400, false), &dense(10, false));
        assert!(layout.wide_a && !layout.wide_b);
        let shifted = Operand { offset: 2, ..dense(400, false) };
        assert!(!Layout::of(128, 10, 400, &shifted, &dense(10, false)).wide_a);
    }

    #[test]
    fn the_rule_for_gpus() {
        let layout = Layout { transpose_a: false, transpose_b: false, wide_a: true, wide_b: true };
        let gpu = Traits { software: false, subgroup_size: Some(32) };
        let rule = |m, n, k| choose(m, n, k, layout, &gpu);
        // 1,024 tiles of 256 threads.
        assert_eq!(rule(4096, 4096, 4096), TILED[6]);
        // 64 tiles of 64 by 64 would be 8,192 threads; 256 of 32 by 32 with two slices are 32,768.
        assert_eq!(rule(512, 512, 100), TILED[3]);
        // Exactly 16,384 threads are enough: 128 tiles of 128.
        assert_eq!([rule(512, 1024, 100), rule(512, 1023, 100), rule(448, 1024, 100)], [TILED[4], TILED[4], TILED[3]]);
        // 33 rows in tiles of 32 would be half nothing; a third more than C is still taken.
        assert_eq!([rule(33, 16_384, 100), rule(48, 16_384, 100)], [TILED[0], TILED[4]]);
        // Long sums are sliced finer.
        assert_eq!([rule(16, 16, 255), rule(16, 16, 256)], [TILED[0], TILED[1]]);
    }

    #[test]
    fn the_cost_on_a_software_adapter() {
        let layout = Layout { transpose_a: false, transpose_b: false, wide_a: true, wide_b: false };
        let cost = |config| software_cost(config, 16, 64, 40, layout);
        let broadcast = |swapped| Config::Broadcast { subgroup: 8, rows: 8, swapped };
        // 4 tiles, 3 steps of four quads: 36·4·8 for products, 740 + 4·1,250 for loads.
        assert_eq!(cost(broadcast(false)), 4 * (3 * (1152 + 5740) + 3000));
        // 8 tiles, and the loads the other way round: 1,250 + 4·740.
        assert_eq!(cost(broadcast(true)), 8 * (3 * (1152 + 4210) + 3000));
        // 2 tiles of 16 by 32, 10 steps: 36 for each of 8·2 rows of products, 2·(740 + 1,250) for loads.
        assert_eq!(cost(Config::Registers { micro: 8 }), 2 * (10 * (576 + 3980) + 3000));
        // One tile costs as much as two: each core takes one.
        assert_eq!(software_cost(Config::Registers { micro: 8 }, 16, 32, 4, layout), 2 * (4556 + 3000));
    }
}
