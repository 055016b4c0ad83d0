#!/usr/bin/env bash
# Holds files for other tools against those tools: ONNX files against onnx and onnxruntime, weights against PyTorch, event files against
# TensorBoard. Installs these into target/other-tools with pip, once. Words behind the command choose what is tried: onnx, weights,
# tensorboard; all where there are none.
#
#   bash tests/other_tools.sh                         # builds the program, and tries all
#   ELBO=target/release/elbo bash tests/other_tools.sh onnx
#
# ELBO_VENV=DIR names a virtual environment that has the packages already.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${ELBO:-}" ]; then
    cargo build --release
    ELBO="${CARGO_TARGET_DIR:-target}/release/elbo"
fi
export ELBO="$(realpath "$ELBO")"

venv="${ELBO_VENV:-target/other-tools}"
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
needed() { "$venv/bin/python" -c "import $1" 2>/dev/null || "$venv/bin/pip" install --quiet "$2"; }

[ $# -gt 0 ] || set -- onnx weights tensorboard
needed numpy numpy
needed safetensors safetensors
for what in "$@"; do
    case "$what" in
        onnx) needed onnx onnx; needed onnxruntime onnxruntime; script=onnx_files ;;
        weights) needed torch torch; script=torch_weights ;;
        tensorboard) needed tensorboard tensorboard; script=tensorboard_events ;;
        *) echo "There is no check named $what: give onnx, weights or tensorboard" >&2; exit 2 ;;
    esac
    "$venv/bin/python" "tests/other_tools/$script.py"
done
