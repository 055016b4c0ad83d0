"""Writes the settings that the library declares into the package's source, for type checkers: `python tests/stub.py`."""

from pathlib import Path

from elbo import _settings

(Path(__file__).parent.parent / "elbo" / "_settings.pyi").write_text(_settings.stub())
