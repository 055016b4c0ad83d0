#!/usr/bin/env bash
# The whole test suite. Installs what the tests need and the machine lacks, where it can: a software Vulkan driver (Debian,
# Ubuntu, as root), chromium for reports (the same) and Tint, the browsers' shader compiler (npm). What cannot be tested is said, in lines that begin with NOT TESTED;
# with ELBO_TEST_ALL=1 it fails (data sets excepted). Tests that need data which is not part of the project run where ELBO_DATA names its folder. Words
# behind the command go to cargo test. The last line is cargo's own summary.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${ELBO_NO_GPU:-}" != 1 ] && [ -z "$(find /usr/share/vulkan/icd.d /etc/vulkan/icd.d -name '*.json' 2>/dev/null)" ] &&
    [ "$(uname)" = Linux ] && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    echo "No Vulkan driver found: installing mesa-vulkan-drivers and libvulkan1"
    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
        mesa-vulkan-drivers libvulkan1 >/dev/null) || echo "They could not be installed"
fi

if [ "${ELBO_NO_TINT:-}" != 1 ] && [ ! -d target/tint/node_modules/webgpu ] && command -v npm >/dev/null; then
    echo "Installing Tint (npm package webgpu) into target/tint"
    npm install --silent --no-audit --no-fund --prefix target/tint webgpu@0.6.2 >/dev/null || echo "It could not be installed"
fi

# Advisories, licences and sources of what is linked.
if command -v cargo-deny >/dev/null; then
    cargo deny check
else
    echo "Without cargo-deny: licences and advisories are not looked at (cargo install cargo-deny --locked)"
fi

if ! command -v chromium >/dev/null && [ "$(uname)" = Linux ] && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    echo "Installing chromium, in which reports are opened"
    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium >/dev/null) ||
        echo "It could not be installed"
fi

# Mesa complains of a missing one on machines without a desktop.
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-$PWD/target}"

# What cargo is told, and behind `--` what the tests are told.
cargo_words=() test_words=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    cargo_words+=("$1")
    shift
done
if [ $# -gt 0 ]; then
    shift
    test_words=("$@")
fi
if [ -n "${ELBO_DATA:-}" ]; then
    echo "With the data sets in $ELBO_DATA"
    test_words+=(--include-ignored)
else
    echo "Without data sets: tests that need some are listed as ignored (ELBO_DATA names their folder)"
fi

# Minutes, on a machine that has all it needs: only where it is asked for.
if [ "${ELBO_DX12:-}" = 1 ]; then
    bash tests/dx12.sh
fi
if [ "${ELBO_MPI:-}" = 1 ]; then
    bash tests/mpi.sh
fi

if [ "${ELBO_PYTHON:-}" = 1 ]; then
    bash tests/python.sh
fi

# An empty array is an unset variable to the bash of macOS.
cargo test --doc ${cargo_words[@]+"${cargo_words[@]}"} 2>&1
exec cargo test --lib --bins --tests --example proxy ${cargo_words[@]+"${cargo_words[@]}"} -- ${test_words[@]+"${test_words[@]}"} 2>&1
