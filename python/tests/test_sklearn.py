"""scikit-learn's own checks, and what it does with estimators."""

import pickle

import numpy as np
import pytest
from conftest import small
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import elbo

DRAWS = "score_samples is a Monte Carlo estimate, in which the draw of a row goes by its place among the others"
ORDER = "rows are learnt in an order that goes by their number, so a row twice, or of weight 0, is another training"

# Each check that cannot pass, and why.
CANNOT = {
    "check_methods_sample_order_invariance": DRAWS,
    "check_methods_subset_invariance": DRAWS,
    "check_sample_weight_equivalence_on_dense_data": ORDER,
}


def checks():
    for estimator, check in estimator_checks_generator(small(), legacy=True):
        yield pytest.param(estimator, check, id=check.func.__name__ + "".join(f"-{v}" for v in check.keywords.values()))


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(("estimator", "check"), list(checks()))
def test_checks_of_scikit_learn(estimator, check):
    if check.func.__name__ in CANNOT:
        with pytest.raises(AssertionError):
            check(estimator)
    else:
        check(estimator)


def test_the_list_names_checks_that_there_are():
    names = {check.func.__name__ for _, check in estimator_checks_generator(small(), legacy=True)}
    assert CANNOT.keys() <= names
    assert len(names) > 40


def test_clones_and_parameters(digits):
    vae = small(beta=2.0)
    assert vae.get_params()["beta"] == 2.0
    assert vae.get_params()["sigma"] is None
    copy = clone(vae).set_params(latent=3)
    assert (copy.latent, vae.latent, copy.beta) == (3, 2, 2.0)
    assert copy.fit(digits[0]).transform(digits[0]).shape == (500, 3)
    assert "beta=2.0" in repr(vae)
    assert "sigma" not in repr(vae)
    with pytest.raises(ValueError, match="Invalid parameter 'betta'"):
        vae.set_params(betta=3)


def test_pickles_are_the_same_model(vae, digits):
    again = pickle.loads(pickle.dumps(vae))
    np.testing.assert_array_equal(again.transform(digits[0]), vae.transform(digits[0]))
    np.testing.assert_array_equal(again.score_samples(digits[0]), vae.score_samples(digits[0]))
    assert again.history_ == vae.history_
    assert again.get_params() == vae.get_params()
    # A pickle of another model is another model.
    other = pickle.loads(pickle.dumps(small(seed=1, epochs=1).fit(digits[0])))
    assert not np.allclose(other.transform(digits[0]), vae.transform(digits[0]))


def test_codes_tell_digits_apart_in_a_pipeline(digits):
    X, y = digits
    line = make_pipeline(MinMaxScaler(), small(latent=8, epochs=60, encoder="mlp:64", likelihood="bernoulli"), LogisticRegression(max_iter=500))
    accuracy = line.fit(X[:400], y[:400]).score(X[400:], y[400:])
    assert accuracy > 0.6, "of ten classes; by chance it would be 0.1"


def test_names_of_codes(vae):
    assert vae.get_feature_names_out().tolist() == ["vae0", "vae1"]


def test_the_documentation_names_every_setting():
    for setting in elbo.settings():
        assert f"    {setting.name} : " in elbo.VAE.__doc__
    assert "{parameters}" not in elbo.VAE.__doc__
