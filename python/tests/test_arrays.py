"""What goes in and comes out: types, strides, tables, gaps, and what is refused."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from conftest import small


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", ">f8", "longdouble", "i1", "i2", "i4", "i8", "u2", "u4", "u8", "bool"])
def test_numbers_of_every_type_are_the_same_rows(vae, dtype):
    whole = (np.arange(64 * 5).reshape(5, 64) % 3 == 0).astype("f4")
    np.testing.assert_array_equal(vae.transform(whole.astype(dtype)), vae.transform(whole))
    # Not by chance: other rows have other codes.
    assert not np.allclose(vae.transform(1 - whole), vae.transform(whole))


def test_any_strides(vae, digits):
    X = digits[0][:50]
    codes = vae.transform(X)
    wide = np.zeros((100, 128))
    wide[::2, 1::2] = X
    for view in [np.asfortranarray(X), X[::-1][::-1], wide[::2, 1::2], X.T.copy().T, X.astype("f4")[:, ::-1].copy()[:, ::-1]]:
        np.testing.assert_array_equal(vae.transform(view), codes)
    np.testing.assert_array_equal(vae.transform(X[::-1]), codes[::-1])
    # A row's code does not depend on its company, though its score does (see test_sklearn.py).
    np.testing.assert_allclose(np.concatenate([vae.transform(row[None]) for row in X]), codes, atol=1e-6)
    X.flags.writeable = False
    np.testing.assert_array_equal(vae.transform(X), codes)


def test_numbers_may_lie_anywhere(vae, digits):
    X = digits[0][:50].astype("f4")
    odd = np.frombuffer(b"\0" + X.tobytes(), "f4", offset=1).reshape(X.shape)
    records = np.zeros(50, dtype=[("kind", "u1"), ("pixels", "f4", 64)])
    records["pixels"] = X
    assert not odd.flags.aligned
    assert not records["pixels"].flags.aligned
    for view in [odd, odd.T.copy().T, odd[::-1][::-1], records["pixels"]]:
        for codes in [vae.transform(view), vae.model_.encode(view)]:
            np.testing.assert_array_equal(codes, vae.transform(X))
    # Weights and codes as well, and other numbers are other rows.
    weights = np.frombuffer(b"\0" + np.arange(50.0).tobytes(), "f8", offset=1)
    fits = [small(epochs=1).fit(X, sample_weight=w).transform(X) for w in (weights, np.arange(50.0), np.arange(50.0)[::-1])]
    np.testing.assert_array_equal(fits[0], fits[1])
    assert not np.allclose(fits[1], fits[2])
    codes = vae.transform(X)
    packed = np.zeros(50, dtype=[("kind", "u1"), ("code", "f4", 2)])
    packed["code"] = codes
    np.testing.assert_array_equal(vae.model_.decode(packed["code"]), vae.model_.decode(codes))
    assert not np.allclose(vae.model_.decode(codes[::-1]), vae.model_.decode(codes))


def test_the_fit_does_not_depend_on_strides(digits):
    X = digits[0][:100]
    codes = [small().fit(x).transform(X) for x in (X, np.asfortranarray(X), X.astype("f4"))]
    np.testing.assert_array_equal(codes[0], codes[1])
    np.testing.assert_array_equal(codes[0], codes[2])


def test_pandas_in_and_out(table):
    frame = pd.DataFrame(table, columns=["height", "depth", "change"], index=pd.RangeIndex(1000, 1200))
    vae = small().set_output(transform="pandas").fit(frame)
    codes = vae.transform(frame)
    assert codes.columns.tolist() == ["vae0", "vae1"]
    assert codes.index.equals(frame.index)
    again = vae.inverse_transform(codes.to_numpy())
    assert again.columns.tolist() == ["height", "depth", "change"]
    assert vae.sample(3).columns.tolist() == ["height", "depth", "change"]
    np.testing.assert_array_equal(codes.to_numpy(), small().fit(table).transform(table))
    with pytest.raises(ValueError, match="feature names should match"):
        vae.transform(frame[["depth", "height", "change"]])


def test_arrow_in_and_out(table):
    frame = pa.table({name: table[:, i] for i, name in enumerate(["height", "depth", "change"])})
    vae = small().set_output(transform="pyarrow").fit(frame)
    codes = vae.transform(frame)
    assert isinstance(codes, pa.Table)
    assert codes.column_names == ["vae0", "vae1"]
    expected = small().fit(table)
    np.testing.assert_array_equal(codes["vae1"].to_numpy(), expected.transform(table)[:, 1])
    new = vae.sample(4, seed=3)
    assert new.column_names == ["height", "depth", "change"]
    np.testing.assert_array_equal(new["depth"].to_numpy(), expected.sample(4, seed=3)[:, 1])


def test_arrow_with_nulls_are_gaps(table):
    column = [None if i % 5 == 0 else value for i, value in enumerate(table[:, 0])]
    vae = small().fit(table)
    codes = vae.transform(pa.table({"a": column, "b": table[:, 1], "c": table[:, 2]}).to_pandas().to_numpy())
    gaps = table.copy()
    gaps[::5, 0] = np.nan
    np.testing.assert_array_equal(codes, vae.transform(gaps))
    assert not np.allclose(codes, vae.transform(table))


def test_an_adapter_of_others_stands():
    code = """
