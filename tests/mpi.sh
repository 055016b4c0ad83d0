#!/usr/bin/env bash
# One model on several processes by MPI, held against one process: a table of what was tried, and status 1 where something is not as it should be.
# Installs Open MPI, libclang and a software Vulkan driver where they are missing (Debian or Ubuntu, as root), and builds the program with the
# feature `mpi`. tests/run.sh runs it with ELBO_MPI=1 alone, as it builds the program once more. MPI_ELBO=PATH names a program that has been built.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v mpirun >/dev/null || ! command -v mpicc >/dev/null ||
    [ -z "$(find /usr/lib -name 'libclang*.so*' -print -quit)" ] || [ -z "$(find /usr/share/vulkan/icd.d -name '*.json' 2>/dev/null)" ]; then
    echo "Installing Open MPI, libclang and a software Vulkan driver"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
        openmpi-bin libopenmpi-dev libclang-dev libc6-dev mesa-vulkan-drivers libvulkan1 >/dev/null
fi
if [ -z "${MPI_ELBO:-}" ]; then
    cargo build --features mpi --bin elbo
fi
elbo=$(realpath "${MPI_ELBO:-${CARGO_TARGET_DIR:-target}/debug/elbo}")

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/tmp}

# What is relative rounding of losses, and what none may exceed in seconds.
tolerance=1e-6
limit=300

failed=0
line() { printf '%-64s %-10s %-26s %s\n' "$@"; }
# What was tried, on how many ranks, what came of it, and whether that is right (0 is yes, as of a command).
row() {
    local verdict=ok
    if [ "$4" != 0 ]; then
        verdict=FAILED
        failed=1
        if [ -s said.txt ]; then sed 's/^/    | /' said.txt; fi
    fi
    line "$1" "$2" "$3" "$verdict"
}
# As many ranks as are asked for, however few cores there are.
launch() { timeout "$limit" mpirun --allow-run-as-root --oversubscribe "$@"; }
ranks() {
    local count=$1
    shift
    launch -n "$count" "$elbo" "$@"
}
# The largest relative difference between the losses of two runs, of all steps and of all parts of the data behind each epoch; "inf" where they are not as many.
apart() {
    local file
    for file in metrics steps; do
        paste <(grep -o '"loss":[^,}]*' "$1/$file.jsonl" | cut -d: -f2) <(grep -o '"loss":[^,}]*' "$2/$file.jsonl" | cut -d: -f2)
        echo end
    done | awk '$1 == "end" { if (!count) worst = "inf"; count = 0; next }
        NF != 2 { worst = "inf"; next }
        worst != "inf" { count++; far = ($1 - $2) / $1; if (far < 0) far = -far; if (far > worst + 0) worst = far }
        END { print worst == "" ? 0 : worst }'
}
is_near() { awk -v far="$1" -v most="$tolerance" 'BEGIN { exit !(far != "inf" && far + 0 <= most) }'; }
# Two runs come to the same losses.
same() {
    local far outcome=0
    far=$(apart "$3" "$4")
    is_near "$far" || outcome=1
    row "$1" "$2" "$far apart" "$outcome"
}
# A command that must end with a status that is not 0, within the limit, and say this once.
refused() {
    local what=$1 count=$2 said=$3 status=0 times
    shift 3
    "$@" >said.txt 2>&1 || status=$?
    times=$(grep -c -- "$said" said.txt || true)
    row "$what" "$count" "status $status, said $times times" "$([ "$status" != 0 ] && [ "$status" != 124 ] && [ "$times" = 1 ]; echo $?)"
    : >said.txt
}
: >said.txt

line "what" "ranks" "outcome" ""
model=(--threads 1 --validation 20 --epochs 3 --encoder mlp:16 --log-every 1)
rows=(--count 195 --resolution 8)
common=("${model[@]}" "${rows[@]}" --batch 25 --seed 5)
settings=("${common[@]}" --device cpu)
"$elbo" train "${settings[@]}" --out one --quiet

# What a run says at its end where ranks have come to other weights.
uneven='differ in their last bits'
for count in 1 2 3 4; do
    status=0
    ranks "$count" train "${settings[@]}" --out "ranks-$count" >said.txt 2>&1 || status=$?
    same "losses of one process" "$count" one "ranks-$count"
    times=$(grep -c '^Device:' said.txt || true)
    row "one rank alone is heard" "$count" "$times times" "$([ "$times" = 1 ]; echo $?)"
    row "the same weights on all ranks" "$count" "status $status, its own check" "$([ "$status" = 0 ] && ! grep -q "$uneven" said.txt; echo $?)"
