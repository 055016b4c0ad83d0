"""The settings and the pieces that there are, as the library declares them."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import _elbo


class Setting(NamedTuple):
    """A setting: a keyword of `VAE`, and an option of `elbo train`."""

    name: str
    """Its name."""
    table: str
    """The table of configuration files that it belongs to."""
    takes: str
    """What its value is: bool, int, float, ints, strs or str."""
    help: str
    """What it is about."""


class Piece(NamedTuple):
    """Something that models can be made of."""

    setting: str
    """The keyword that chooses it."""
    name: str
    """The name by which it is chosen."""
    title: str
    """What it is, in one line."""
    formula: str
    """Its formula."""
    source: str
    """The paper that it comes from."""


SETTINGS = {name: Setting(name, table, takes, text) for name, table, takes, text in _elbo.keywords()}

# What a value of each kind is in Python.
TYPES = {
    "bool": "bool",
    "int": "int",
    "float": "float",
    "ints": "list[int]",
    "strs": "list[str]",
    "str": "str | int",
}


def settings() -> list[Setting]:
    """All settings, in the order in which `elbo help train` explains them."""
    return list(SETTINGS.values())


def pieces() -> list[Piece]:
    """All models, networks, objectives, likelihoods, posteriors, priors and so on: what `elbo models` lists."""
    return [Piece(*piece) for piece in _elbo.pieces()]


def given(params: dict[str, Any]) -> list[tuple[str, Any]]:
    """The settings among parameters that were given, as the library takes them."""
    return [(name, plain(value)) for name, value in params.items() if name in SETTINGS and value is not None]


def plain(value: Any) -> Any:
    """A sequence as a list, and all else as it is."""
    is_array = getattr(value, "ndim", 0) > 0
    return list(value) if is_array or isinstance(value, (tuple, range)) else value


def parameters() -> str:
    """The settings as the section of a docstring."""
    lines = []
    for setting in SETTINGS.values():
        lines += [f"{setting.name} : {TYPES[setting.takes]}, default=None"]
        lines += [f"    {line}".rstrip() for line in setting.help.splitlines()]
    return "\n".join(f"    {line}".rstrip() for line in lines)


def stub() -> str:
    """The text of `_settings.pyi`: the settings as keywords, for type checkers."""
    fields = []
    for setting in SETTINGS.values():
        sentence = " ".join(setting.help.split("\n\n")[0].splitlines())
        fields += [f"    {setting.name}: {TYPES[setting.takes]} | None", f'    """{sentence}"""']
    body = "\n".join(fields)
    return f'''# Made of the library's declarations by tests/stub.py; a test holds it to them.
from typing import Any, NamedTuple, TypedDict

class Setting(NamedTuple):
    name: str
    table: str
    takes: str
    help: str

class Piece(NamedTuple):
    setting: str
    name: str
    title: str
    formula: str
    source: str

class Settings(TypedDict, total=False):
{body}

SETTINGS: dict[str, Setting]
TYPES: dict[str, str]

def settings() -> list[Setting]: ...
def pieces() -> list[Piece]: ...
def given(params: dict[str, Any]) -> list[tuple[str, Any]]: ...
def plain(value: Any) -> Any: ...
def parameters() -> str: ...
def stub() -> str: ...
'''
