"""What rows and codes are given back in: arrays, or tables of pandas, polars or Arrow."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.utils._set_output import ADAPTERS_MANAGER


class ArrowAdapter:
    """Tables of Arrow for `set_output(transform="pyarrow")`."""

    container_lib = "pyarrow"

    def create_container(self, X_output: Any, X_original: Any, columns: Any, inplace: bool = True) -> Any:
        """A table of the columns of an array, or an array's table under other names."""
        import pyarrow

        if isinstance(X_output, pyarrow.Table):
            return X_output.rename_columns([str(name) for name in _names(columns)])
        return table("pyarrow", np.asarray(X_output), _names(columns))

    def is_supported_container(self, X: Any) -> bool:
        """Whether it is a table of Arrow."""
        import pyarrow

        return isinstance(X, pyarrow.Table)

    def rename_columns(self, X: Any, columns: Any) -> Any:
        """The table under other names."""
        return X.rename_columns([str(name) for name in columns])

    def hstack(self, Xs: Any) -> Any:
        """Tables beside each other."""
        import pyarrow

        pairs = [(name, column) for X in Xs for name, column in zip(X.column_names, X.columns)]
        return pyarrow.table([column for _, column in pairs], names=[name for name, _ in pairs])


# scikit-learn has no public way to add one; where it or another package has one of its own, that stands.
if ArrowAdapter.container_lib not in ADAPTERS_MANAGER.adapters:
    ADAPTERS_MANAGER.register(ArrowAdapter())


def _names(columns: Any) -> Any:
    return columns() if callable(columns) else columns


def wanted(estimator: Any) -> str:
    """What the codes of an estimator are given back in, as `set_output` has it: `default` for arrays."""
    own = getattr(estimator, "_sklearn_output_config", {}).get("transform")
    return str(own or get_config()["transform_output"])


def table(library: str, values: np.ndarray[Any, Any], names: Any, index: Any = None) -> Any:
    """The columns of an array `[rows, width]` as a table."""
    if library == "pandas":
        import pandas

        return pandas.DataFrame(values, columns=names, index=index)
    columns = {str(name): np.ascontiguousarray(column) for name, column in zip(names, values.T)}
    if library == "pyarrow":
        import pyarrow

        return pyarrow.table(columns)
    import polars

    return polars.DataFrame(columns)
