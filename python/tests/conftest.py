"""What the tests share: small data, and models that are trained on it once."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

import elbo

SETTINGS = {"device": "cpu", "encoder": "mlp:16", "latent": 2, "epochs": 3}


def small(**settings):
    """An estimator that learns quickly."""
    return elbo.VAE(**{**SETTINGS, **settings})


@pytest.fixture(scope="session")
def digits():
    """500 digits of 64 pixels from 0 to 1, and what they show."""
    data = load_digits()
    return data.data[:500] / 16, data.target[:500]


@pytest.fixture(scope="session")
def table():
    """200 rows of three columns of other units, of which the third follows from the others."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 200))
    return np.stack([100 + 20 * a, 0.01 * b, a - b], axis=1)


@pytest.fixture(scope="session")
def vae(digits):
    """A VAE of digits."""
    return small(likelihood="bernoulli", epochs=10).fit(digits[0])
