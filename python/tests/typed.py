"""What type checkers must accept; each line that they must refuse says so."""

import numpy as np

import elbo

X = np.zeros((10, 4))
vae = elbo.VAE(latent=2, likelihood="gaussian:sigma=0.1", epochs=3, hidden=[8, 4], class_balance=False, device="cpu")
loss: float = vae.fit(X).score(X)
codes: np.ndarray = vae.draw_codes(X, seed=1)
name: str = elbo.settings()[0].name
file: elbo.VAE = elbo.load("runs/digits", device="cpu")
weights: list[tuple[str, np.ndarray]] = list(vae.model_.weights())
elbo.VAE(latnt=2)  # type: ignore[call-arg]
elbo.VAE(epochs="many")  # type: ignore[arg-type]
elbo.load(3)  # type: ignore[arg-type]
