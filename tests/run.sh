#!/usr/bin/env bash
# The whole test suite. Installs what the tests need and the machine lacks: a software Vulkan driver (Debian, Ubuntu, as
# root) and Tint, the browsers' shader compiler (npm). The last line is cargo's own summary.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${ELBO_NO_GPU:-}" != 1 ] && [ -z "$(find /usr/share/vulkan/icd.d /etc/vulkan/icd.d -name '*.json' 2>/dev/null)" ] &&
    [ "$(uname)" = Linux ] && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    echo "No Vulkan driver found: installing mesa-vulkan-drivers and libvulkan1"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends mesa-vulkan-drivers libvulkan1 >/dev/null
fi

if [ "${ELBO_NO_TINT:-}" != 1 ] && [ ! -d target/tint/node_modules/webgpu ]; then
    if command -v npm >/dev/null; then
        echo "Installing Tint (npm package webgpu) into target/tint"
        npm install --silent --no-audit --no-fund --prefix target/tint webgpu@0.6.2 >/dev/null
    else
        echo "npm was not found: install node, or set ELBO_NO_TINT=1 to do without the browsers' shader compiler"
    fi
fi

# Mesa complains of a missing one on machines without a desktop.
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-$PWD/target}"

cargo test --doc "$@" 2>&1
exec cargo test --lib --bins --tests "$@" 2>&1
