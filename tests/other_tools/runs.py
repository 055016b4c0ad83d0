"""Small runs of the program, and what it makes of rows."""
import os
import pathlib
import subprocess

import numpy as np

ELBO = os.environ["ELBO"]
NEAR = 1e-5


def elbo(folder, *words):
    """Runs the program in a folder; gives what it prints."""
    env = {**os.environ, "ELBO_CACHE_DIR": ""}
    done = subprocess.run([ELBO, *map(str, words)], cwd=folder, env=env, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"elbo {' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
    return done.stdout


def data(folder):
    """Rows of several kinds, in files of a folder: pictures with labels and with numbers, colour pictures, and a table with gaps."""
    folder = pathlib.Path(folder)
    draw = np.random.default_rng(7)
    y, x = np.mgrid[0:12, 0:12] / 11
    phase = draw.uniform(0, 6.3, (60, 1, 1))
    pictures = (0.5 + 0.5 * np.sin(phase + 5 * x + 3 * y * np.cos(phase))).astype("f4")
    np.save(folder / "grey.npy", pictures)
    np.save(folder / "bytes.npy", (255 * pictures).astype("u1"))
    np.save(folder / "labelled.npy", pictures)
    np.save(folder / "labelled.labels.npy", np.arange(60) % 3)
    np.save(folder / "told.npy", pictures)
    np.save(folder / "told.conditions.npy", draw.normal(size=(60, 2)).astype("f4"))
    colours = np.stack([pictures, 1 - pictures, pictures ** 2], axis=-1)
    np.save(folder / "colour.npy", (255 * colours).astype("u1"))
    np.save(folder / "odd.npy", pictures[:, :11, :9])
    lines = ["size,kind,count,grade"]
    for i in range(60):
        cells = [f"{draw.normal(3, 2):.4f}", "abc"[i % 3], str(i % 7), str(i % 2)]
        if i % 5 == 0:
            cells[i // 5 % 3] = ""
        lines.append(",".join(cells))
    (folder / "table.csv").write_text("\n".join(lines) + "\n")


def train(folder, name, source, *words):
    elbo(folder, "train", "--device", "cpu", "--threads", "1", "--quiet", "--epochs", "1", "--batch", "16", "--validation", "10",
         "--data", source, "--out", name, *words)


def far(found, expected):
    """The largest difference, relative to what was expected where that is larger than 1."""
    found, expected = np.asarray(found, "f8").reshape(-1), np.asarray(expected, "f8").reshape(-1)
    assert found.shape == expected.shape, (found.shape, expected.shape)
    return float(np.max(np.abs(found - expected) / np.maximum(1, np.abs(expected))))
