"""The estimator."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from . import _elbo
from ._containers import table, wanted
from ._settings import SETTINGS, given, parameters

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from ._settings import Settings

# Rows are computed with in single precision; bytes are kept, since they are levels.
_DTYPES = [np.float32, np.uint8]


class VAE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A variational autoencoder, or another model of codes z and rows x.

    It learns an encoder q(z|x) and a decoder p(x|z) by maximising the evidence lower bound, in nats per row,

        ELBO(x) = E_{q(z|x)}[ln p(x|z)] − β KL(q(z|x) ‖ p(z)) ≤ ln p(x)    for β = 1

    (Kingma & Welling 2014, equation 3; β: Higgins et al. 2017), or what `objective` and `model` say. `transform` gives the means
    E_q[z|x], `inverse_transform` the means E[x|z], `sample` E[x|z] for codes z from the prior p(z), and `score_samples` the ELBO of each row.

    Rows X are `[rows, features]`, or pictures `[rows, height, width]` or `[rows, height, width, channels]`: arrays of any numbers and any
    strides, or tables of pandas, polars or Arrow. Computed is in single precision. NaN stands for a value that was not observed, where
    the rows of the training had such or were columns that are scaled; elsewhere it is refused. As in the program, unsigned bytes, and
    pictures of whole numbers from 0 to 255, are levels and divided by the largest that they can be; columns of vectors that are not all from
    0 to 1 are scaled to mean 0 and standard deviation 1, where the likelihood is one of any values. What comes back is in the units of X;
    figures in nats are of what the model sees.

    All settings are those of `elbo train`, by the same names. One that is None is as the preset has it; without a preset, what X is decides
    (`notes_` says what was decided).

    Parameters
    ----------
    shape : tuple of int, default=None
        Height and width, or height, width and channels, of the pictures that rows `[rows, features]` are.
    callback : callable, default=None
        Is given a dict behind every epoch: `epoch`, `epochs`, `is_best`, and the measurements `train` and `validation`, with `loss`, `elbo`,
        `reconstruction` and `kl` in nats per row. A truth ends the training there.
    verbose : bool, default=False
        Whether a line on the standard error says how far the training is.
{parameters}

    Attributes
    ----------
    model_ : Model
        The trained model, with `device`, `parameters` and `weights()`.
    history_ : list of dict
        What `callback` was given.
    notes_ : list of str
        What was decided of X because nobody had, such as scales, and without a preset the preset, `epochs` and `batch`.
    classes_ : ndarray
        The classes of y, where the model is told them or learns them.
    n_features_in_ : int
        Values of a row.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, ...] | None = None,
        callback: Callable[[dict[str, Any]], Any] | None = None,
        verbose: bool = False,
        **settings: Unpack[Settings],
    ) -> None:
        self.shape = shape
        self.callback = callback
        self.verbose = verbose
        for name in sorted(settings.keys() - SETTINGS.keys()):
            meant = name.replace("-", "_")
            if meant in SETTINGS:
                raise ValueError(f"there is no setting `{name}`: did you mean `{meant}`?")
            # What was probably meant is the library's to say.
            _elbo.label_use([(name, 0)])
            raise ValueError(f"`{name}` is no setting of rows in memory")
        for name in SETTINGS:
            setattr(self, name, settings.get(name))

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learns rows.

        y is used by models that are told or learn labels (`model="cvae"`, `"m2"`, `"classifier"`), and by `class_balance`: the class of each
        row, or with `condition="vectors"` numbers `[rows, width]`; others leave it aside. Rows count by `sample_weight`.

        Ctrl-C ends the training with a KeyboardInterrupt; what was learnt by then is kept, as it is where `callback` raises.
        """
        settings = given(self.get_params(deep=False))
        use = _elbo.label_use(settings)
        rows, sides = self._rows(X, reset=True)
        if sides is None and self.shape is not None:
            sides = tuple(self.shape)
            if int(np.prod(sides)) != rows.shape[1]:
                raise ValueError(f"shape is {self.shape}, of {int(np.prod(sides))} values, and X has {rows.shape[1]} features")
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, rows, dtype=np.float64)
        known = classes = None
        if use is not None and y is None:
            raise ValueError(f"this model takes {use} of the rows, and y is None: requires y to be passed")
        if use == "labels":
            y = column_or_1d(y, warn=True)
            check_consistent_length(rows, y)
            classes, places = np.unique(y, return_inverse=True)
            known = (places.tolist(), [str(name) for name in classes])
        elif use == "numbers":
            known = _numbers(y, "y")
            check_consistent_length(rows, known)
        self.history_: list[dict[str, Any]] = []
        shaped = rows if sides is None else rows.reshape(len(rows), *sides)
        try:
            model, raised = _elbo.train(shaped, settings, known, sample_weight, self._watch())
        finally:
            if self.verbose and self.history_:
                print(file=sys.stderr, flush=True)
        self._keep(model, sides, classes)
        self.notes_ = model.notes
        if raised is not None:
            raise raised
        return self

    def fit_transform(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Learns rows, and gives their codes."""
        return self.fit(X, y, sample_weight).transform(X, y if self.model_.condition else None)

    def transform(self, X: Any, y: Any = None) -> Any:
        """Codes `[rows, latent]`: the means E_q[z|x]."""
        check_is_fitted(self, "model_")
        return self.model_.encode(self._shaped(X), self._told(y))

    def code_moments(self, X: Any, y: Any = None, *, seed: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Means and variances of q(z|x) `[rows, latent]` each: in closed form where it has one, else from draws."""
        check_is_fitted(self, "model_")
        mean, variance, _ = self.model_.code_moments(self._shaped(X), self._told(y), self._seed(seed))
        return mean, variance

    def draw_codes(self, X: Any, y: Any = None, *, seed: int | None = None) -> np.ndarray:
        """Codes z ~ q(z|x) `[rows, latent]`."""
        check_is_fitted(self, "model_")
        return self.model_.draw_codes(self._shaped(X), self._told(y), self._seed(seed))

    def inverse_transform(self, X: Any, y: Any = None) -> Any:
        """Rows that codes X `[rows, latent]` stand for: E[x|z], in the units of the training rows."""
        check_is_fitted(self, "model_")
        codes = check_array(X, dtype=np.float32)
        if codes.shape[1] != self._n_features_out:
            raise ValueError(f"X has {codes.shape[1]} features, and codes of this model have {self._n_features_out}")
        return self._made(self.model_.decode(codes, self._told(y)))

    def reconstruct(self, X: Any, y: Any = None) -> Any:
        """Rows as the model understands them: E[x|z] at the means of q(z|x)."""
        check_is_fitted(self, "model_")
        return self._made(self.model_.reconstruct(self._shaped(X), self._told(y)))

    def impute(self, X: Any, y: Any = None, *, samples: int = 100, seed: int | None = None) -> Any:
        """Rows whose NaN are filled in with E[x_j | what is known of the row], by importance sampling with so many codes of each
        (Mattei & Frellsen 2019, equation 12)."""
        check_is_fitted(self, "model_")
        return self._made(self.model_.impute(self._shaped(X), self._told(y), _count(samples, "samples"), self._seed(seed)))

    def sample(self, n_samples: int = 1, y: Any = None, *, seed: int | None = None) -> Any:
        """New rows: E[x|z] for codes z ~ p(z); with y, one for each class or row of numbers in it, and `n_samples` is left aside.

        `seed` decides which, and is the setting `seed` where it is None."""
        check_is_fitted(self, "model_")
        return self._made(self.model_.sample(_count(n_samples, "n_samples"), self._told(y), self._seed(seed)))

    def score_samples(self, X: Any, y: Any = None, *, seed: int | None = None) -> np.ndarray:
        """The ELBO of each row in nats `[rows]`, from one code z ~ q(z|x) of each: a lower bound on ln p(x) in expectation. Low
        scores mark anomalies (An & Cho 2015). Of a plain autoencoder it is minus the loss."""
        check_is_fitted(self, "model_")
        return -self.model_.score(self._shaped(X), self._told(y), self._seed(seed))

    def score_features(self, X: Any, y: Any = None, *, seed: int | None = None) -> np.ndarray:
        """ln p(x_j|z) of each value that the model sees, in nats, at one code z ~ q(z|x): which of them make a row strange."""
        check_is_fitted(self, "model_")
        return -self.model_.score_features(self._shaped(X), self._told(y), self._seed(seed))

    def log_likelihood(
        self, X: Any, y: Any = None, *, samples: int = 1000, seed: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """ln p(x) of each row in nats `[rows]`, and its standard error `[rows]`, by importance sampling with so many codes of each:
        ln (1/K) Σ_k p(x, z_k)/q(z_k|x) (Burda, Grosse & Salakhutdinov 2016, equation 8)."""
        check_is_fitted(self, "model_")
        found = self.model_.log_likelihood(self._shaped(X), self._told(y), _count(samples, "samples"), self._seed(seed))
        return found[:, 0], found[:, 1]

    def score(self, X: Any, y: Any = None) -> float:
        """The mean ELBO of rows in nats, as `score_samples` has it."""
        return float(np.mean(self.score_samples(X, y if self._is_told() else None), dtype=np.float64))

    def classify(self, X: Any) -> np.ndarray:
        """q(y|x): how likely each class of `classes_` is for each row `[rows, classes]`, of a model that infers it (`m2`, `classifier`)."""
        check_is_fitted(self, "model_")
        return self.model_.classify(self._shaped(X))

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the model to one file in the safetensors format, which `load` reads, and the program: `elbo sample FILE`."""
        check_is_fitted(self, "model_")
        self.model_.save(path)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _rows(self, X: Any, reset: bool) -> tuple[np.ndarray, tuple[int, ...] | None]:
        """Rows `[rows, features]`, and the sides of those that come as pictures."""
        sides = None
        if isinstance(X, np.ndarray) and X.ndim > 2:
            sides, X = X.shape[1:], X.reshape(len(X), -1)
        # What is too large for single precision is refused as infinite, and needs no warning besides.
        with np.errstate(over="ignore"):
            rows = validate_data(self, X, reset=reset, dtype=_DTYPES, ensure_all_finite="allow-nan")
        return rows, sides

    def _shaped(self, X: Any) -> np.ndarray:
        """Rows as the model was trained on them."""
        rows, sides = self._rows(X, reset=False)
        if sides not in (None, self._sides):
            raise ValueError(f"X has rows of the shape {sides}, and the model was trained on {self._sides}")
        return rows.reshape(len(rows), *self._sides)

    def _made(self, rows: np.ndarray) -> Any:
        """Rows that the model made `[rows, features]`, as those lay that it was trained on."""
        height_width, own = self._sides[-2:], tuple(self.model_.sides)
        if len(self._sides) == 3 and self._sides != own and (*height_width, self._sides[0]) == own:
            rows = np.moveaxis(rows.reshape(len(rows), *own), -1, 1)
        if self._is_nd:
            return rows.reshape(len(rows), *self._sides)
        rows = rows.reshape(len(rows), -1)
        library = wanted(self)
        names = getattr(self, "feature_names_in_", [f"x{i}" for i in range(rows.shape[1])])
        return rows if library == "default" else table(library, rows, names)

    def _is_told(self) -> bool:
        check_is_fitted(self, "model_")
        return self.model_.condition > 0

    def _told(self, y: Any) -> np.ndarray | None:
        """What the model is told of rows `[rows, condition]`."""
        if y is None:
            return None
        if not self._is_told():
            raise ValueError("this model is told nothing of rows: leave y out, or train one with model='cvae'")
        classes = self.model_.classes
        if not classes:
            return _numbers(y, "y")
        places = {name: place for place, name in enumerate(classes)}
        labels = [str(label) for label in column_or_1d(y)]
        unknown = sorted(set(labels) - places.keys())
        if unknown:
            raise ValueError(f"y holds {', '.join(unknown)}, and the model was trained with {', '.join(classes)}")
        return np.eye(len(classes), dtype=np.float32)[[places[label] for label in labels]]

    def _seed(self, seed: int | None) -> int:
        own = self.seed if seed is None else seed  # type: ignore[attr-defined]
        return 0 if own is None else _count(own, "seed", least=0)

    def _keep(self, model: _elbo.Model, sides: tuple[int, ...] | None, classes: np.ndarray | None) -> None:
        """Takes over a trained model of rows of these sides, flat ones where there are none, and of these classes of them, if any."""
        self.model_ = model
        if classes is not None:
            self.classes_ = classes
        elif hasattr(self, "classes_"):
            # They are those of an earlier fit.
            del self.classes_
        self._n_features_out = model.latent
        self._is_nd = sides is not None and self.shape is None
        self._sides = (self.n_features_in_,) if sides is None else tuple(sides)

    def _watch(self) -> Callable[[str], bool]:
        """What looks at every epoch."""

        def look(text: str) -> bool:
            record = json.loads(text)
            # Where numbers ran away, training went back, and epochs come again.
            while self.history_ and self.history_[-1]["epoch"] >= record["epoch"]:
                self.history_.pop()
            self.history_.append(record)
            if self.verbose:
                _tell(record)
            return bool(self.callback(record)) if self.callback is not None else False

        return look


def _tell(record: dict[str, Any]) -> None:
    """A line that says how far a training is, over the one before."""
    parts = [f"epoch {record['epoch']}/{record['epochs']}"]
    for split in ("train", "validation"):
        if record[split] is not None and record[split]["loss"] is not None:
            parts.append(f"{split} loss {record[split]['loss']:.4g}")
    print(f"\r{', '.join(parts)}\x1b[K", end="", file=sys.stderr, flush=True)


def _count(value: Any, name: str, least: int = 1) -> int:
    """A whole number that the library can take."""
    count = int(value)
    if not least <= count < 2**63:
        raise ValueError(f"{name} is {value}, and at least {least} was expected, and less than 2**63")
    return count


def _numbers(y: Any, name: str) -> np.ndarray:
    """Numbers `[rows, width]`."""
    found = check_array(y, dtype=np.float32, ensure_2d=False, input_name=name)
    return found.reshape(len(found), -1)


def load(path: str | PathLike[str], device: str = "auto") -> VAE:
    """Opens a model: a file that `VAE.save` wrote, or the folder of a run that `elbo train` left, such as `runs/vae-digits`.

    The estimator has the settings of the run, and can be used as one that was fitted.
    """
    model = _elbo.Model.load(path, device)
    settings = json.loads(model.settings)
    # One device takes the place of several that it was trained on.
    settings.pop("devices", None)
    vae = VAE(**{**settings, "device": device})
    sides = tuple(model.sides)
    vae.n_features_in_ = int(np.prod(sides))
    unnamed = [f"x{column}" for column in range(vae.n_features_in_)]
    if model.columns not in (None, unnamed):
        vae.feature_names_in_ = np.array(model.columns, dtype=object)
    vae.history_ = []
    vae.notes_ = []
    vae._keep(model, sides if len(sides) > 1 else None, np.array(model.classes) if model.classes else None)
    return vae


def _signature() -> inspect.Signature:
    """The parameters of `VAE`, each by its name."""
    own = inspect.signature(VAE.__init__)
    named = [parameter for parameter in own.parameters.values() if parameter.kind is not parameter.VAR_KEYWORD]
    keyword = inspect.Parameter.KEYWORD_ONLY
    return own.replace(parameters=[*named, *(inspect.Parameter(name, keyword, default=None) for name in SETTINGS)])


VAE.__init__.__signature__ = _signature()  # type: ignore[attr-defined]
VAE.__doc__ = (VAE.__doc__ or "").replace("{parameters}", parameters())
