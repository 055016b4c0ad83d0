# What the attacks share: a folder to work in, the program, small models, and a table at the end.
#
# ELBO names the program (target/release/elbo if nothing is said). A line that begins with LOST is a fault; there is a table at the end, and
# the status is 1 where anything was lost.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
ELBO=${ELBO:-$PWD/target/release/elbo}
[ -x "$ELBO" ] || { echo "There is no $ELBO: cargo build --release, or name the program in ELBO" >&2; exit 2; }
PLACE=$(mktemp -d)
export ELBO_CACHE_DIR='' XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-$PLACE}
trap 'cd /; rm -rf "$PLACE"' EXIT
cd "$PLACE" || exit 2

# A run of a moment: its epochs are told apart, and every step is recorded.
SMALL="--device cpu --threads 1 --count 120 --resolution 8 --validation 20 --hidden 16 --latent 2 --batch 20 --log-every 1"

declare -A tried survived lost
order=()

# attempt NAME: counts a fault that was tried.
attempt() {
    [ -n "${tried[$1]:-}" ] || { order+=("$1"); survived[$1]=0 lost[$1]=0; }
    tried[$1]=$((${tried[$1]:-0} + 1))
}

# verdict NAME PROBLEM: nothing was lost, or what was.
verdict() {
    if [ -z "$2" ]; then
        survived[$1]=$((survived[$1] + 1))
    else
        lost[$1]=$((lost[$1] + 1))
        echo "LOST: $1: $2"
        [ -z "${KEEP:-}" ] || { mkdir -p "$KEEP"; cp -a "$PLACE" "$KEEP/$1-${tried[$1]}"; }
    fi
}

# The table; the status says whether anything was lost.
finish() {
    local sum=0 name
    printf '\n%-34s %7s %9s %6s\n' "$1" tried survived lost
    for name in "${order[@]}"; do
        printf '%-34s %7d %9d %6d\n' "$name" "${tried[$name]}" "${survived[$name]}" "${lost[$name]}"
        sum=$((sum + lost[$name]))
    done
    [ "${#order[@]}" -gt 0 ] || { echo "nothing was tried"; exit 1; }
    [ "$sum" = 0 ]
}

# What was found so far, where it is ended before its time.
trap 'echo "ended before its time"; finish "so far"; exit' TERM

# elbo WORDS…: quietly, without input.
elbo() {
    "$ELBO" "$@" </dev/null >said.txt 2>&1
}

# What was said, on one line.
said() {
    tr '\n' ' ' <said.txt | cut -c1-300
}

# now: milliseconds.
now() {
    echo $(($(date +%s%N) / 1000000))
}

# figures RUN EPOCHS: says what is wrong with a run's figures: each epoch has one record of every part of the data, in order, each step one.
figures() {
    local found wanted
    found=$(grep -o '"epoch":[0-9]*,"split":"train"' "$1/metrics.jsonl" | grep -o '[0-9]*' | tr '\n' ' ')
    wanted=$(seq 1 "$2" | tr '\n' ' ')
    [ "$found" = "$wanted" ] || echo "epochs of $1/metrics.jsonl are $found"
    [ "$(tail -c1 "$1/metrics.jsonl" | od -An -c | tr -d ' ')" = '\n' ] || echo "$1/metrics.jsonl ends within a line"
    found=$(grep -o '"step":[0-9]*' "$1/steps.jsonl" | grep -o '[0-9]*' | tr '\n' ' ')
    wanted=$(seq 1 "$(wc -l <"$1/steps.jsonl")" | tr '\n' ' ')
    [ "$found" = "$wanted" ] || echo "steps of $1/steps.jsonl are $found"
}

# leftovers FOLDER: says what was left half written.
leftovers() {
    find "$1" -name '*partial*' | head -3
}