done
# An MPI that gives rank 1 other sums of gradients; what ranks settle with each other is shorter.
cat >uneven.c <<'C'
#include <mpi.h>
int MPI_Allreduce(const void *own, void *sums, int count, MPI_Datatype type, MPI_Op op, MPI_Comm all) {
    int rank, outcome = PMPI_Allreduce(own, sums, count, type, op, all);
    MPI_Comm_rank(all, &rank);
    if (rank == 1 && count > 1000) {
        for (int i = 0; i < count; i++) ((float *)sums)[i] += 0.01f * (i % 3);
    }
    return outcome;
}
C
mpicc -shared -fPIC -o uneven.so uneven.c
status=0
launch -x LD_PRELOAD="$folder/uneven.so" -n 2 "$elbo" train "${settings[@]}" --out uneven >said.txt 2>&1 || status=$?
row "(control: other weights on rank 1 are told apart)" 2 "status $status, its own check" "$([ "$status" = 0 ] && grep -q "$uneven" said.txt; echo $?)"
"$elbo" train "${model[@]}" "${rows[@]}" --batch 24 --seed 5 --device cpu --out other --quiet
far=$(apart one other)
row "(control: another batch is told apart)" 1 "$far apart" "$(! is_near "$far"; echo $?)"
"$elbo" train "${common[@]}" --devices cpu,cpu --out threads --quiet
row "the bits of --devices cpu,cpu" 2 "checkpoints" "$(cmp -s threads/checkpoint.safetensors ranks-2/checkpoint.safetensors; echo $?)"
row "(control: the bits of one process are others)" 1 "checkpoints" "$(! cmp -s one/checkpoint.safetensors ranks-2/checkpoint.safetensors; echo $?)"

# Rounding may lead a codebook to other codes: what these are held to is the same parts in one process, which tests/models/shared.rs holds to one device.
for kind in vq-vae factor-vae gan; do
    "$elbo" train "${common[@]}" --model "$kind" --devices cpu,cpu --out "$kind-threads" --quiet
    ranks 2 train "${settings[@]}" --model "$kind" --out "$kind-ranks" --quiet >said.txt 2>&1 || true
    row "the bits of --devices cpu,cpu: $kind, whose rows are compared" 2 "checkpoints" \
        "$(cmp -s "$kind-threads/checkpoint.safetensors" "$kind-ranks/checkpoint.safetensors"; echo $?)"
done

"$elbo" sample one --count 4000 --seed 1 --out rows.npy --quiet
stream=(--threads 1 --device cpu --data rows.npy --memory 400kB --validation 20 --epochs 2 --batch 25 --encoder mlp:16 --log-every 1 --seed 5)
"$elbo" train "${stream[@]}" --out stream-one --quiet
ranks 2 train "${stream[@]}" --out stream-two --quiet >said.txt 2>&1 || true
same "losses of data that stays on disk" 2 stream-one stream-two

if "$elbo" devices | grep -q llvmpipe; then
    vulkan=("${common[@]}" --device llvmpipe)
    "$elbo" train "${vulkan[@]}" --out vulkan-one --quiet
    ranks 2 train "${vulkan[@]}" --out vulkan-two --quiet >said.txt 2>&1 || true
    same "losses on software Vulkan" 2 vulkan-one vulkan-two
else
    row "losses on software Vulkan: no such driver" 2 "not tried" 1
fi
launch -n 1 "$elbo" train "${common[@]}" --device cpu --out mixed : -n 1 "$elbo" train "${common[@]}" --device cpu-exact --out mixed \
    >said.txt 2>&1 || true
same "each rank with a device of its own (cpu, cpu-exact)" 2 one mixed

# Ranks that have something else.
new=("$elbo" train "${settings[@]}" --out new)
other=("$elbo" train "${model[@]}" --batch 25 --seed 5 --device cpu --out new)
refused "another seed" 2 'rank 1 differs from rank 0 in its settings: rank 1 has `seed = 6`, rank 0 `seed = 5`' \
    launch -n 1 "${new[@]}" : -n 1 "$elbo" train "${model[@]}" "${rows[@]}" --batch 25 --seed 6 --device cpu --out new
refused "other rows" 3 'rank 2 differs from rank 0 in its rows' launch -n 2 "${new[@]}" : -n 1 "${other[@]}" --data rows.npy
refused "another task" 2 'rank 1 differs from rank 0 in its task: rank 1 has `--print-config`, rank 0 `training`' \
    launch -n 1 "${new[@]}" : -n 1 "${new[@]}" --print-config
