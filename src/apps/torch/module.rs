//! Lines of layers as PyTorch's modules, and the script that builds them and loads their weights.

use super::layers::{Layer, Sides};
use crate::kernels::{Func, Window};

/// The modules of a line of layers, as Python's text; and which of them holds the parameters of each layer. `of_pictures` says what the line
/// is given.
pub fn modules(layers: &[Layer], mut of_pictures: bool) -> (Vec<String>, Vec<usize>) {
    let (mut all, mut places) = (vec![], vec![]);
    for layer in layers {
        of_pictures = gives_pictures(layer).unwrap_or(of_pictures);
        let (before, module, behind) = texts(layer, of_pictures);
        all.extend(before);
        places.push(all.len());
        all.push(module);
        all.extend(behind);
    }
    (all, places)
}

/// Whether a layer gives pictures; nothing of one that gives what it is given.
fn gives_pictures(layer: &Layer) -> Option<bool> {
    match layer {
        Layer::Conv { .. } | Layer::Transposed { .. } | Layer::Unflatten(_) => Some(true),
        Layer::Linear { .. } | Layer::Flatten(_) => Some(false),
        Layer::Gated([value, _]) => value.iter().rev().find_map(gives_pictures),
        Layer::BatchNorm { .. } | Layer::GroupNorm { .. } | Layer::Residual(_) | Layer::Bend(_) => None,
    }
}

/// A layer's module, and what stands before and behind it where PyTorch needs more.
fn texts(layer: &Layer, of_pictures: bool) -> (Option<String>, String, Option<String>) {
    let alone = |text: String| (None, text, None);
    match layer {
        Layer::Linear { inputs, outputs, .. } => alone(format!("nn.Linear({inputs}, {outputs})")),
        Layer::Conv { window, outputs, .. } => {
            let [[top, bottom], [left, right]] = window.padding;
            let (pad, padding) = match top == bottom && left == right {
                true => (None, format!(", padding={}", pair([top, left]))),
                false => (Some(format!("nn.ZeroPad2d(({left}, {right}, {top}, {bottom}))")), String::new()),
            };
            let (channels, moves) = (window.channels, moves(window));
            (pad, format!("nn.Conv2d({channels}, {outputs}, {moves}{padding})"), None)
        }
        Layer::Transposed { window, inputs, .. } => transposed(window, *inputs),
        Layer::BatchNorm { channels, .. } => {
            alone(format!("nn.BatchNorm{}d({channels})", if of_pictures { 2 } else { 1 }))
        }
        Layer::GroupNorm { channels, groups, .. } => alone(format!("nn.GroupNorm({groups}, {channels})")),
        Layer::Residual(layers) => alone(format!("{RESIDUAL}({})", modules(layers, of_pictures).0.join(", "))),
        Layer::Gated(lines) => {
            let lines =
                lines.each_ref().map(|line| format!("nn.Sequential({})", modules(line, of_pictures).0.join(", ")));
            alone(format!("{GATED}({})", lines.join(", ")))
        }
        Layer::Bend(func) => alone(format!("nn.{}", bend(*func))),
        Layer::Flatten(_) => alone("nn.Flatten()".to_string()),
        Layer::Unflatten([h, w, c]) => alone(format!("nn.Unflatten(1, ({c}, {h}, {w}))")),
    }
}

/// A transposed convolution. PyTorch's cuts as much off either end, and lets the second be longer by less than a stride; where more is to be
/// cut off the second, that is done behind it.
fn transposed(window: &Window, inputs: usize) -> (Option<String>, String, Option<String>) {
    let seen = window.seen();
    let longer = |axis: usize, cut: usize| (window.image[axis] + cut) as isize - seen[axis] as isize;
    let moves = moves(window);
    let even = [0, 1].map(|axis| longer(axis, 2 * window.padding[axis][0]));
    let fits = |axis: usize| (0..window.stride[axis] as isize).contains(&even[axis]);
    let head = format!("nn.ConvTranspose2d({inputs}, {}, {moves}", window.channels);
    if fits(0) && fits(1) {
        let padding = pair([0, 1].map(|axis| window.padding[axis][0]));
        let more = if even == [0, 0] { String::new() } else { format!(", output_padding={}", pair(even)) };
        return (None, format!("{head}, padding={padding}{more})"), None);
    }
    let [[top, bottom], [left, right]] = window.padding;
    let unseen = [0, 1].map(|axis| longer(axis, window.padding[axis].iter().sum()));
    let more = if unseen == [0, 0] { String::new() } else { format!(", output_padding={}", pair(unseen)) };
    (None, format!("{head}{more})"), Some(format!("nn.ZeroPad2d((-{left}, -{right}, -{top}, -{bottom}))")))
}

