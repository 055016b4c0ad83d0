"""What a trained model computes, held against NumPy, and how it is kept."""

import json
import os
import subprocess

import numpy as np
import pytest
from conftest import SETTINGS, small

import elbo

ELBO = os.environ.get("ELBO")
program = pytest.mark.skipif(ELBO is None, reason="ELBO names the program; tests/python.sh builds it")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def layer(weights, name, x):
    return x @ weights[f"{name}.weight"].astype("f8").T + weights[f"{name}.bias"]


def decoded(weights, z):
    """E[x|z] of a Bernoulli whose logits an MLP with SiLU says."""
    names = sorted(name.removesuffix(".weight") for name in weights if name.startswith("decoder.") and name.endswith(".weight"))
    h = z.astype("f8")
    for name in names[:-1]:
        h = layer(weights, name, h)
        h = h * sigmoid(h)
    return sigmoid(layer(weights, names[-1], h))


@pytest.mark.parametrize("encoder", ["mlp:16", "mlp:128,64"])
def test_decoding_is_the_forward_pass_of_the_weights(digits, encoder):
    vae = small(encoder=encoder, likelihood="bernoulli", epochs=20, latent=4).fit(digits[0])
    weights = dict(vae.model_.weights())
    z = np.random.default_rng(0).normal(size=(300, 4)).astype("f4")
    found = vae.inverse_transform(z)
    np.testing.assert_allclose(found, decoded(weights, z), rtol=0, atol=1e-6)
    # One weight that is off by a thousandth is seen.
    first = min(name for name in weights if name.startswith("decoder."))
    weights[first] = weights[first].copy()
    weights[first].flat[0] += 1e-3
    assert np.abs(found - decoded(weights, z)).max() > 1e-6


def test_encoding_is_the_forward_pass_of_the_weights(digits):
    vae = small(likelihood="bernoulli", epochs=20).fit(digits[0])
    weights = dict(vae.model_.weights())
    x = digits[0].astype("f4").astype("f8")
    h = layer(weights, "encoder.0", x)
    h = h * sigmoid(h)
    outputs = layer(weights, "head", h)
    mean, variance = vae.code_moments(digits[0])
    np.testing.assert_allclose(vae.transform(digits[0]), outputs[:, :2], atol=1e-5)
    np.testing.assert_array_equal(mean, vae.transform(digits[0]))
    np.testing.assert_allclose(variance, np.exp(outputs[:, 2:]), rtol=1e-4)


def test_draws_scatter_by_the_variance(vae, digits):
    X = digits[0][:20]
    mean, variance = vae.code_moments(X)
    draws = np.stack([vae.draw_codes(X, seed=seed) for seed in range(300)])
    assert np.abs((draws.mean(axis=0) - mean) / np.sqrt(variance / 300)).max() < 5
    np.testing.assert_allclose(draws.var(axis=0, ddof=1), variance, rtol=0.5)


def test_scores_bound_the_likelihood(vae, digits):
    X = digits[0][:40]
    bound = np.mean([vae.score_samples(X, seed=seed) for seed in range(50)], axis=0)
    likelihood, error = vae.log_likelihood(X, samples=500)
    assert (error < 1).all()
    assert (likelihood > bound - 1).all()
    assert likelihood.mean() > bound.mean()
    assert vae.score(X) == pytest.approx(vae.score_samples(X).mean(), rel=1e-5)
    # What is no digit is less likely.
    assert vae.score(1 - X) < vae.score(X) - 20
    assert vae.score_features(X).shape == X.shape


def test_the_seed_decides_what_is_drawn(vae):
    np.testing.assert_array_equal(vae.sample(5, seed=1), vae.sample(5, seed=1))
    assert not np.allclose(vae.sample(5, seed=1), vae.sample(5, seed=2))
    np.testing.assert_array_equal(vae.sample(5), vae.sample(5, seed=0))


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda vae, X: vae.sample(2, seed=-1), "seed is -1"),
        (lambda vae, X: vae.score_samples(X, seed=2**64), "seed is 18446744073709551616"),
        (lambda vae, X: vae.sample(-1), "n_samples is -1"),
        (lambda vae, X: vae.log_likelihood(X, samples=-5), "samples is -5"),
        (lambda vae, X: vae.impute(X, samples=0), "samples is 0"),
    ],
)
def test_counts_that_make_no_sense_are_refused(vae, digits, call, name):
    with pytest.raises(ValueError, match=f"{name}, and at least"):
        call(vae, digits[0][:2])


