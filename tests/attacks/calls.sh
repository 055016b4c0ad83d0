#!/usr/bin/env bash
# calls.sh [MOST]: the Nth call of the system fails. strace counts the calls of a command by kind (those with which a process starts are left alone), then fails one at a
# time: every one, or MOST (8) of each kind spread over all. The command must end with a line and status 1, or as if nothing was; nothing half written may have the name
# of a file; and --resume or the same command must then leave what an unbroken one leaves.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
MOST=${1:-8}
CPU="--device cpu --threads 1"
command -v strace >/dev/null || { echo "NOT TESTED: calls cannot be failed without strace"; exit "${ELBO_TEST_ALL:-0}"; }
EPOCHS=3

# The calls, and how each fails.
faults=(write:ENOSPC write:EIO fsync:EIO fsync:ENOSPC fdatasync:EIO rename:EIO rename:ENOSPC renameat:EIO renameat:ENOSPC openat:EMFILE openat:ENOSPC openat:EIO mkdir:ENOSPC mkdir:EIO linkat:EIO ftruncate:EIO
    unlink:EIO fchmod:EPERM getdents64:EIO read:EIO lseek:EIO statx:EIO mmap:ENOMEM clone3:EAGAIN flock:EIO)

elbo train $SMALL --epochs $EPOCHS --out whole || { said; exit 1; }
elbo train $SMALL --epochs 2 --out half || { said; exit 1; }
cp -a half whole-resumed
elbo train --resume whole-resumed $CPU --epochs $EPOCHS || { said; exit 1; }
elbo sample whole --count 300 $CPU --seed 9 --out rows.npy || { said; exit 1; }
elbo fit-prior whole $CPU --epochs 2 --out whole-fitted || { said; exit 1; }
elbo compress whole --data rows.npy --binarise --threads 1 --out whole.elbo || { said; exit 1; }
elbo encode whole --data rows.npy $CPU --out whole.csv || { said; exit 1; }

declare -A line=(
    [train]="train $SMALL --epochs $EPOCHS --out out"
    [resume]="train --resume out $CPU --epochs $EPOCHS"
    [fit-prior]="fit-prior whole $CPU --epochs 2 --out out"
    [compress]="compress whole --data rows.npy --binarise --threads 1 --out out.elbo"
    [encode]="encode whole --data rows.npy $CPU --out out.csv"
)
declare -A same=(
    [train]="out/checkpoint.safetensors whole/checkpoint.safetensors"
    [resume]="out/checkpoint.safetensors whole-resumed/checkpoint.safetensors"
    [fit-prior]="out/checkpoint.safetensors whole-fitted/checkpoint.safetensors"
    [compress]="out.elbo whole.elbo"
    [encode]="out.csv whole.csv"
)

prepare() {
    rm -rf out out.elbo out.csv
    [ "$1" != resume ] || cp -a half out
}

# count CALL WORDS…: how many calls of a kind a command makes.
count() {
    strace -f -qq -o calls.txt -e trace="$1" "$ELBO" $2 </dev/null >said.txt 2>&1
    grep -c "$1(" calls.txt
}

for name in train resume fit-prior compress encode; do
    for fault in "${faults[@]}"; do
        call=${fault%:*} error=${fault#*:}
        first=$(count "$call" --version)
        prepare "$name"
        last=$(count "$call" "${line[$name]}")
        [ "$last" -gt "$first" ] || continue
        step=$(((last - first + MOST - 1) / MOST))
        for ((n = first + 1; n <= last; n += step)); do
            prepare "$name"
            # Counted by thread: so the Nth of each.
            timeout 60 strace -f -qq -o calls.txt -e trace="$call" -e inject="$call:error=$error:when=$n" "$ELBO" ${line[$name]} </dev/null >said.txt 2>&1
            code=$?
            # No thread of it came to as many.
            grep -q "(INJECTED)" calls.txt || continue
            attempt "$name, $call"
            problem=
            case $code in
                0) ;;
                1) grep -q '^error: ' said.txt || problem="status 1 without a word: $(said) " ;;
                *) problem="status $code: $(said) " ;;
            esac
            ! grep -q 'panicked' said.txt || problem+="a panic: $(said) "
            # shellcheck disable=SC2086
            set -- ${same[$name]}
            case $name in
                compress | encode) [ ! -e "$1" ] || cmp -s "$1" "$2" || problem+="half a file is left. " ;;
            esac
            if [ "$code" = 0 ]; then
                cmp -s "$1" "$2" || problem+="status 0, and another outcome. "
            else
                again=${line[$name]}
                case $name in
                    train) [ ! -e out/checkpoint.safetensors ] || again="train --resume out $CPU" ;;
                    fit-prior) [ ! -e out/checkpoint.safetensors ] || again="evaluate out $CPU --quick" ;;
                esac
                elbo $again || problem+="then $again: $(said) "
                cmp -s "$1" "$2" || problem+="then another outcome. "
            fi
            verdict "$name, $call" "${problem:+$error at call $n: }$problem"
        done
    done
done
finish "the Nth call fails"
