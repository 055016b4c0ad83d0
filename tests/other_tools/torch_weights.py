"""Weights for PyTorch: the script beside them builds networks that compute what the program does.

Prints the largest difference of each. A network of which one weight was changed must be told apart. Words behind choose cases by name.
"""
import json
import os
import pathlib
import runpy
import sys
import tempfile

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

from runs import NEAR, data, elbo, far, train

# Name, data, what is said to `elbo train`, and which networks there are.
CASES = [
    ("mlp", "grey", ["--latent", "3", "--hidden", "16,8"], {"encoder", "decoder"}),
    ("mlp-colour", "colour", ["--latent", "3", "--hidden", "16"], {"encoder", "decoder"}),
    ("gaussian", "grey", ["--latent", "3", "--hidden", "16", "--likelihood", "gaussian"], {"encoder", "decoder"}),
    ("mlp-batch", "grey", ["--latent", "3", "--encoder", "mlp:16,8,norm=batch"], {"encoder", "decoder"}),
    ("mlp-layer", "colour", ["--latent", "3", "--encoder", "mlp:16,8,norm=layer"], {"encoder", "decoder"}),
    ("ae", "grey", ["--model", "ae", "--latent", "3", "--hidden", "16"], {"encoder", "decoder"}),
    ("averages", "grey", ["--latent", "3", "--hidden", "16", "--average", "0.9"], {"encoder", "decoder"}),
    ("conv", "colour", ["--latent", "3", "--encoder", "conv:4,8,hidden=8"], {"encoder", "decoder"}),
    ("conv-none", "colour", ["--latent", "3", "--encoder", "conv:4,8,hidden=0"], {"encoder", "decoder"}),
    ("conv-batch", "colour", ["--latent", "3", "--encoder", "conv:4,8,hidden=8,norm=batch"], {"encoder", "decoder"}),
    ("conv-group", "colour", ["--latent", "3", "--encoder", "conv:4,8,hidden=8,norm=group,groups=2"], {"encoder", "decoder"}),
    ("conv-layer", "odd", ["--latent", "3", "--encoder", "conv:4,8,hidden=8,norm=layer"], {"encoder", "decoder"}),
    ("dcgan-group", "colour", ["--latent", "3", "--encoder", "dcgan:8,16,norm=group,groups=4"], {"encoder", "decoder"}),
    ("conv-each", "colour", ["--latent", "3", "--encoder", "conv:4,8,hidden=8,norm=instance"], {"encoder", "decoder"}),
    ("conv-odd", "odd", ["--latent", "3", "--encoder", "conv:4,8,hidden=8,kernel=3"], {"encoder", "decoder"}),
    ("dcgan", "colour", ["--latent", "3", "--encoder", "dcgan:8,16,norm=batch"], {"encoder", "decoder"}),
    ("burgess", "grey", ["--latent", "3", "--encoder", "burgess:4,4,hidden=8"], {"encoder", "decoder"}),
    ("keras-conv", "grey", ["--latent", "3", "--encoder", "keras-conv:4,8,hidden=8"], {"encoder", "decoder"}),
    ("resnet", "colour", ["--latent", "3", "--encoder", "resnet:8,inner=4,blocks=2,norm=group,groups=2"], {"encoder", "decoder"}),
    ("resnet-odd", "odd", ["--latent", "3", "--encoder", "resnet:8,inner=4,blocks=1,shrink=1,norm=batch"], {"encoder", "decoder"}),
    ("residual", "grey", ["--latent", "3", "--encoder", "residual:8,blocks=3,norm=batch"], {"encoder", "decoder"}),
    ("gated", "colour", ["--latent", "3", "--encoder", "mlp:16,8,activation=gated"], {"encoder", "decoder"}),
    ("gated-conv", "colour", ["--latent", "3", "--encoder", "conv:4,8,hidden=8,norm=group,groups=2,activation=gated"], {"encoder", "decoder"}),
    ("gated-residual", "grey", ["--latent", "3", "--encoder", "residual:8,blocks=2,activation=gated"], {"encoder", "decoder"}),
    ("resnet-spatial", "colour", ["--latent", "36", "--encoder", "resnet:8,inner=4,blocks=1,code=spatial"], set()),
    ("cvae", "labelled", ["--model", "cvae", "--latent", "3", "--hidden", "16"], set()),
]
CASES += [(f"act-{name}", "grey", ["--latent", "3", "--hidden", "16", "--activation", name], {"encoder", "decoder"})
          for name in ("relu", "leaky-relu", "elu", "silu", "gelu", "tanh", "sigmoid", "softplus")]


def pictures(source):
    """Rows as PyTorch has pictures: channel by channel."""
    x = np.load(source + ".npy")
    x = (x / 255 if x.dtype == np.uint8 else x).astype("f4")
    x = x[..., None] if x.ndim == 3 else x
    return torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))


