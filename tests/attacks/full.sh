#!/usr/bin/env bash
# full.sh [STEPS]: a disk that is full at STEPS (12) different sizes: a small file system of its own where this may be mounted (as root on Linux), else a limit on
# the size of files. Commands must end with status 1 and say which file could not be written, or do their work; after there is room again,
# --resume (or the same command) must leave what an unbroken run leaves.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
STEPS=${1:-12}
CPU="--device cpu --threads 1"
EPOCHS=40

elbo train $SMALL --epochs $EPOCHS --out whole || { said; exit 1; }
elbo sample whole --count 2000 $CPU --seed 9 --out rows.npy || { said; exit 1; }
elbo encode whole --data rows.npy $CPU --draws 5 --out whole.csv || { said; exit 1; }
elbo fit-prior whole $CPU --epochs 3 --out whole-fitted || { said; exit 1; }
elbo compress whole --data rows.npy --binarise --threads 1 --out whole.elbo || { said; exit 1; }

mkdir disk
if mount -t tmpfs -o size=1m tmpfs disk 2>/dev/null; then
    trap 'cd /; umount "$PLACE/disk" 2>/dev/null; rm -rf "$PLACE"' EXIT
    room() { mount -o remount,size="$1k" disk; }
    how="a file system of"
else
    echo "No file system can be mounted here: a limit on the size of files stands in for it"
    room() { limit=$1; }
    how="files of at most"
fi
limit=unlimited

# limited WORDS…: within the room that there is.
limited() {
    (trap '' XFSZ; ulimit -f "$limit"; exec "$ELBO" "$@" </dev/null >said.txt 2>&1)
}

# ended STATUS: what is wrong with how a command ended.
ended() {
    case $1 in
        0) ;;
        1) grep -q '^error: .*\(write\|create\|copy\|lock\)' said.txt || echo "it does not say which file: $(said)" ;;
        *) echo "status $1: $(said)" ;;
    esac
}

for ((i = 1; i <= STEPS; i++)); do
    kb=$((i * 12 + i * i * 2))

    attempt train
    rm -rf disk/*
    room "$kb"
    limited train $SMALL --epochs $EPOCHS --out disk/run
    problem=$(ended $?)
    for file in disk/run/*.jsonl disk/run/*.csv; do
        [ ! -s "$file" ] || [ "$(tail -c1 "$file" | od -An -c | tr -d ' ')" = '\n' ] || problem+="$file ends within a line. "
    done
    room 4096
    limit=unlimited
    if [ -e disk/run/checkpoint.safetensors ]; then elbo train --resume disk/run $CPU; else elbo train $SMALL --epochs $EPOCHS --out disk/run; fi ||
        problem+="with room again: $(said) "
    cmp -s disk/run/checkpoint.safetensors whole/checkpoint.safetensors || problem+="another outcome. "
    verdict train "${problem:+$how $kb kB: }$problem$(figures disk/run $EPOCHS)$(leftovers disk)"

    for name in encode fit-prior compress; do
        attempt "$name"
        rm -rf disk/*
        room "$kb"
        case $name in
            encode) words=(encode whole --data rows.npy $CPU --draws 5 --out disk/out.csv) whole=whole.csv out=disk/out.csv ;;
            fit-prior) words=(fit-prior whole $CPU --epochs 3 --out disk/fitted) whole=whole-fitted/checkpoint.safetensors out=disk/fitted/checkpoint.safetensors ;;
            compress) words=(compress whole --data rows.npy --binarise --threads 1 --out disk/out.elbo) whole=whole.elbo out=disk/out.elbo ;;
        esac
        limited "${words[@]}"
        code=$?
        problem=$(ended $code)
        [ ! -e "$out" ] || cmp -s "$out" "$whole" || problem+="half a file is left. "
        room 4096
        limit=unlimited
        if [ "$code" != 0 ]; then
            # A prior that was fitted and kept, and whose pictures could not be drawn, is there.
            [ "$name" = fit-prior ] && [ -e "$out" ] || elbo "${words[@]}" || problem+="with room again: $(said) "
            cmp -s "$out" "$whole" || problem+="another outcome. "
        fi
        verdict "$name" "${problem:+$how $kb kB: }$problem$(leftovers disk)"
    done
done
finish "a disk that is full"
