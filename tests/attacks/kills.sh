#!/usr/bin/env bash
# kills.sh [N]: ends commands that write, at N random moments (100), by SIGKILL. After each, the same command (or --resume) must do its work, and the outcome
# must have the bytes of what nobody has ended. SEED decides the moments. tests/attacks/kills.sh 1000 takes about ten minutes.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
N=${1:-100}
RANDOM=${SEED:-1}

EPOCHS=12
M2="--model m1+m2 --labels 30 --data digits --validation 20 --device cpu --threads 1 --hidden 16 --latent 2 --batch 200 --epochs 4"
# What each is called, what it leaves, and the command.
declare -A leaves=(
    [train]=run [resume]=resumed [second-stage]=second [m1+m2]=m2 [fit-prior]=fitted [evaluate]=base/evaluation.json
    [compress]=rows.elbo [decompress]=again.npy [sample]=new.csv [encode]=codes.npz
)
declare -A line=(
    [train]="train $SMALL --epochs $EPOCHS --out run"
    [resume]="train --resume resumed --device cpu --threads 1 --epochs $EPOCHS"
    [second-stage]="train --second-stage base --device cpu --threads 1 --hidden 8 --epochs $EPOCHS --log-every 1 --out second"
    [m1+m2]="train $M2 --out m2"
    [fit-prior]="fit-prior base --device cpu --threads 1 --epochs 20 --out fitted"
    [evaluate]="evaluate base --device cpu --threads 1 --quick"
    [compress]="compress base --data rows.npy --binarise --threads 1 --out rows.elbo"
    [decompress]="decompress kept.elbo --threads 1 --out again.npy"
    [sample]="sample base --count 8000 --device cpu --threads 1 --out new.csv"
    [encode]="encode base --data rows.npy --device cpu --threads 1 --draws 3 --out codes.npz"
)

run() {
    # shellcheck disable=SC2086 # words of a line
    elbo $1
}

# Files by which two outcomes are held against each other.
digest() {
    case $1 in
        evaluate) grep -v -E '"(seconds|rows_per_second)' base/evaluation.json | md5sum ;;
        train | resume | second-stage | fit-prior) md5sum <"${leaves[$1]}/checkpoint.safetensors" ;;
        m1+m2) cat m2/checkpoint.safetensors m2/m1/checkpoint.safetensors | md5sum ;;
        *) md5sum <"${leaves[$1]}" ;;
    esac
}

# Puts things as they are before a command.
prepare() {
    rm -rf "${leaves[$1]}"
    [ "$1" != resume ] || cp -a half resumed
}

run "train $SMALL --epochs 3 --out base" || { said; exit 1; }
run "train $SMALL --epochs 2 --out half" || { said; exit 1; }
run "sample base --count 3000 --device cpu --threads 1 --seed 9 --out rows.npy" || { said; exit 1; }
run "compress base --data rows.npy --binarise --with-model --threads 1 --out kept.elbo" || { said; exit 1; }
names=(train resume second-stage m1+m2 fit-prior evaluate compress decompress sample encode)
declare -A whole took
for name in "${names[@]}"; do
    prepare "$name"
    begun=$(now)
    run "${line[$name]}" || { echo "$name: $(said)"; exit 1; }
    took[$name]=$(($(now) - begun))
    whole[$name]=$(digest "$name")
done

for ((i = 0; i < N; i++)); do
    name=${names[i % ${#names[@]}]}
    attempt "$name"
    prepare "$name"
    # shellcheck disable=SC2086
    "$ELBO" ${line[$name]} </dev/null >/dev/null 2>&1 &
    child=$!
    moment=$((RANDOM * (took[$name] * 11 / 10) / 32768))
    sleep "$(printf '%d.%03d' $((moment / 1000)) $((moment % 1000)))"
    kill -KILL "$child" 2>/dev/null
    wait "$child" 2>/dev/null
    again=${line[$name]}
    case $name in
        train | second-stage)
            # Once it has a checkpoint, it is gone on with; before, it is begun anew by the same words.
            [ ! -e "${leaves[$name]}/checkpoint.safetensors" ] || again="train --resume ${leaves[$name]} --device cpu --threads 1"
            ;;
        fit-prior)
            if [ -e fitted/checkpoint.safetensors ]; then again="evaluate fitted --device cpu --threads 1 --quick"; fi
            ;;
    esac
    if ! run "$again"; then
        verdict "$name" "killed after $moment ms: $again: $(said)"
        continue
    fi
    problem=
    [ "$(digest "$name")" = "${whole[$name]}" ] || problem="killed after $moment ms: the outcome is another one"
    case $name in
        train | resume | second-stage) problem+=$(figures "${leaves[$name]}" "$EPOCHS") ;;
    esac
    problem+=$(leftovers "$PLACE")
    verdict "$name" "$problem"
    find "$PLACE" -name '*partial*' -delete
done
finish "killed at a random moment"
