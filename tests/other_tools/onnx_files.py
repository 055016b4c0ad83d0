"""Every model and network as ONNX: checked by onnx, and run by onnxruntime against what the program makes of the same rows.

Prints the largest difference of each. A file of which one weight was changed must be told apart. Words behind choose cases by name.
"""
import json
import os
import pathlib
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

from runs import NEAR, data, elbo, far, train

VAE = ["--latent", "3", "--hidden", "16,8"]
# Name, data, and what is said to `elbo train`.
CASES = [
    ("vae", "grey", VAE),
    ("ae", "grey", ["--model", "ae", *VAE]),
    ("rae", "grey", ["--model", "rae", *VAE]),
    ("hamiltonian", "grey", ["--model", "hamiltonian", *VAE]),
    ("cvae", "labelled", ["--model", "cvae", *VAE]),
    ("cvae-numbers", "told", ["--model", "cvae", "--condition", "vectors", *VAE]),
    ("gan", "grey", ["--model", "gan", *VAE]),
    ("aae", "grey", ["--model", "aae", *VAE]),
    ("ali", "grey", ["--model", "ali", *VAE]),
    ("avb", "grey", ["--model", "avb", *VAE]),
    ("factor-vae", "grey", ["--model", "factor-vae", *VAE]),
    ("vae-gan", "grey", ["--model", "vae-gan", *VAE]),
    ("m2", "labelled", ["--model", "m2", *VAE]),
    ("m1+m2", "labelled", ["--model", "m1+m2", *VAE]),
    ("classifier", "labelled", ["--model", "classifier", "--hidden", "16,8"]),
    ("hierarchical", "grey", ["--model", "hierarchical", *VAE, "--upper", "2"]),
    ("ladder", "grey", ["--model", "ladder", *VAE, "--upper", "2"]),
    ("very-deep", "grey", ["--model", "very-deep:blocks=1,2,1,width=8,inner=4,channels=2"]),
    ("vq-vae", "grey", ["--model", "vq-vae", "--latent", "4", "--hidden", "16"]),
    ("fsq", "grey", ["--model", "fsq", "--latent", "4", "--hidden", "16"]),
    ("second-stage", "grey", ["--second-stage", "vae", "--latent", "2"]),
    ("table", "table", VAE),
    ("averages", "grey", [*VAE, "--average", "0.9"]),
    ("bayes", "grey", [*VAE, "--network-weights", "bayes-by-backprop"]),
    ("conv", "grey", ["--latent", "3", "--encoder", "conv:4,8,hidden=8,norm=batch"]),
    ("conv-odd", "odd", ["--latent", "3", "--encoder", "conv:4,8,hidden=8,kernel=3"]),
    ("conv-told", "labelled", ["--model", "cvae", "--latent", "3", "--encoder", "conv:4,8,hidden=8,norm=layer"]),
    ("dcgan", "colour", ["--latent", "3", "--encoder", "dcgan:8,16,groups=4"]),
    ("dcgan-instance", "colour", ["--latent", "3", "--encoder", "dcgan:8,16,norm=instance"]),
    ("resnet", "colour", ["--latent", "3", "--encoder", "resnet:8,inner=4,blocks=1"]),
    ("resnet-spatial", "colour", ["--model", "vq-vae", "--latent", "36", "--encoder", "resnet:8,inner=4,blocks=1,code=spatial"]),
    ("burgess", "grey", ["--latent", "3", "--encoder", "burgess:4,4,hidden=8"]),
    ("keras-conv", "grey", ["--latent", "3", "--encoder", "keras-conv:4,8,hidden=8"]),
    ("residual", "grey", ["--latent", "3", "--encoder", "residual"]),
]
# These go with each other alone, and these priors are of indices, of which no file knows.
TOGETHER = [
    ({"gumbel-softmax", "uniform-categorical"}, ["--posterior", "gumbel-softmax:categories=2", "--prior", "uniform-categorical:categories=2"]),
    ({"power-spherical", "uniform-sphere"}, ["--posterior", "power-spherical", "--prior", "uniform-sphere"]),
]
OF_INDICES = {"uniform", "pixelcnn"}
PIECES = {"likelihood": "--likelihood", "posterior": "--posterior", "prior": "--prior"}


def run(path, feeds, break_it=False):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    used = {name for node in model.graph.node for name in node.input}
    unused = [tensor.name for tensor in model.graph.initializer if tensor.name not in used]
    assert not unused, f"{path} holds {unused}, which nothing reads"
    if break_it:
        last = [t for t in model.graph.initializer if t.data_type == 1 and len(t.dims) > 1 and min(t.dims[:2]) > 1][-1]
        numbers = np.frombuffer(last.raw_data, "f4").copy()
        numbers *= np.linspace(0, 2, numbers.size, dtype="f4")
        last.raw_data = numbers.tobytes()
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    wanted = {put.name: feeds[put.name] for put in session.get_inputs()}
    names = [put.name for put in session.get_outputs()]
    return dict(zip(names, session.run(names, wanted)))


