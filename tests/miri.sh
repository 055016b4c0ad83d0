#!/usr/bin/env bash
# The CPU kernels' shared writes under Miri, which finds data races, writes outside of memory and aliasing that is not allowed: on small shapes, with three threads. Needs the nightly
# toolchain: rustup toolchain install nightly --component miri rust-src. Miri has no vectors of its own width, so kernels run in their plain form.
# Words behind the command name other tests of the library.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! cargo +nightly miri --version >/dev/null 2>&1; then
    echo "NOT TESTED: Miri is not installed: rustup toolchain install nightly --component miri rust-src"
    exit "${ELBO_TEST_ALL:-0}"
fi
# Rayon keeps pointers as numbers; its threads outlive the tests. Both are known, and are not what is looked for.
export MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-ignore-leaks -Zmiri-permissive-provenance -Zmiri-tree-borrows"
export RAYON_NUM_THREADS=3
exec cargo +nightly miri test --lib --no-default-features "${@:-miri_}"