def test_a_file_is_the_same_model(vae, digits, tmp_path):
    path = tmp_path / "vae.safetensors"
    vae.save(path)
    again = elbo.load(path, device="cpu")
    np.testing.assert_array_equal(again.transform(digits[0]), vae.transform(digits[0]))
    assert again.get_params()["likelihood"] == "bernoulli"
    assert again.get_params()["latent"] == 2
    assert again.get_params()["encoder"].startswith("mlp:")
    # With the settings that it was opened with it learns the same again.
    np.testing.assert_array_equal(again.fit(digits[0]).transform(digits[0]), vae.transform(digits[0]))
    with pytest.raises(ValueError, match="does not exist"):
        elbo.load(tmp_path / "nothing")
    path.write_bytes(b"no model")
    with pytest.raises(ValueError, match="not a usable checkpoint"):
        elbo.load(path)
    with pytest.raises(ValueError, match="does not exist; create it first"):
        vae.save(tmp_path / "no folder" / "vae.safetensors")


def test_other_tools_read_the_file(vae, tmp_path):
    from safetensors.numpy import load_file

    vae.save(tmp_path / "vae.safetensors")
    tensors = load_file(tmp_path / "vae.safetensors")
    for name, values in vae.model_.weights():
        np.testing.assert_array_equal(tensors[name], values)


def test_columns_have_their_scales_in_the_file(table, tmp_path):
    vae = small().fit(table)
    vae.save(tmp_path / "table.safetensors")
    again = elbo.load(tmp_path / "table.safetensors", device="cpu")
    np.testing.assert_array_equal(again.transform(table), vae.transform(table))
    np.testing.assert_array_equal(again.sample(4), vae.sample(4))
    assert not hasattr(again, "feature_names_in_")


def run(place, *words):
    """What the program says."""
    return subprocess.run([ELBO, *words], cwd=place, check=True, capture_output=True, text=True).stdout


@program
def test_a_run_of_the_program_opens(digits, tmp_path):
    np.save(tmp_path / "digits.npy", digits[0].astype("f4").reshape(-1, 8, 8))
    settings = {**SETTINGS, "likelihood": "bernoulli"}
    options = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
    run(tmp_path, "train", "--data", "digits.npy", *options, "--out", "run")
    run(tmp_path, "encode", "run", "--device", "cpu", "--data", "digits.npy", "--out", "codes.npy")
    vae = elbo.load(tmp_path / "run", device="cpu")
    np.testing.assert_array_equal(vae.transform(digits[0]), np.load(tmp_path / "codes.npy"))
    assert vae.sample(2).shape == (2, 8, 8)
    assert {name: vae.get_params()[name] for name in ("likelihood", "latent", "epochs", "batch")} == {
        "likelihood": "bernoulli", "latent": 2, "epochs": 3, "batch": 32,
    }


@program
def test_the_program_opens_what_was_saved(vae, table, digits, tmp_path):
    vae.save(tmp_path / "digits.safetensors")
    np.save(tmp_path / "digits.npy", digits[0].astype("f4"))
    run(tmp_path, "encode", "digits.safetensors", "--device", "cpu", "--data", "digits.npy", "--out", "codes.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "codes.npy"), vae.transform(digits[0]))
    scaled = small().fit(table)
    scaled.save(tmp_path / "table.safetensors")
    run(tmp_path, "sample", "table.safetensors", "--device", "cpu", "--count", "5", "--seed", "4", "--out", "new.csv")
    new = np.loadtxt(tmp_path / "new.csv", delimiter=",", skiprows=1)
    # Drawn from p(x|z), in the units of the columns: the first lies around 100, and scaled numbers around 0.
    assert new.shape == (5, 3)
    assert np.abs(new[:, 0] - 100).max() < 90
    assert np.abs(new[:, 1]).max() < 0.1


@program
def test_the_program_learns_the_same(table, tmp_path):
    # All rows: what is measured are the same once more. One epoch, so that the best, which the program keeps, is the last.
    np.save(tmp_path / "rows.npy", table.astype("f4"))
    rows = ["--data", "rows.npy", "--validation-data", "rows.npy", "--test-data", "rows.npy"]
    run(tmp_path, "train", *rows, "--epochs", "1", "--latent", "2", "--device", "cpu", "--out", "run")
    program = elbo.load(tmp_path / "run", device="cpu").model_
    learnt = dict(program.weights())
    own = elbo.VAE(epochs=1, latent=2, device="cpu").fit(table.astype("f4"))
    weights = dict(own.model_.weights())
    assert weights.keys() == learnt.keys()
    for name, values in weights.items():
        np.testing.assert_allclose(values, learnt[name], atol=1e-6, err_msg=name)
    # Where rows are held out, the program stops by them.
    settings = json.loads(program.settings)
    assert settings.pop("patience", None) and json.loads(own.model_.settings) == settings
    # Another seed or batch learns something else.
    for other in [{"seed": 1}, {"batch": 16}]:
        others = dict(elbo.VAE(epochs=1, latent=2, device="cpu", **other).fit(table).model_.weights())
        assert any(not np.allclose(values, learnt[name], atol=1e-4) for name, values in others.items()), other