def rows_of(source):
    x = np.load(source + ".npy")
    return (x / 255 if x.dtype == np.uint8 else x).astype("f4")


def told(kind, source):
    """What is known of rows as the program is told it, for `decode`, and as numbers."""
    if kind in ("cvae", "m2", "m1+m2", "conv-told"):
        return ["--label", "1"], np.array([0, 1, 0], "f4")
    if kind == "cvae-numbers":
        return ["--condition", "0.5,-1"], np.array([0.5, -1], "f4")
    return [], None


def check(name, source, words):
    folder = pathlib.Path.cwd()
    file = source + (".csv" if source == "table" else ".npy")
    train(folder, name, file, *words)
    found, lost = {}, None
    can = [part for part in ("encoder", "decoder", "autoencoder", "classifier") if has(name, part)]
    how, known = told(name, source)
    if "encoder" in can:
        elbo(folder, "encode", name, "--device", "cpu", "--data", file, "--out", "codes.npz")
        codes = np.load("codes.npz")
        elbo(folder, "export", name, "--device", "cpu", "--to", f"{name}-e.onnx", "--part", "encoder")
        feeds = inputs(name, source)
        made = run(f"{name}-e.onnx", feeds)
        # Where codes have no moments in closed form, `encode` estimates both, and the reconstruction alone tells whether means are right.
        is_closed = "sd" in made
        if is_closed:
            found["mean"] = far(made["mean"], codes["mean"])
            found["sd"] = far(made["sd"], codes["sd"])
        if "indices" in made:
            assert made["indices"].dtype == np.int64 and made["indices"].min() >= 0
            found["indices"] = float(len(np.unique(made["indices"])))
        # Fewer rows at once are as they are among others, as far as they go.
        some = run(f"{name}-e.onnx", {key: value[:3] for key, value in feeds.items()})
        found["of 3 rows"] = far(some["mean"], made["mean"][:3])
        lost = far(run(f"{name}-e.onnx", feeds, True)["mean"], made["mean"])
    if "decoder" in can:
        latent = codes["mean"].shape[1] if "encoder" in can else 3
        z = codes["mean"][:20] if "encoder" in can else np.random.default_rng(1).normal(size=(20, latent)).astype("f4")
        np.save("z.npy", z.astype("f4"))
        ending = "csv" if source == "table" else "npy"
        elbo(folder, "export", name, "--device", "cpu", "--to", f"{name}-d.onnx", "--part", "decoder", "--batch", "20")
        made = run(f"{name}-d.onnx", {"z": z.astype("f4"), "y": np.tile(known, (20, 1)) if known is not None else None})
        elbo(folder, "decode", name, "--device", "cpu", "--codes", "z.npy", "--out", f"rows.{ending}", *how)
        expected = np.load("rows.npy") if ending == "npy" else real_columns("rows.csv")
        those = slice(None) if ending == "npy" else real_places()
        found["x"] = far(made["x"][:, those], expected)
        broken = run(f"{name}-d.onnx", {"z": z.astype("f4"), "y": np.tile(known, (20, 1)) if known is not None else None}, True)["x"]
        broken = far(broken[:, those], expected)
        lost = broken if lost is None else min(lost, broken)
    if "autoencoder" in can and source != "table":
        elbo(folder, "export", name, "--device", "cpu", "--to", f"{name}-a.onnx")
        elbo(folder, "reconstruct", name, "--device", "cpu", "--data", file, "--count", "60", "--out", "again.npy")
        made = run(f"{name}-a.onnx", inputs(name, source))
        found["reconstruction"] = far(made["reconstruction"], np.load("again.npy"))
    if "classifier" in can:
        elbo(folder, "export", name, "--device", "cpu", "--to", f"{name}-c.onnx", "--part", "classifier")
        made = run(f"{name}-c.onnx", inputs(name, source))["probabilities"]
        found["sum of probabilities"] = far(made.sum(1), np.ones(60))
        # The classifier of M1+M2 is measured on codes that are drawn.
        if name != "m1+m2":
            said = json.loads(elbo(folder, "evaluate", name, "--device", "cpu", "--data", file, "--json"))["parts"]["accuracy"]
            right = np.argmax(made, 1) == np.load(source + ".labels.npy")
            found["accuracy"] = abs(float(np.mean(right)) - said)
        broken = far(run(f"{name}-c.onnx", inputs(name, source), True)["probabilities"], made)
        lost = broken if lost is None else min(lost, broken)
    worst = max(value for key, value in found.items() if key != "indices")
    print(f"{name:16} {worst:.1e}   " + ", ".join(f"{key} {value:.1e}" for key, value in found.items())
          + (f"; a changed weight {lost:.1e}" if lost is not None else ""), flush=True)
    assert lost is None or lost > 10 * NEAR, f"{name}: a changed weight is not seen"
    return worst


