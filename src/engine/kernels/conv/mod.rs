//! Convolutions: what a kernel sees of a picture as the rows of a matrix, and the way back.

pub(super) mod buffers;
mod finish;
mod fold;
mod fold_product;
mod gpu;
mod panels;
mod passes;
mod patch_product;
mod patches;
mod pictures;
mod run;
mod tile;
mod window;

pub use fold::FoldPatches;
pub use fold_product::FoldProduct;
pub use patch_product::{PatchProduct, Side};
pub use patches::Patches;
pub use window::Window;

/// The constants of a window that shaders read: rows in `x`, columns in `y`.
fn geometry(window: &Window) -> String {
    pair("IMAGE", window.image)
        + &pair("KERNEL", window.kernel)
        + &pair("STRIDE", window.stride)
        + &pair("DILATION", window.dilation)
        + &pair("BEFORE", window.padding.map(|[before, _]| before))
        + &pair("PLACES", window.places())
        + &one("CHANNELS", window.channels)
}

/// The same with the sizes of a launch with a thread for each point.
fn constants(window: &Window, points: usize, workgroups: [u32; 3]) -> String {
    geometry(window) + &one("POINTS", points) + &one("LAUNCHED", 64 * workgroups[0] as usize)
}

fn pair(name: &str, [x, y]: [usize; 2]) -> String {
    format!("const {name} = vec2<u32>({x}u, {y}u);\n")
}

fn one(name: &str, value: usize) -> String {
    format!("const {name} = {value}u;\n")
}
