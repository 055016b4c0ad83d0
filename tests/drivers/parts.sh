# What is tried on a driver, for the scripts that source it. They define `run PROGRAM WORDS…`, which runs elbo, engine or formulas (the programs
# of those names, in the folder $work) on that driver alone, may leave nothing out, and ends within an hour; and `parts`, the parts to do.
#
# - doctor: every kernel against the processor.
# - parity: the tests of that name: all texts that an adapter might be given, guard words, negative controls.
# - steps: ten training steps of VAEs against the figures of PyTorch.
# - training: two epochs against the CPU executor: losses agree to a part in 100,000, and those of another seed do not.
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
    run "$1" "$2" --test-threads "$(nproc)" --nocapture 2>&1 | tee "$said" | tr -d '\r' | grep -E '^(on |test |failures|[a-z]+: [0-9]+ runs)|FAILED|panicked' || true
    grep -Eq 'test result: ok\. [1-9][0-9]* passed; 0 failed' "$said" || { tail -40 "$said"; return 1; }
}

# train NAME DEVICE SEED: two epochs.
train() {
    run elbo train --data sprites --resolution 16 --count 2000 --validation 200 --epochs 2 --batch 64 --hidden 64 --latent 4 \
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

# training WORD: on an adapter whose line of the device holds the word.
training() {
    train gpu 0 1 && train cpu cpu-exact 1 && train other cpu-exact 2 || return 1
    grep '^Device' "$work/gpu.txt"
    echo "epoch, part, loss on the driver; and on the CPU executor"
    paste <(losses gpu) <(losses cpu | cut -f3)
    local here other
    here=$(apart gpu cpu) other=$(apart gpu other)
    echo "largest relative difference: $here; to another seed: $other"
    grep '^Device' "$work/gpu.txt" | grep -q "$1" &&
        awk -v here="$here" -v other="$other" 'BEGIN { exit !(here + 0 == here && other + 0 == other && here <= 1e-5 && other > 1e-5) }'
}

# try_parts WORD: all parts; see `training`.
try_parts() {
    failed=()
    part doctor run elbo doctor --device 0
    part parity tests engine parity::
    part steps tests formulas ten_steps_on_the_gpu
    part training training "$1"
}

# executable NAME BUILT: the path of what cargo has built under a name, from the lines that it said.
executable() {
    grep -F "\"name\":\"$1\"" <<<"$2" | grep -o '"executable":"[^"]*"' | cut -d'"' -f4 | tail -1
}