def inputs(name, source):
    if source == "table":
        return {"x": table()}
    x = rows_of(source)
    feeds = {"x": x}
    if name in ("cvae", "conv-told"):
        feeds["y"] = np.eye(3, dtype="f4")[np.arange(60) % 3]
    if name == "cvae-numbers":
        feeds["y"] = np.load("told.conditions.npy")
    return feeds


def table():
    """The rows of the table as the file itself says that they are scaled."""
    model = onnx.load("table-e.onnx")
    said = {entry.key: entry.value for entry in model.metadata_props}
    fields = [field for field in json.loads(said["elbo.schema"])["fields"] if field["role"] == "input"]
    lines = [line.split(",") for line in pathlib.Path("table.csv").read_text().splitlines()]
    names, rows = lines[0], lines[1:]
    columns = []
    for field in fields:
        (kind, how), = field["kind"].items()
        cells = [row[names.index(field["name"])] for row in rows]
        if kind == "category":
            columns += [[np.nan if cell == "" else float(cell == one) for cell in cells] for one in how]
        elif kind == "ordinal":
            columns.append([np.nan if cell == "" else how.index(float(cell)) / (len(how) - 1) for cell in cells])
        else:
            before = {"real": float, "positive": lambda v: np.log(float(v)), "count": lambda v: np.log1p(float(v))}[kind]
            columns.append([np.nan if cell == "" else (before(cell) - how["shift"]) / how["scale"] for cell in cells])
    assert len(columns) == len(json.loads(said["elbo.columns"]))
    return np.array(columns, "f4").T


def real_places():
    """Where the real columns stand among the numbers of a row of the table."""
    said = {entry.key: entry.value for entry in onnx.load("table-e.onnx").metadata_props}
    fields = [field for field in json.loads(said["elbo.schema"])["fields"] if field["role"] == "input"]
    widths = [len(how) if kind == "category" else 1 for field in fields for kind, how in field["kind"].items()]
    starts = np.cumsum([0, *widths])
    return [int(start) for start, field in zip(starts, fields) if "real" in field["kind"]]


def real_columns(path):
    """The real columns of a file of rows, as the table's own file says that they are scaled."""
    said = {entry.key: entry.value for entry in onnx.load("table-e.onnx").metadata_props}
    lines = [line.split(",") for line in pathlib.Path(path).read_text().splitlines()]
    fields = [field for field in json.loads(said["elbo.schema"])["fields"] if "real" in field["kind"]]
    columns = [[(float(row[lines[0].index(field["name"])]) - field["kind"]["real"]["shift"]) / field["kind"]["real"]["scale"] for row in lines[1:]]
               for field in fields]
    return np.array(columns, "f4").T


def has(name, part):
    """Whether a model has a part, by what the program says of it."""
    try:
        elbo(pathlib.Path.cwd(), "export", name, "--device", "cpu", "--to", "tried.onnx", "--part", part)
    except SystemExit as error:
        assert "this model cannot" in str(error), error
        return False
    return True


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        data(folder)
        listed = json.loads(elbo(folder, "models", "--json"))
        cases = list(CASES)
        for kind, option in PIECES.items():
            for about in listed:
                if about["kind"] != kind or about["id"] in OF_INDICES:
                    continue
                name = f"{kind}={about['id']}"
                words = next((words for ids, words in TOGETHER if about["id"] in ids), [option, about["id"]])
                cases.append((name, "bytes", [*words, "--latent", "4", "--hidden", "16"]))
        for name in ("relu", "leaky-relu", "elu", "silu", "gelu", "tanh", "sigmoid", "softplus", "gated"):
            cases.append((f"activation={name}", "grey", ["--activation", name, "--latent", "4", "--hidden", "16"]))
        models = {about["id"] for about in listed if about["kind"] == "model"}
        missing = models - {name for name, *_ in CASES}
        assert not missing, f"no case is of {missing}"
        chosen = sys.argv[1:]
        cases = [case for case in cases if not chosen or case[0] in chosen]
        worst = max(check(*case) for case in cases)
        print(f"ONNX: {len(cases)} runs, the largest difference is {worst:.1e}")
        assert worst <= NEAR, f"more than {NEAR}"
        os.chdir("/")


main()
