#!/usr/bin/env bash
# Builds the wheel of the Python package, installs it into a virtual environment, and runs its tests and its example notebook, without and with
# the program. The last line is a summary; any failure is one of the script. Words behind the command go to pytest.
#
#   bash tests/python.sh                                   # builds the program too, whose runs the package opens
#   ELBO=target/release/elbo bash tests/python.sh -k arrays
#
# ELBO_VENV=DIR names the environment, which is made if it is not there; ELBO_WHEEL=debug builds quickly what computes slowly.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${ELBO:-}" ]; then
    cargo build --release
    ELBO="${CARGO_TARGET_DIR:-target}/release/elbo"
fi
ELBO="$(realpath "$ELBO")"
export ELBO

venv="${ELBO_VENV:-target/python}"
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
venv="$(realpath "$venv")"
"$venv/bin/python" -c "import maturin" 2>/dev/null || "$venv/bin/pip" install --quiet "maturin>=1.9,<2"

profile=--release
[ "${ELBO_WHEEL:-}" != debug ] || profile=
wheels="$(mktemp -d)"
trap 'rm -r "$wheels"' EXIT
# shellcheck disable=SC2086
"$venv/bin/maturin" build $profile --quiet --locked --manifest-path python/Cargo.toml --out "$wheels"
wheel="$(echo "$wheels"/*.whl)"
"$venv/bin/pip" install --quiet --force-reinstall --no-deps "$wheel"
"$venv/bin/pip" install --quiet "$wheel[test]"

# From elsewhere, so that what was installed is tested, and not the source.
"$venv/bin/python" -m pytest -q -c python/pyproject.toml --rootdir python python/tests "$@"
"$venv/bin/python" -m mypy --config-file python/pyproject.toml python/tests/typed.py
echo "The wheel $(basename "$wheel") was built, installed and tested"