from sklearn.utils._set_output import ADAPTERS_MANAGER
class Other:
    container_lib = "pyarrow"
other = Other()
ADAPTERS_MANAGER.register(other){later}
import elbo
print(ADAPTERS_MANAGER.adapters["pyarrow"] is other)
"""
    def says(later):
        words = [sys.executable, "-c", code.format(later=later)]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout

    assert says("") == "True\n"
    assert says("; ADAPTERS_MANAGER.adapters.clear()") == "False\n"


def test_what_was_decided_of_rows_is_told(table):
    decided = small(epochs=None).fit(table[:50])
    scaled = [note for note in decided.notes_ if "scaled to mean 0" in note]
    assert len(scaled) == 1
    epochs = decided.history_[0]["epochs"]
    assert [note.split(",")[0] for note in decided.notes_ if note not in scaled] == [
        "the preset is table", f"`epochs` is {epochs}", "`batch` is 32",
    ]
    # Of numbers from 0 to 1, or where it is not wanted, nothing is scaled; and what is given is not decided.
    unit = (table - table.min(axis=0)) / np.ptp(table, axis=0)
    for other in [small(batch=8).fit(unit), small(batch=8, standardise=False).fit(table)]:
        assert not any("scaled to mean 0" in note for note in other.notes_)
        assert not any("`epochs`" in note or "`batch`" in note for note in other.notes_)


def test_a_batch_has_no_more_rows_than_there_are(table):
    few = small(batch=1000).fit(table[:30])
    assert "`batch` is 30, and not 1000: there are no more rows" in few.notes_
    np.testing.assert_array_equal(few.transform(table), small(batch=30).fit(table[:30]).transform(table))
    assert not np.allclose(few.transform(table), small(batch=10).fit(table[:30]).transform(table))


def test_columns_come_back_in_their_units(table):
    vae = small(epochs=150, latent=2, encoder="mlp:32", learning_rate=0.005).fit(table)
    again = vae.inverse_transform(vae.transform(table))
    errors = np.abs(again - table).mean(axis=0) / table.std(axis=0)
    assert (errors < 0.5).all(), errors
    new = vae.sample(500)
    assert (np.abs(new.mean(axis=0) - table.mean(axis=0)) < table.std(axis=0)).all()


def test_pictures(digits):
    flat, pictures = digits[0][:100], digits[0][:100].reshape(-1, 8, 8)
    vae = small(epochs=1).fit(pictures)
    assert vae.n_features_in_ == 64
    assert vae.sample(3).shape == (3, 8, 8)
    assert vae.reconstruct(pictures).shape == pictures.shape
    np.testing.assert_array_equal(vae.transform(flat), vae.transform(pictures))
    told = small(epochs=1, shape=(8, 8)).fit(flat)
    np.testing.assert_array_equal(told.transform(flat), vae.transform(pictures))
    assert told.sample(3).shape == (3, 64)
    with pytest.raises(ValueError, match=r"rows of the shape \(4, 16\)"):
        vae.transform(flat.reshape(-1, 4, 16))
    with pytest.raises(ValueError, match="of 63 values, and X has 64 features"):
        small(shape=(7, 9)).fit(flat)


def test_channels_may_come_first():
    rng = np.random.default_rng(1)
    last = rng.uniform(size=(40, 6, 6, 3)).astype("f4")
    first = np.moveaxis(last, -1, 1)
    models = small(epochs=1).fit(last), small(epochs=1).fit(first)
    np.testing.assert_array_equal(models[0].transform(last), models[1].transform(first))
    np.testing.assert_array_equal(models[0].transform(last), models[1].transform(first.reshape(40, -1)))
    new = [model.sample(2) for model in models]
    assert (new[0].shape, new[1].shape) == ((2, 6, 6, 3), (2, 3, 6, 6))
    np.testing.assert_array_equal(np.moveaxis(new[0], -1, 1), new[1])


def test_bytes_are_levels(digits):
    levels = (digits[0][:100] * 16).astype("u1").reshape(-1, 8, 8)
    vae = small().fit(levels)
    assert any("17 levels" in note for note in vae.notes_)
    assert 2 < vae.sample(20).max() < 24
    np.testing.assert_array_equal(vae.transform(levels), vae.transform(levels.astype("f8")))
    np.testing.assert_allclose(
        vae.transform(levels), small(likelihood="gaussian-shared:start=0.2").fit(levels / 16).transform(levels / 16), rtol=1e-5, atol=1e-5
    )
    with pytest.raises(ValueError, match="there is 17, and the model was trained on numbers from 0 to 16"):
        vae.transform(np.full((1, 8, 8), 17))


def test_nan_is_not_observed_where_training_rows_had_gaps(digits):
    X = digits[0][:200].copy()
    X[::3, :32] = np.nan
    vae = small(likelihood="bernoulli", epochs=20).fit(X)
    assert vae.model_.takes_gaps
    assert np.isfinite(vae.transform(X)).all()
    filled = vae.impute(X, samples=20)
    assert np.isfinite(filled).all()
    np.testing.assert_allclose(filled[1::3], X[1::3], atol=1e-6)
    # What is filled in is nearer to the truth than 0.
    truth = digits[0][:200][::3, :32]
    assert ((filled[::3, :32] - truth) ** 2).mean() < 0.8 * (truth**2).mean()


def test_nan_is_refused_where_it_means_nothing(vae, digits):
    X = digits[0][:5].copy()
    X[3, 7] = np.nan
    assert not vae.model_.takes_gaps
    with pytest.raises(ValueError, match="the value in row 3, column 7 is NaN, and a number was expected"):
        vae.transform(X)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.array([[1.0, np.inf]]), "infinity"),
        (np.array([[1e300, 1.0]]), "infinity or a value too large"),
        (np.array([["a", "b"]]), "could not convert string to float|dtype='numeric'"),
        (np.array([1.0, 2.0]), "Expected 2D array"),
        (np.zeros((0, 3)), "minimum of 1 is required"),
        (np.zeros((3, 0)), "minimum of 1 is required"),
        (np.zeros((3, 2), dtype=complex), "Complex data not supported"),
        (np.array([[{}, 1]], dtype=object), "float"),
    ],
)
def test_what_is_no_rows_is_refused(X, message):
    with pytest.raises((ValueError, TypeError), match=message):
        small().fit(X)


def test_rows_of_another_width_are_refused(vae):
    with pytest.raises(ValueError, match="X has 3 features, but VAE is expecting 64 features"):
        vae.transform(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="X has 3 features, and codes of this model have 2"):
        vae.inverse_transform(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="n_samples is 0"):
        vae.sample(0)


def test_values_that_a_likelihood_cannot_have_are_refused(table):
    with pytest.raises(ValueError, match="the likelihood bernoulli is for values from 0 to 1"):
        small(likelihood="bernoulli").fit(table)