refused "no data on one rank" 3 'nonesuch' launch -n 2 "${new[@]}" : -n 1 "${other[@]}" --data nonesuch
refused "no data on any" 2 'nonesuch' launch -n 2 "${other[@]}" --data nonesuch
refused "more ranks than rows of a batch" 3 'batch of 2 rows' launch -n 3 "$elbo" train "${model[@]}" "${rows[@]}" --batch 2 --device cpu --out new
refused "several devices in each" 2 'share this training' launch -n 2 "$elbo" train --devices cpu,cpu --out new
refused "two models in one go" 2 'second-stage' launch -n 2 "${new[@]}" --model m1+m2 --labels 10
refused "a folder that holds a run" 2 'holds a run already' launch -n 2 "$elbo" train "${settings[@]}" --out one
# One that MPI has not joined to the others, whatever launcher says that there are some.
for name in OMPI_COMM_WORLD_SIZE PMI_SIZE SLURM_STEP_NUM_TASKS; do
    refused "others that are not found, by $name" 1 "4 processes were started together, as $name says" env "$name=4" "${new[@]}"
done
row "and none of them leaves a folder" "" "$(ls -d new 2>/dev/null || echo none)" "$([ ! -e new ]; echo $?)"

# Runs that are stopped, and runs that lose a rank.
long=(--threads 1 --device cpu --count 1500 --resolution 8 --validation 20 --batch 25 --encoder mlp:16 --seed 5 --epochs 8)
begin() {
    local out=$1
    ranks 2 train "${long[@]}" --out "$out" >said.txt 2>&1 &
    launcher=$!
    for _ in $(seq 600); do
        if [ "$(wc -l 2>/dev/null <"$out/metrics.jsonl" || echo 0)" -ge 3 ]; then return; fi
        sleep 0.1
    done
}
# The process of a rank among those that a shell has started.
process() {
    local id
    for id in $(pgrep -f "$elbo train"); do
        if tr '\0' '\n' <"/proc/$id/environ" 2>/dev/null | grep -qx "OMPI_COMM_WORLD_RANK=$1" && grep -qz "^$2\$" "/proc/$id/cmdline"; then
            echo "$id"
        fi
    done
}
ranks 2 train "${long[@]}" --out whole --quiet >said.txt 2>&1 || true
for rank in 0 1; do
    begin "stopped-$rank"
    kill -TERM "$(process "$rank" "stopped-$rank")" || true
    status=0
    wait "$launcher" || status=$?
    row "a signal to rank $rank stops all, which is saved" 2 "status $status" "$([ "$status" = 130 ] && grep -q 'Stopped in epoch' said.txt; echo $?)"
done
ranks 2 train --resume stopped-0 --quiet >said.txt 2>&1 || true
row "gone on with at as many, it has the bits of one that was not" 2 "checkpoints" "$(cmp -s whole/checkpoint.safetensors stopped-0/checkpoint.safetensors; echo $?)"
ranks 3 train --resume stopped-1 --quiet >said.txt 2>&1 || true
same "gone on with at another number" "2, then 3" whole stopped-1
row "(control: other bits)" "2, then 3" "checkpoints" "$(! cmp -s whole/checkpoint.safetensors stopped-1/checkpoint.safetensors; echo $?)"
for rank in 0 1; do
    begin "lost-$rank"
    kill -KILL "$(process "$rank" "lost-$rank")" || true
    status=0
    wait "$launcher" || status=$?
    row "the loss of rank $rank ends all" 2 "status $status" "$([ "$status" != 0 ] && [ "$status" != 124 ]; echo $?)"
done
"$elbo" train --resume lost-0 --device cpu --quiet
same "a run that lost rank 0, gone on with alone" "2, then 1" whole lost-0
ranks 2 train --resume lost-1 --quiet >said.txt 2>&1 || true
row "a run that lost rank 1, gone on with: the bits of one that did not" 2 "checkpoints" "$(cmp -s whole/checkpoint.safetensors lost-1/checkpoint.safetensors; echo $?)"
refused "ranks that go on with another number of epochs" 2 'rank 1 differs from rank 0 in its settings' \
    launch -n 1 "$elbo" train --resume whole --epochs 9 : -n 1 "$elbo" train --resume whole --epochs 10
row "after which the run is as it was" "" "epochs = 8" "$(grep -qx 'epochs = 8' whole/config.toml; echo $?)"

steps=(bench --reduction --device cpu --step classic --seconds 0.01 --json)
ranks 2 "${steps[@]}" --batch 4 >said.txt 2>/dev/null || true
row "elbo bench --reduction" 2 "" "$(grep -q '"ranks":2' said.txt; echo $?)"
refused "elbo bench --reduction of other steps" 2 'in its steps: rank 1 has `classic with 8 rows`, rank 0 `classic with 4 rows`' \
    launch -n 1 "$elbo" "${steps[@]}" --batch 4 : -n 1 "$elbo" "${steps[@]}" --batch 8

if [ "$failed" = 1 ]; then
    echo "FAILED"
    exit 1
fi
echo "All as it should be"
