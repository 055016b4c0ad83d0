#!/usr/bin/env bash
# Holds report.html and the pages of `elbo export` to the rules of axe-core, in light and in dark. Needs a network (npm: axe-core,
# playwright-core), node and chromium (CHROMIUM=PATH where it is not /usr/bin/chromium).
#
#     tests/accessibility.sh              # pages of three small runs, which target/release/elbo makes
#     tests/accessibility.sh PAGE.html…   # these
set -euo pipefail
cd "$(dirname "$0")/.."
elbo=${ELBO:-$PWD/target/release/elbo}
check=$PWD/tests/accessibility/check.mjs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pages=()
for page in "$@"; do pages+=("$(realpath "$page")"); done
cd "$work"
npm install --silent --no-audit --no-fund axe-core@4 playwright-core@1 >/dev/null
if [ ${#pages[@]} = 0 ]; then
    printf 'size,weight,kind\n' >rows.csv
    for i in $(seq 200); do echo "$((i % 17)),$((3 * (i % 17) + i % 5)),$([ $((i % 3)) = 0 ] && echo big || echo small)" >>rows.csv; done
    small="--device cpu --threads 1 --epochs 2 --hidden 32 --latent 3 --quiet"
    "$elbo" train $small --data sprites --resolution 16 --count 300 --out pictures
    "$elbo" train $small --data rows.csv --label kind --out table
    "$elbo" train $small --data sprites --resolution 16 --count 300 --model ae --out plain
    "$elbo" export pictures --device cpu --to page.html --with-data 100
    "$elbo" export table --device cpu --to table.html
    pages=("$work"/{pictures,table,plain}/report.html "$work"/page.html "$work"/table.html)
fi
node "$check" "${pages[@]}"
