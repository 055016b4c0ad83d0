"""Settings by the names of the command line, declared once, in the library."""

from pathlib import Path

import numpy as np
import pytest
from conftest import small

import elbo
from elbo import _settings

PIECES = elbo.pieces()
# Models over the codes of a run that was trained before, which the program is given by --second-stage.
ON_A_RUN = {"m1+m2", "second-stage"}
# What a piece needs besides, as `elbo models NAME` says.
BESIDES = {
    "uniform-sphere": {"posterior": "power-spherical"},
    "power-spherical": {"prior": "uniform-sphere"},
    "gumbel-softmax": {"prior": "uniform-categorical"},
    "uniform-categorical": {"posterior": "gumbel-softmax"},
    "fsq": {"latent": 4},
    "hierarchical": {"upper": [2], "encoder": None, "hidden": [8]},
    "ladder": {"upper": [2], "encoder": None, "hidden": [8]},
    "very-deep": {"model": "very-deep:blocks=1,1", "shape": (8, 8), "encoder": None, "latent": None},
}


def names(setting):
    return [piece.name for piece in PIECES if piece.setting == setting]


def fits(digits, **settings):
    X = (digits[0][:64] > 0.5).astype("f4")
    vae = small(epochs=1, **settings).fit(X, digits[1][:64])
    assert len(vae.history_) == 1
    assert np.isfinite(vae.history_[0]["train"]["loss"])
    return vae


@pytest.mark.parametrize("model", [name for name in names("model") if name not in ON_A_RUN])
def test_every_model_is_reached(digits, model):
    given = {"model": model, **BESIDES.get(model, {})}
    vae = fits(digits, **given)
    assert vae.get_params()["model"] == given["model"]


def test_a_model_over_a_run_is_refused(digits):
    with pytest.raises(ValueError, match="a model over the codes of a VAE, and there is no VAE"):
        small(model="m1+m2").fit(digits[0], digits[1])


@pytest.mark.parametrize("likelihood", names("likelihood"))
def test_every_likelihood_is_reached(digits, likelihood):
    levels = {"categorical": ":levels=2", "discretized-logistic": ":levels=2"}
    vae = fits(digits, likelihood=likelihood + levels.get(likelihood, ""))
    assert vae.sample(2).shape == (2, 64)


def test_settings_change_what_is_learnt(digits):
    codes = fits(digits).transform(digits[0])
    for other in [{"objective": "iwae:samples=5"}, {"beta": 4.0}, {"seed": 1}, {"encoder": "mlp:24"}, {"learning_rate": 1e-4}]:
        assert not np.allclose(fits(digits, **other).transform(digits[0]), codes), other
    np.testing.assert_array_equal(fits(digits).transform(digits[0]), codes)


def test_presets_are_taken(digits):
    X = digits[0][:64]
    classic = elbo.VAE(preset="classic", epochs=1, device="cpu").fit(X)
    assert classic.model_.latent == 20
    assert elbo.VAE(epochs=1, device="cpu", encoder="mlp:8").fit(X).model_.latent == 8


def test_values_of_numpy_are_taken(digits):
    vae = small(latent=np.int64(3), beta=np.float32(0.5), hidden=np.array([8, 4]), encoder=None, epochs=np.int32(1))
    assert vae.fit(digits[0][:64]).model_.latent == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"latnt": 2}, "there is no setting `latnt`: did you mean `latent`"),
        ({"learning-rate": 1e-3}, "there is no setting `learning-rate`: did you mean `learning_rate`"),
        ({"latent": 0}, "`latent` is 0"),
        ({"latent": "two"}, "`latent` cannot be \"two\""),
        ({"epochs": 1.5}, "`epochs` cannot be 1.5"),
        ({"model": "vea2"}, "there is no model `vea2`"),
        ({"likelihood": "gausian"}, "there is no likelihood `gausian`"),
        ({"likelihood": "gaussian:sigma=0"}, "sigma"),
        ({"encoder": "mpl:8"}, "there is no network `mpl`"),
        ({"device": "no such device"}, "no such device"),
        ({"sigma": 0.1, "likelihood": "gaussian:sigma=0.2"}, "`sigma` is short for"),
        ({"patience": 3}, "`patience` waits for rows that are held out"),
    ],
)
def test_what_makes_no_sense_is_refused(digits, settings, message):
    with pytest.raises((ValueError, RuntimeError), match=message):
        small(**settings).fit(digits[0][:64])


def test_rows_are_held_out_and_waited_for(digits):
    vae = small(validation=100, patience=2, epochs=200, learning_rate=0.02).fit(digits[0])
    assert len(vae.history_) < 200
    assert vae.history_[0]["validation"]["loss"] > 0
    best = min(range(len(vae.history_)), key=lambda i: vae.history_[i]["validation"]["loss"])
    assert [record["is_best"] for record in vae.history_][best]
    assert len(vae.history_) == best + 3


def test_the_stub_is_that_of_the_library():
    path = Path(elbo.__file__).with_name("_settings.pyi")
    assert path.read_text() == _settings.stub(), "renew it: python python/tests/stub.py"


def test_settings_are_explained():
    beta = next(setting for setting in elbo.settings() if setting.name == "beta")
    assert (beta.table, beta.takes) == ("model", "float")
    assert "beta-VAE, Higgins et al. 2017" in beta.help
    assert {"latent", "likelihood", "epochs", "batch", "seed", "device", "standardise", "preset"} <= {s.name for s in elbo.settings()}
    # Where rows lie on a disk is no matter of rows in memory.
    assert not {"data", "source", "rows", "memory"} & {s.name for s in elbo.settings()}
