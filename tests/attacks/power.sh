#!/usr/bin/env bash
# power.sh [N]: the power fails at N (20) random moments. The run lies on an ext4 of its own, in a file; its shutdown call (FS_IOC_SHUTDOWN, without
# writing the journal) loses all that was not synced, as a cut does. After it is mounted again, the run must be whole: figures never behind the checkpoint, and --resume
# (or the same command, where there is no checkpoint yet) must leave what an unbroken run leaves. Needs root, loop devices, mkfs.ext4 and a C compiler.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
N=${1:-20}
RANDOM=${SEED:-1}
EPOCHS=30
CPU="--device cpu --threads 1"

cat >cut.c <<'END'
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
int main(int count, char **words) {
    int how = 2; /* without writing the journal */
    int folder = open(words[1], O_RDONLY);
    if (count != 2 || folder < 0 || ioctl(folder, _IOR('X', 125, int), &how)) { perror(words[1]); return 1; }
    return 0;
}
END
mkdir disk
if ! cc -o cut cut.c || ! truncate -s 24M image || ! mkfs.ext4 -q -F image || ! mount -o loop image disk; then
    echo "NOT TESTED: the power cannot be cut here: that needs root, loop devices, mkfs.ext4 and cc"
    exit "${ELBO_TEST_ALL:-0}"
fi
trap 'cd /; umount "$PLACE/disk" 2>/dev/null; rm -rf "$PLACE"' EXIT
elbo train $SMALL --epochs $EPOCHS --out whole || { said; exit 1; }

begun=$(now)
elbo train $SMALL --epochs $EPOCHS --out disk/run || { said; exit 1; }
took=$(($(now) - begun))
for ((i = 0; i < N; i++)); do
    rm -rf disk/run
    sync
    attempt "train"
    "$ELBO" train $SMALL --epochs $EPOCHS --out disk/run </dev/null >/dev/null 2>&1 &
    child=$!
    moment=$((RANDOM * took / 32768))
    sleep "$(printf '%d.%03d' $((moment / 1000)) $((moment % 1000)))"
    ./cut disk || exit 1
    kill -KILL "$child" 2>/dev/null
    wait "$child" 2>/dev/null
    umount disk && mount -o loop image disk || exit 1
    problem=
    if [ -s disk/run/checkpoint.safetensors ]; then
        attempt "with a checkpoint"
        again="train --resume disk/run $CPU"
        # The checkpoint is never ahead of its figures.
        epoch=$(head -c 4000 disk/run/checkpoint.safetensors | grep -a -o '"epoch":"[0-9]*"' | grep -o '[0-9]*')
        told=$(grep -c '"split":"train"' disk/run/metrics.jsonl 2>/dev/null || true)
        [ "${told:-0}" -ge "${epoch:-0}" ] || problem+="the checkpoint is of epoch $epoch, and $told are told of. "
    else
        attempt "before one"
        again="train $SMALL --epochs $EPOCHS --out disk/run"
    fi
    elbo $again || problem+="$again: $(said)"
    cmp -s disk/run/checkpoint.safetensors whole/checkpoint.safetensors || problem+="another outcome. "
    problem+=$(figures disk/run $EPOCHS)$(leftovers disk)
    verdict train "${problem:+cut after $moment ms: }$problem"
    for name in "with a checkpoint" "before one"; do [ "${tried[$name]:-0}" = $((${survived[$name]:-0} + ${lost[$name]:-0})) ] || verdict "$name" "$problem"; done
done
finish "the power fails"