@torch.no_grad()
def check(folder, name, source, words, expected):
    train(folder, name, source + ".npy", *words)
    elbo(folder, "export", name, "--device", "cpu", "--to", f"{name}.safetensors")
    if not expected:
        assert not os.path.exists(f"{name}.py")
        assert load_file(f"{name}.safetensors")
        print(f"{name:16} weights alone")
        return 0
    model = runpy.run_path(f"{name}.py")["model"]
    assert set(model.keys()) == expected, model.keys()
    elbo(folder, "encode", name, "--device", "cpu", "--data", source + ".npy", "--out", "codes.npz")
    codes = np.load("codes.npz")["mean"].astype("f4")
    np.save("z.npy", codes)
    elbo(folder, "decode", name, "--device", "cpu", "--codes", "z.npy", "--out", "rows.npy")
    rows = np.load("rows.npy")
    rows = rows[..., None] if rows.ndim == 3 else rows

    def both():
        mean = model["encoder"](pictures(source))[:, :codes.shape[1]].numpy()
        made = model["decoder"](torch.from_numpy(codes)).numpy()
        return [far(mean, codes), far(made.transpose(0, 2, 3, 1), rows)]

    found = both()
    for network in model.values():
        [*(p for p in network.parameters() if p.ndim > 1)][-1].add_(0.1)
    lost = min(both())
    print(f"{name:16} encoder {found[0]:.1e}, decoder {found[1]:.1e}; a changed weight {lost:.1e}", flush=True)
    assert lost > 10 * NEAR, f"{name}: a changed weight is not seen"
    return max(found)


class Mlp(nn.Module):
    """The VAE of PyTorch's examples, in small."""

    def __init__(self):
        super().__init__()
        self.fc1, self.fc21, self.fc22 = nn.Linear(144, 20), nn.Linear(20, 3), nn.Linear(20, 3)
        self.fc3, self.fc4 = nn.Linear(3, 20), nn.Linear(20, 144)

    def encode(self, x):
        h = torch.relu(self.fc1(x.flatten(1)))
        return self.fc21(h), self.fc22(h)

    def decode(self, z):
        return torch.sigmoid(self.fc4(torch.relu(self.fc3(z)))).view(-1, 1, 12, 12)


class Conv(nn.Module):
    """The convolutional VAE of `torch_conv.py`, in small: colour pictures, one linear layer each way."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(3, 4, 4, 2, 1), nn.ReLU(), nn.Conv2d(4, 6, 4, 2, 1), nn.ReLU(), nn.Flatten(),
                                     nn.Linear(54, 16), nn.ReLU(), nn.Linear(16, 6))
        self.decoder = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 54), nn.ReLU(), nn.Unflatten(1, (6, 3, 3)),
                                     nn.ConvTranspose2d(6, 4, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(4, 3, 4, 2, 1))

    def encode(self, x):
        return self.encoder(x).chunk(2, 1)

    def decode(self, z):
        return torch.sigmoid(self.decoder(z))


def learn(model, x):
    """A few steps, so that no weight is what it began as."""
    adam = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(10):
        mean, log_var = model.encode(x)
        again = model.decode(mean + torch.randn_like(mean) * torch.exp(0.5 * log_var))
        kl = 0.5 * (mean ** 2 + log_var.exp() - 1 - log_var).sum()
        adam.zero_grad()
        (F.binary_cross_entropy(again, x, reduction="sum") + kl).backward()
        adam.step()


def imported(folder, name, model, source, words):
    """Weights of PyTorch as a run, by the map that is suggested."""
    torch.manual_seed(1)
    x = pictures(source)
    learn(model, x)
    save_file(model.state_dict(), f"{name}-in.safetensors")
    line = ["import", f"{name}-in.safetensors", "--data", source + ".npy", "--latent", "3", "--likelihood", "bernoulli", *words]
    pathlib.Path(f"{name}.toml").write_text(json.loads(elbo(folder, *line, "--json"))["map"])
    elbo(folder, *line, "--device", "cpu", "--map", f"{name}.toml", "--out", name)
    elbo(folder, "encode", name, "--device", "cpu", "--data", source + ".npy", "--out", "codes.npz")
    codes = np.load("codes.npz")
    np.save("z.npy", codes["mean"].astype("f4"))
    elbo(folder, "decode", name, "--device", "cpu", "--codes", "z.npy", "--out", "rows.npy")
    rows = np.load("rows.npy")
    rows = rows[..., None] if rows.ndim == 3 else rows

    def both():
        with torch.no_grad():
            mean, log_var = model.encode(x)
            made = model.decode(mean).numpy().transpose(0, 2, 3, 1)
        return [far(codes["mean"], mean), far(codes["sd"], torch.exp(0.5 * log_var)), far(rows, made)]

    found = both()
    with torch.no_grad():
        next(model.parameters()).add_(0.1)
    print(f"{name:16} imported: mean {found[0]:.1e}, sd {found[1]:.1e}, rows {found[2]:.1e}; a changed weight {min(both()):.1e}")
    assert min(both()) > 10 * NEAR
    return max(found)


def main():
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        data(folder)
        chosen = sys.argv[1:]
        worst = max(check(folder, *case) for case in CASES if not chosen or case[0] in chosen)
        worst = max(worst, imported(folder, "import-mlp", Mlp(), "grey", ["--hidden", "20", "--activation", "relu"]))
        words = ["--encoder", "conv:4,6,hidden=16,activation=relu"]
        worst = max(worst, imported(folder, "import-conv", Conv(), "colour", words))
        os.chdir("/")
    print(f"PyTorch: {len(CASES) + 2} runs, the largest difference is {worst:.1e}")
    assert worst <= NEAR, f"more than {NEAR}"


main()
