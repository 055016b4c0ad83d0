"""Variational autoencoders on any GPU, as scikit-learn estimators.

>>> import elbo
>>> vae = elbo.VAE(latent=2, epochs=20).fit(X)          # doctest: +SKIP
>>> codes = vae.transform(X)                            # doctest: +SKIP
>>> new = vae.sample(100)                               # doctest: +SKIP

A VAE learns p(x) = ∫ p(x|z) p(z) dz of rows x by codes z. It maximises the evidence lower bound (Kingma & Welling 2014)

    ELBO(x) = E_{q(z|x)}[ln p(x|z)] − KL(q(z|x) ‖ p(z)) ≤ ln p(x),

where an encoder says q(z|x) and a decoder p(x|z). `VAE` trains one, or another model of the program `elbo`, with its settings by the same
names; `load` opens what the program trained; `pieces` lists what models can be made of.
"""

from ._elbo import Model
from ._estimator import VAE, load
from ._settings import Piece, Setting, pieces, settings

__all__ = ["VAE", "Model", "Piece", "Setting", "load", "pieces", "settings"]