/// How a kernel moves.
fn moves(window: &Window) -> String {
    let dilation =
        if window.dilation == [1, 1] { String::new() } else { format!(", dilation={}", pair(window.dilation)) };
    format!("{}, stride={}{dilation}", pair(window.kernel), pair(window.stride))
}

/// Two numbers, or one where they are equal.
fn pair<T: PartialEq + std::fmt::Display>([a, b]: [T; 2]) -> String {
    if a == b { a.to_string() } else { format!("({a}, {b})") }
}

fn bend(func: Func) -> &'static str {
    match func {
        Func::LeakyRelu => "LeakyReLU(0.01)",
        Func::Elu => "ELU()",
        Func::Silu => "SiLU()",
        Func::Gelu => "GELU()",
        Func::Tanh => "Tanh()",
        Func::Sigmoid => "Sigmoid()",
        Func::Softplus => "Softplus()",
        _ => "ReLU()",
    }
}

/// A network of the script.
pub struct Named {
    /// Its name: `encoder` or `decoder`.
    pub name: &'static str,
    /// Its modules.
    pub modules: Vec<String>,
    /// What it takes and gives, for people.
    pub about: String,
}

/// How every script begins.
pub const SCRIPT_BEGINS: &str = "\"\"\"Networks of a";

/// The class of residual blocks.
const RESIDUAL: &str = "Residual";
/// The class of layers with a gate.
const GATED: &str = "Gated";

/// Classes that PyTorch lacks, by their names.
const CLASSES: [(&str, &str); 2] = [
    (
        RESIDUAL,
        "class Residual(nn.Sequential):\n    def forward(self, x):\n        return x + super().forward(x)\n\n\n",
    ),
    (
        GATED,
        "class Gated(nn.Module):\n    def __init__(self, value, gate):\n        super().__init__()\n        self.value, self.gate = value, gate\n\n    \
         def forward(self, x):\n        return self.value(x) * self.gate(x)\n\n\n",
    ),
];

/// The names of the two lines of a layer with a gate.
pub const VALUE_AND_GATE: [&str; 2] = ["value", "gate"];

/// The script that builds networks and loads their weights from a file beside it.
pub fn script(model: &str, weights: &str, networks: &[Named], has_others: bool) -> String {
    let mut text =
        format!("{SCRIPT_BEGINS} {model} that elbo has trained, with their weights from a file beside this one.\n\n");
    networks.iter().for_each(|network| text += &format!("{}: {}\n", network.name, network.about));
    text += "\"\"\"\nimport pathlib\n\nfrom safetensors.torch import load_file\nfrom torch import nn\n\n";
    let uses = |class: &str| {
        networks.iter().flat_map(|network| &network.modules).any(|module| module.contains(&format!("{class}(")))
    };
    let classes: String = CLASSES.iter().filter(|(class, _)| uses(class)).map(|(_, text)| *text).collect();
    if !classes.is_empty() {
        text += &format!("\n{classes}");
    }
    text += "model = nn.ModuleDict({\n";
    for Named { name, modules, .. } in networks {
        text += &format!("    \"{name}\": nn.Sequential(\n");
        modules.iter().for_each(|module| text += &format!("        {module},\n"));
        text += "    ),\n";
    }
    text += "})\n";
    text += &format!("weights = load_file(pathlib.Path(__file__).with_name({}))\n", serde_json::Value::from(weights));
    if has_others {
        text += "# The file holds more of the model than these networks.\n";
        text += "weights = {name: tensor for name, tensor in weights.items() if name in model.state_dict()}\n";
    }
    text += "model.load_state_dict(weights)\nmodel.eval()\n";
    text
}

/// Pictures or rows as a network of PyTorch takes them.
pub fn spoken(sides: Option<Sides>, count: usize) -> String {
    match sides {
        Some([h, w, c]) => format!("pictures [N, {c}, {h}, {w}]"),
        None => format!("rows [N, {count}]"),
    }
}
