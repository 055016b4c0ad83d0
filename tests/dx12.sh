#!/usr/bin/env bash
# Direct3D 12 on Linux: the program and its tests, compiled for Windows, under Wine, whose Direct3D runs on Mesa's software Vulkan (dx12/windows.sh).
#
# What it shows: wgpu's DX12 backend, naga's HLSL, root constants, Microsoft's FXC, and the texts for real GPUs, which no other software
# adapter is given. What it does not: DXC and shader model 6 with its wave operations (compilers.sh compiles for them), Microsoft's
# runtime, and any vendor's driver.
#
# - `elbo doctor`: every kernel against the processor.
# - The parity tests: all texts that an adapter might be given, guard words, negative controls.
# - Ten training steps of VAEs against the figures of PyTorch.
# - Two epochs of training against the CPU executor: losses agree to a part in 100,000, and those of another seed do not.
#
# ELBO_DX12_CACHE names the folder that keeps the tree and the build. Words behind the command are parts to do: doctor, parity, steps, training.
source "$(dirname "$0")/dx12/windows.sh"
cd "$HERE/../.."
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

# executable NAME: the path of what was built under a name.
executable() {
    grep -F "\"name\":\"$1\"" <<<"$built" | grep -o '"executable":"[^"]*"' | cut -d'"' -f4 | tail -1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$(executable elbo)" "$work/elbo.exe"
cp "$(executable engine)" "$work/engine.exe"
cp "$(executable formulas)" "$work/formulas.exe"
cp "$MICROSOFT/d3dcompiler_47.dll" "$work"

# on_windows PROGRAM WORDS…: runs a Windows program of the work folder there, where DX12 is all that is seen and nothing may be left out, in at most an hour.
on_windows() {
    local program=$1
    shift
    WGPU_BACKEND=dx12 WGPU_DX12_COMPILER=fxc ELBO_CACHE_DIR= ELBO_TEST_ALL=1 RUST_BACKTRACE=1 \
        enter "$work" bash -c 'cd /mnt/work && timeout 3600 wine64 "$@"' bash "$program" "$@"
}

failed=()

# part NAME COMMAND…: does a part, if it is asked for, and tells how long it took.
part() {
    local name=$1 started=$SECONDS
    shift
    [[ "$parts" == *" $name "* ]] || return 0
    echo "== $name"
    if "$@"; then
        echo "== $name: passed, $((SECONDS - started)) s"
    else
        echo "== $name: FAILED, $((SECONDS - started)) s"
        failed+=("$name")
    fi
}

# tests PROGRAM FILTER: runs tests, of which there must be some.
tests() {
    local said=$work/tests.txt
    on_windows "$1" "$2" --test-threads 1 --nocapture 2>&1 | tee "$said" | tr -d '\r' | grep -E '^(on |test |failures|[a-z]+: [0-9]+ runs)|FAILED|panicked' || true
    grep -Eq 'test result: ok\. [1-9][0-9]* passed; 0 failed' "$said" || { tail -40 "$said"; return 1; }
}

# train NAME DEVICE SEED: two epochs.
train() {
    on_windows elbo.exe train --data sprites --resolution 16 --count 2000 --validation 200 --epochs 2 --batch 64 --hidden 64 --latent 4 \
        --device "$2" --seed "$3" --out "$1" >"$work/$1.txt" 2>&1 || { cat "$work/$1.txt"; return 1; }
}

# losses RUN: a line for each epoch and part of the data: epoch, part, loss.
losses() {
    grep -oE '"epoch":[0-9]+|"split":"[a-z]+"|"loss":-?[0-9.e-]+' "$work/$1/metrics.jsonl" | cut -d: -f2 | paste - - -
}

# apart RUN RUN: the largest relative difference between the losses of two runs.
apart() {
    paste <(losses "$1") <(losses "$2") | awk '
        $1 != $4 || $2 != $5 { print "they do not have the same records"; exit }
        { d = ($3 - $6) / $6; if (d < 0) d = -d; if (d > most) most = d; n++ }
        END { if (n == 6) printf "%.3e\n", most; else print "there are " n " records, 6 were expected" }'
}

training() {
    train gpu 0 1 && train cpu cpu-exact 1 && train other cpu-exact 2 || return 1
    grep '^Device' "$work/gpu.txt"
    echo "epoch, part, loss on DX12; and on the CPU executor"
    paste <(losses gpu) <(losses cpu | cut -f3)
    local close far
    close=$(apart gpu cpu) far=$(apart gpu other)
    echo "largest relative difference: $close; to another seed: $far"
    grep -q Dx12 "$work/gpu.txt" && awk -v close="$close" -v far="$far" 'BEGIN { exit !(close + 0 == close && far + 0 == far && close <= 1e-5 && far > 1e-5) }'
}

part doctor on_windows elbo.exe doctor --device 0
part parity tests engine.exe parity::
part steps tests formulas.exe ten_steps_on_the_gpu
part training training
[ "${#failed[@]}" = 0 ] || { echo "FAILED on DX12: ${failed[*]}"; exit 1; }
echo "Passed on DX12:$parts"
