#!/usr/bin/env bash
# Direct3D 12 on Linux: the program and its tests, compiled for Windows, under Wine, whose Direct3D runs on Mesa's software Vulkan (dx12/windows.sh).
#
# What it shows: wgpu's DX12 backend, naga's HLSL, root constants, Microsoft's FXC, and the texts for real GPUs, which no other software
# adapter is given. What it does not: DXC and shader model 6 with its wave operations (compilers.sh compiles for them), Microsoft's
# runtime, and any vendor's driver.
#
# What is tried is told in drivers/parts.sh. ELBO_DX12_CACHE names the folder that keeps the tree and the build. Words behind the command are
# parts to do: doctor, parity, steps, training.
#
# What FXC wrote is kept there as well, and texts that have not changed since are not compiled again (dx12/kept.cpp, which dx12/kept_control.cpp
# tries first). ELBO_DX12_FRESH=1 sends every text through FXC.
source "$(dirname "$0")/dx12/windows.sh"
cd "$HERE/../.."
source tests/drivers/parts.sh
parts=" ${*:-doctor parity steps training} "
windows

target=x86_64-pc-windows-gnu
if ! rustc --print target-libdir --target $target 2>/dev/null | xargs -I{} test -d {}; then
    command -v rustup >/dev/null || cannot "Rust's standard library for $target is not there, and no rustup to fetch it"
    rustup target add $target || cannot "rustup cannot fetch Rust's standard library for $target"
fi

echo "Compiling for Windows"
# Speed of compiling goes before that of running, which is the driver's.
built=$(CARGO_TARGET_DIR=$CACHE/target CARGO_INCREMENTAL=0 cargo --config 'profile.dev.package."*".opt-level=1' \
    --config profile.test.opt-level=1 --config profile.test.debug=false --config 'profile.test.strip="symbols"' \
    test --locked --no-run --target $target --test engine --test formulas --message-format=json-render-diagnostics)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for name in elbo engine formulas; do
    cp "$(executable "$name" "$built")" "$work/$name.exe"
done
unset ELBO_FXC_KEPT
if [ "${ELBO_DX12_FRESH:-}" = 1 ]; then
    cp "$MICROSOFT/d3dcompiler_47.dll" "$work"
else
    keep_what_fxc_writes
fi

# run PROGRAM WORDS…: a Windows program, where DX12 is all that is seen.
run() {
    local program=$1.exe
    shift
    WGPU_BACKEND=dx12 WGPU_DX12_COMPILER=fxc ELBO_CACHE_DIR= ELBO_TEST_ALL=1 RUST_BACKTRACE=1 \
        enter "$work" bash -c 'cd /mnt/work && timeout 3600 wine64 "$@"' bash "$program" "$@"
}

try_parts Dx12
[ -z "${ELBO_FXC_KEPT:-}" ] || tell_what_fxc_did
[ "${#failed[@]}" = 0 ] || { echo "FAILED on DX12: ${failed[*]}"; exit 1; }
echo "Passed on DX12:$parts"
