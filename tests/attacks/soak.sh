#!/usr/bin/env bash
# soak.sh [MINUTES] [DEVICE…]: trains at full speed for so long (60) on each device (cpu, and gpu where there is an adapter), evaluating and saving all the time. Memory, descriptors and threads,
# as /proc tells them, must stay as they are behind the first fifth: no more than 2 % and 4 MB of memory, no thread, and one descriptor (a file that is being written) may come to it. THREADS bounds the threads (all).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
MINUTES=${1:-60}
shift
devices=("$@")
if [ ${#devices[@]} = 0 ]; then
    devices=(cpu)
    if "$ELBO" devices 2>/dev/null | grep -q '^gpu'; then devices+=(gpu); else echo "NOT TESTED: there is no GPU adapter"; fi
fi

# largest COLUMN FROM TO: of the samples between two parts (in percent) of the time.
largest() {
    local all
    all=$(wc -l <samples.txt)
    sed -n "$((all * $2 / 100 + 1)),$((all * $3 / 100))p" samples.txt | cut -d' ' -f"$1" | sort -n | tail -1
}

for device in "${devices[@]}"; do
    attempt "$device"
    rm -rf run samples.txt
    # So slowly that it does not learn by heart in hours what it is held against.
    "$ELBO" train --device "$device" ${THREADS:+--threads "$THREADS"} --count 2000 --resolution 16 --validation 200 --hidden 64 --latent 4 --batch 50 --epochs 100000000 \
        --learning-rate 1e-6 --checkpoint-every 5 --log-every 100 --quiet --out run </dev/null >said.txt 2>&1 &
    child=$!
    ends=$(($(now) + MINUTES * 60000))
    while [ "$(now)" -lt "$ends" ] && kill -0 "$child" 2>/dev/null; do
        sleep 1
        kill -0 "$child" 2>/dev/null || break
        # shellcheck disable=SC2046 # three words
        echo $(awk '/^VmRSS/ {memory = $2} /^Threads/ {threads = $2} END {print memory, threads}' "/proc/$child/status") $(ls "/proc/$child/fd" | wc -l) >>samples.txt
    done
    problem=
    kill -0 "$child" 2>/dev/null || problem="it has ended: $(said) "
    kill -INT "$child" 2>/dev/null
    wait "$child"
    code=$?
    [ "$code" = 130 ] || problem+="status $code. "
    [ "$(wc -l <samples.txt)" -ge 20 ] || problem+="too few samples. "
    if [ -z "$problem" ]; then
        before=($(largest 1 20 40) $(largest 2 20 40) $(largest 3 20 40))
        after=($(largest 1 80 100) $(largest 2 80 100) $(largest 3 80 100))
        echo "$device: $(wc -l <samples.txt) samples, $(tail -1 run/metrics.jsonl | grep -o '"epoch":[0-9]*') done; memory ${before[0]} kB, then ${after[0]}; threads ${before[1]}, ${after[1]}; descriptors ${before[2]}, ${after[2]}"
        [ "${after[0]}" -le $((before[0] * 102 / 100 + 4096)) ] || problem+="memory grows. "
        [ "${after[1]}" -le "${before[1]}" ] || problem+="threads come to it. "
        [ "${after[2]}" -le $((before[2] + 1)) ] || problem+="descriptors come to it. "
    fi
    verdict "$device" "$problem"
done
finish "at full speed for $MINUTES minutes"
