//! The stacks of convolutions that have names.

use std::sync::Arc;

use strum::VariantNames;

use super::{Conv, Norm, Stack, Start};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Settings, Usual};
use crate::nn::activation::Activation;
use crate::nn::dropout::DROPOUT;
use crate::nn::network::Network;
use crate::nn::{MAX_LAYERS, MAX_UNITS, UNITS};

/// The most layers that shrink a picture: 2¹⁶ pixels are one after them.
const MAX_SHRINKING: usize = 16;

/// Units of linear layers, where there may be none.
const UNITS_OR_NONE: Bounds = Bounds::Whole(0, MAX_UNITS);

const fn channels(default: &'static [f64]) -> Setting {
    Setting {
        name: "channels",
        default: Usual::Numbers(default),
        bounds: Bounds::UpTo(MAX_SHRINKING, &UNITS),
        meaning: "channels of each picture between layers, from what is given onwards",
    }
}

const fn hidden(default: &'static [f64]) -> Setting {
    Setting {
        name: "hidden",
        default: Usual::Numbers(default),
        bounds: Bounds::UpTo(MAX_LAYERS, &UNITS_OR_NONE),
        meaning: "units of linear layers between pictures and code; 0 for none",
    }
}

pub(super) const fn norm(default: &'static str) -> Setting {
    Setting {
        name: "norm",
        default: Usual::Word(default),
        bounds: Bounds::OneOf(Norm::VARIANTS),
        meaning: "n, normalisation in front of each nonlinearity between convolutions; batch keeps running statistics",
    }
}

pub(super) const GROUPS: Setting = Setting {
    name: "groups",
    default: Usual::Number(8.0),
    bounds: UNITS,
    meaning: "groups of channels, where norm=group",
};

pub(super) const fn activation(default: &'static str) -> Setting {
    Setting {
        name: "activation",
        default: Usual::Word(default),
        bounds: Bounds::OneOf(Activation::VARIANTS),
        meaning: "f, the nonlinearity",
    }
}

const KERNEL: Setting = Setting {
    name: "kernel",
    default: Usual::Number(4.0),
    bounds: Bounds::Whole(1, 31),
    meaning: "pixels that a kernel sees along each axis",
};

const STRIDE: Setting = Setting {
    name: "stride",
    default: Usual::Number(2.0),
    bounds: Bounds::Whole(1, 8),
    meaning: "by how much each layer shrinks pictures along each axis",
};

/// Those settings that all of them have.
fn stack(name: &'static str, settings: &Settings, start: Start) -> Stack {
    Stack {
        name,
        channels: settings.wholes("channels"),
        kernel: 4,
        stride: 2,
        hidden: settings.wholes("hidden").into_iter().filter(|&units| units > 0).collect(),
        how: Conv { norm: Norm::None, groups: 1, activation: settings.word("activation"), dropout: 0.0, start },
        keras: false,
    }
}

/// What stands between layers, where normalisation can be chosen.
pub(super) fn how(settings: &Settings, start: Start) -> Conv {
    Conv {
        norm: settings.word("norm"),
        groups: settings.whole("groups"),
        activation: settings.word("activation"),
        dropout: settings.get(DROPOUT.name) as f32,
        start,
    }
}

/// The network `conv`.
pub(in crate::engine::nn) static CONV: Piece<dyn Network> = Piece {
    about: About {
        kind: Kind::Network,
        id: "conv",
        aliases: &["cnn", "convolutional"],
        name: "convolutional network for pictures: each layer shrinks them, or lets them grow on the way back",
        formula: "y = f(n(w * x + b)), layer by layer, then y = f(Wx + b)",
        source: "LeCun et al. 1989; transposed: Dumoulin & Visin 2016, section 4",
        settings: &[
            channels(&[32.0, 64.0, 128.0]),
            KERNEL,
            STRIDE,
            hidden(&[256.0]),
            norm("none"),
            GROUPS,
            activation("silu"),
            DROPOUT,
        ],
        example: "elbo train --encoder conv:32,64,128,norm=group",
    },
    build: |settings| {
        let (kernel, stride) = (settings.whole("kernel"), settings.whole("stride"));
        let stack = stack("conv", settings, Start::Kaiming);
        Arc::new(Stack { kernel, stride, how: how(settings, Start::Kaiming), ..stack })
    },
};

/// The network `burgess`.
pub(in crate::engine::nn) static BURGESS: Piece<dyn Network> = Piece {
    about: About {
        kind: Kind::Network,
        id: "burgess",
        aliases: &[],
        name: "the convolutional network of the disentanglement papers: four layers of 32 channels, two of 256 units",
        formula: "y = f(w * x + b) four times, then y = f(Wx + b) twice",
        source: "Burgess et al. 2018, appendix A.1",
        settings: &[channels(&[32.0, 32.0, 32.0, 32.0]), hidden(&[256.0, 256.0]), activation("relu")],
        example: "elbo train --resolution 64 --encoder burgess",
    },
    build: |settings| Arc::new(stack("burgess", settings, Start::Kaiming)),
};

/// The network `keras-conv`.
pub(in crate::engine::nn) static KERAS: Piece<dyn Network> = Piece {
    about: About {
        kind: Kind::Network,
        id: "keras-conv",
        aliases: &["keras"],
        name: "the convolutional network of Keras' example: two layers of kernels of 3×3, one of 16 units",
        formula: "y = f(w * x + b) twice, then y = f(Wx + b); back: y = f(Wx + b), then twice and once more with stride 1",
        source: "Chollet 2020, keras.io/examples/generative/vae",
        settings: &[channels(&[32.0, 64.0]), hidden(&[16.0]), activation("relu")],
        example: "elbo train --preset keras-conv --data mnist",
    },
    build: |settings| Arc::new(Stack { kernel: 3, keras: true, ..stack("keras-conv", settings, Start::Glorot) }),
};

/// The network `dcgan`.
pub(in crate::engine::nn) static DCGAN: Piece<dyn Network> = Piece {
    about: About {
        kind: Kind::Network,
        id: "dcgan",
        aliases: &[],
        name: "convolutional network in the manner of DCGAN: convolutions alone, each with twice the channels",
        formula: "y = f(n(w * x + b)), layer by layer",
        source: "Radford, Metz & Chintala 2016, section 3; with norm=batch as there, and by default with group normalisation",
        settings: &[
            channels(&[32.0, 64.0, 128.0, 256.0]),
            hidden(&[0.0]),
            norm("group"),
            GROUPS,
            activation("relu"),
            DROPOUT,
        ],
        example: "elbo train --preset dcgan --data cifar",
    },
    build: |settings| {
        let stack = stack("dcgan", settings, Start::Kaiming);
        Arc::new(Stack { how: how(settings, Start::Kaiming), ..stack })
    },
};
