#!/usr/bin/env bash
# together.sh [ROUNDS]: 2, 4 and 16 processes at once start, resume, fit priors, train second stages, evaluate and write one file, ROUNDS (1) times. Each
# must either have its work to itself, whole, or be refused by one line with status 1.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
ROUNDS=${1:-1}
CPU="--device cpu --threads 1"

elbo train $SMALL --epochs 3 --out base || { said; exit 1; }
elbo train $SMALL --epochs 2 --out half || { said; exit 1; }
elbo sample base --count 3000 $CPU --seed 9 --out rows.npy || { said; exit 1; }

# at_once N WORDS…: N of a command; I in its words is the number of each. Statuses in status.I, what is said in said.I.
at_once() {
    local n=$1 i word
    shift
    rm -f status.* said.*
    for ((i = 0; i < n; i++)); do
        local words=()
        for word in "$@"; do words+=("${word//@/$i}"); done
        { "$ELBO" "${words[@]}" </dev/null >"said.$i" 2>&1; echo $? >"status.$i"; } &
    done
    wait
}

# statuses N ALLOWED…: says which status was none of these, which one ended with a panic, and which refusal takes more than a line.
statuses() {
    local n=$1 i code
    shift
    for ((i = 0; i < n; i++)); do
        code=$(cat "status.$i")
        case " $* " in *" $code "*) ;; *) echo "process $i ended with status $code: $(tail -c 300 "said.$i" | tr '\n' ' ')" ;; esac
        if [ "$code" != 0 ] && [ "$(grep -c '^error:' "said.$i")" != 1 ]; then echo "process $i does not say why: $(tr '\n' ' ' <"said.$i")"; fi
    done
}

worked() {
    cat status.* | grep -c '^0$'
}

same() {
    cmp -s "$1/checkpoint.safetensors" "$2/checkpoint.safetensors" || echo "$1 is not $2. "
}

for ((round = 0; round < ROUNDS; round++)); do
    for n in 2 4 16; do
        # Of themselves each has a folder of its own, with the run of its seed.
        attempt "start, $n"
        rm -rf runs alone
        at_once "$n" train $SMALL --epochs 3 --seed @
        problem=$(statuses "$n" 0)
        [ "$(ls runs | wc -l)" = "$n" ] || problem+="folders: $(ls runs | tr '\n' ' ')"
        for folder in runs/*; do
            seed=$(sed -n 's/^seed = //p' "$folder/config.toml" | tail -1)
            elbo train $SMALL --epochs 3 --seed "$seed" --out "alone/$seed"
            problem+=$(same "$folder" "alone/$seed")$(figures "$folder" 3)
        done
        verdict "start, $n" "$problem"

        # One folder has one run; the others are refused.
        attempt "one folder, $n"
        rm -rf one
        at_once "$n" train $SMALL --epochs 3 --out one
        problem=$(statuses "$n" 0 1)
        [ "$(worked)" = 1 ] || problem+="$(worked) have worked. "
        verdict "one folder, $n" "$problem$(same one base)$(figures one 3)"

        # A run that is gone on with more than once at a time.
        attempt "resume, $n"
        rm -rf resumed whole
        cp -a half resumed
        cp -a half whole
        elbo train --resume whole $CPU --epochs 30
        at_once "$n" train --resume resumed $CPU --epochs 30
        problem=$(statuses "$n" 0 1)
        [ "$(worked)" -ge 1 ] || problem+="none has worked. "
        verdict "resume, $n" "$problem$(same resumed whole)$(figures resumed 30)"

        attempt "fit-prior, $n"
        rm -rf base-mixture*
        at_once "$n" fit-prior base $CPU --epochs 3 --seed @
        problem=$(statuses "$n" 0)
        [ "$(ls -d base-mixture*/checkpoint.safetensors | wc -l)" = "$n" ] || problem+="folders: $(ls -d base-mixture* | tr '\n' ' ')"
        [ "$(cat base-mixture*/checkpoint.safetensors | wc -c)" -gt 0 ] || problem+="no checkpoint. "
        verdict "fit-prior, $n" "$problem"

        attempt "fit-prior, one folder, $n"
        rm -rf fitted alone
        at_once "$n" fit-prior base $CPU --epochs 3 --out fitted
        elbo fit-prior base $CPU --epochs 3 --out alone
        problem=$(statuses "$n" 0 1)
        [ "$(worked)" = 1 ] || problem+="$(worked) have worked. "
        verdict "fit-prior, one folder, $n" "$problem$(same fitted alone)"

        attempt "second stage, $n"
        rm -rf runs
        at_once "$n" train --second-stage base $CPU --hidden 8 --epochs 3 --seed @ --log-every 1
        problem=$(statuses "$n" 0)
        for folder in runs/*; do problem+=$(figures "$folder" 3); done
        [ "$(ls runs | wc -l)" = "$n" ] || problem+="folders: $(ls runs | tr '\n' ' ')"
        verdict "second stage, $n" "$problem"

        # Figures are printed by all; the report is whole, whoever wrote it.
        attempt "evaluate, $n"
        rm -f base/evaluation.json
        at_once "$n" evaluate base $CPU --quick
        problem=$(statuses "$n" 0 1)
        [ "$(grep -l ELBO said.* | wc -l)" = "$n" ] || problem+="not all have printed figures. "
        [ "$(tail -c2 base/evaluation.json | tr -d '\n')" = '}' ] || problem+="the report is torn. "
        verdict "evaluate, $n" "$problem"

        attempt "one file, $n"
        rm -f codes.csv
        at_once "$n" encode base --data rows.npy $CPU --out codes.csv
        problem=$(statuses "$n" 0)
        [ "$(wc -l <codes.csv)" = 3001 ] || problem+="codes.csv has $(wc -l <codes.csv) lines. "
        verdict "one file, $n" "$problem$(leftovers "$PLACE")"
    done
done
finish "processes at once"
