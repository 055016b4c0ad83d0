#!/bin/bash
# One model on several processes by MPI: installs Open MPI and libclang where they are missing (Debian or Ubuntu, as root), builds the program
# with the feature `mpi`, and holds two and three ranks against one. Not part of tests/run.sh, as it builds the program once more.
#
# MPI_DEVICE=N names the device of the ranks (usually cpu); a software driver will do. MPI_ELBO=PATH names a program that has been built.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v mpirun >/dev/null || ! ls /usr/lib/*/libclang*.so* /usr/lib/llvm-*/lib/libclang*.so* >/dev/null 2>&1; then
    apt-get update -qq
    apt-get install -y -qq libopenmpi-dev openmpi-bin libclang-dev
fi
if [ -z "${MPI_ELBO:-}" ]; then
    cargo build --features mpi --bin elbo
fi
elbo=$(realpath "${MPI_ELBO:-${CARGO_TARGET_DIR:-target}/debug/elbo}")
device=${MPI_DEVICE:-cpu}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/tmp}

# As many ranks as are asked for, however few cores there are.
ranks() {
    local count=$1
    shift
    mpirun --allow-run-as-root --oversubscribe -n "$count" "$elbo" "$@"
}
settings=(--threads 1 --count 150 --resolution 8 --validation 20 --epochs 3 --batch 25 --encoder mlp:16 --log-every 1 --seed 5)
fail() {
    echo "FAILED: $*"
    exit 1
}

# Losses of all epochs of two runs, which must agree to a part in a million.
same() {
    paste <(grep -o '"loss":[^,]*' "$1/metrics.jsonl" | cut -d: -f2) <(grep -o '"loss":[^,]*' "$2/metrics.jsonl" | cut -d: -f2) |
        awk 'NF != 2 || ($1 - $2) ^ 2 > ($1 * 1e-6) ^ 2 { wrong = 1 } END { exit wrong || NR == 0 }' || return 1
}

"$elbo" train "${settings[@]}" --device "$device" --out one --quiet
for count in 2 3; do
    ranks "$count" train "${settings[@]}" --device "$device" --out "ranks-$count" > said.txt
    same one "ranks-$count" || fail "$count ranks come to other losses than one"
    [ "$(grep -c '^Device:' said.txt)" = 1 ] || fail "more than one rank is heard"
    if grep -q 'differ in their last bits' said.txt; then fail "$count ranks have other weights"; fi
done
# What is compared tells runs apart.
"$elbo" train "${settings[@]}" --device "$device" --out other --batch 24 --quiet
if same one other; then fail "the comparison sees nothing"; fi
echo "2 and 3 ranks come to the losses of one on $device"

# Models whose rows have something to do with each other.
for model in vq-vae factor-vae gan; do
    "$elbo" train "${settings[@]}" --model "$model" --device "$device" --out "$model-one" --quiet
    ranks 2 train "${settings[@]}" --model "$model" --device "$device" --out "$model-two" --quiet
    same "$model-one" "$model-two" || fail "$model comes to other losses on 2 ranks"
done
echo "and so do models that compare rows"

# Ranks that have something else are named, and nobody waits.
cat > differ.sh <<'END'
exec "$1" train "${@:3}" --seed "$((5 + (OMPI_COMM_WORLD_RANK == 1)))" --device "$2" --out differ
END
if timeout 120 mpirun --allow-run-as-root --oversubscribe -n 2 bash differ.sh "$elbo" "$device" --count 60 --resolution 8 --epochs 1 --threads 1 > said.txt 2>&1; then
    fail "ranks with other seeds train"
fi
grep -q 'rank 1 has other settings than rank 0' said.txt || fail "nothing is said of other settings: $(cat said.txt)"
if timeout 120 mpirun --allow-run-as-root --oversubscribe -n 2 "$elbo" train --data nonesuch --out none > said.txt 2>&1; then fail "no data is trained on"; fi
[ "$(grep -c 'nonesuch' said.txt)" = 1 ] || fail "missing data is not said once: $(cat said.txt)"

# A signal to a rank that follows stops all; the run goes on to what it would have been, on another number of ranks.
long=(--threads 1 --count 3000 --resolution 8 --validation 20 --batch 25 --encoder mlp:16 --seed 5 --epochs 4)
"$elbo" train "${long[@]}" --device "$device" --out whole --quiet
ranks 2 train "${long[@]}" --device "$device" --out stopped > said.txt 2>&1 &
launcher=$!
for _ in $(seq 600); do
    if [ -s stopped/metrics.jsonl ]; then break; fi
    sleep 0.1
done
follower=$(pgrep -P "$launcher" -f "$elbo" | sort -n | tail -1)
kill -TERM "$follower"
wait "$launcher" || true
grep -q 'Stopped in epoch' said.txt || fail "a signal to a rank does not stop the run: $(cat said.txt)"
ranks 3 train --resume stopped --quiet
same whole stopped || fail "a run that was stopped comes to other losses"

# A rank that is lost ends the run, and leaves it to go on with.
ranks 2 train "${long[@]}" --device "$device" --out lost > said.txt 2>&1 &
launcher=$!
for _ in $(seq 600); do
    if [ -s lost/metrics.jsonl ]; then break; fi
    sleep 0.1
done
follower=$(pgrep -P "$launcher" -f "$elbo" | sort -n | tail -1)
kill -KILL "$follower"
if wait "$launcher"; then fail "a lost rank is no failure"; fi
"$elbo" train --resume lost --quiet
same whole lost || fail "a run that lost a rank comes to other losses"
echo "ranks that differ are named, and runs that were stopped or lost a rank go on"
