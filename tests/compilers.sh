#!/usr/bin/env bash
# Every text of the table of kernels and of whole training steps, as naga writes it for each backend, through compilers and validators:
#
# - HLSL of shader model 5.1 by FXC and of 6.0 by DXC, both Microsoft's, under Wine (dx12/windows.sh), with the time of each. A text that takes FXC
#   longer than five seconds of processor time is a fault: users of DX12 wait for it.
# - SPIR-V by spirv-val, as Vulkan 1.1 and 1.3 want it.
# - MSL by clang, against declarations of what Metal offers (compilers/metal): syntax, names and types, no address spaces. Not by Apple's compiler.
#
# Each is also given something wrong, which it must refuse. Figures go to ELBO_COMPILERS_OUT, if that names a folder. Words behind the command are
# parts to do: fxc, dxc, spirv, metal.
source "$(dirname "$0")/dx12/windows.sh"
cd "$HERE/../.."
parts=" ${*:-fxc dxc spirv metal} "
SLOWEST_MS=5000

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
texts=$work/texts
ELBO_WRITE_TEXTS=$texts cargo test --locked --test engine every_text_is_valid_and_portable
echo "$(wc -l <"$texts/names.tsv") texts"

failed=()

# refusals NAME FILE WRONG: reports what a compiler refused: FILE has lines of `file, tab, what it said`; WRONG is the file that it must refuse.
refusals() {
    local name=$1 list=$2 wrong=$3
    if ! grep -q "$wrong" "$list"; then
        echo "$name took $wrong, which is wrong"
        failed+=("$name")
    fi
    if grep -v "$wrong" "$list" >"$work/refused"; then
        while IFS=$'\t' read -r file said; do
            echo "$name refuses $file ($(grep "^${file%%.*}" "$texts/names.tsv" | cut -f2)): $said"
        done <"$work/refused"
        failed+=("$name")
    fi
}

# microsoft COMPILER ENDING: compiles the files with that ending; two processes at once.
microsoft() {
    local name=$1 ending=$2 started=$SECONDS
    echo 'RWByteAddressBuffer b : register(u0); [numthreads(64, 1, 1)] void main(uint i : SV_GroupIndex) { b.Store(i, missing); }' >"$texts/wrong.$ending"
    (cd "$texts" && ls -- *."$ending" | awk -v folder="$texts" '{ print > (folder "/list" NR % 2) }')
    # shellcheck disable=SC2016
    enter "$texts" bash -c 'cd /mnt/work && for half in 0 1; do wine64 direct.exe "$0" "@list$half" >"$0.$half" & done; wait' "$name"
    cat "$texts/$name".[01] | tr -d '\r' >"$work/$name.tsv"
    [ -z "${ELBO_COMPILERS_OUT:-}" ] || cp "$work/$name.tsv" "$texts/names.tsv" "$ELBO_COMPILERS_OUT"
    local files
    files=$(ls "$texts" | grep -c "\.$ending\$")
    if [ "$(wc -l <"$work/$name.tsv")" != "$files" ]; then
        echo "$name answered for $(wc -l <"$work/$name.tsv") of $files texts"
        failed+=("$name")
    fi
    awk -F'\t' '$2 != "ok" { print $1 "\t" $5 }' "$work/$name.tsv" >"$work/said"
    refusals "$name" "$work/said" "wrong.$ending"
    sort -t$'\t' -k3,3n "$work/$name.tsv" | awk -F'\t' -v name="$name" -v wall=$((SECONDS - started)) '
        { ms[NR] = $3; sum += $3 }
        END { printf "%s: %d texts in %d s; processor time of one: %d ms in the middle, %d at most, %.1f s together\n", name, NR, wall, ms[int((NR + 1) / 2)], ms[NR], sum / 1000 }'
    echo "the slowest of $name:"
    sort -t$'\t' -k3,3nr "$work/$name.tsv" | sed -n 1,5p | while IFS=$'\t' read -r file _ ms _; do
        echo "  $ms ms  $(grep "^${file%%.*}" "$texts/names.tsv" | cut -f2)"
    done
    if [ "$name" = fxc ] && awk -F'\t' -v most=$SLOWEST_MS '$3 > most { found = 1 } END { exit !found }' "$work/$name.tsv"; then
        echo "FXC takes longer than $SLOWEST_MS ms over some"
        failed+=("the time of fxc")
    fi
}

if [[ "$parts" == *" fxc "* || "$parts" == *" dxc "* ]]; then
    windows
    x86_64-w64-mingw32-g++ -std=c++17 -O1 -Wall -Wextra -Werror -static -s -o "$texts/direct.exe" tests/compilers/direct.cpp
    cp "$MICROSOFT/d3dcompiler_47.dll" "$MICROSOFT/dxcompiler.dll" "$texts"
    [[ "$parts" != *" fxc "* ]] || microsoft fxc 5_1.hlsl
    [[ "$parts" != *" dxc "* ]] || microsoft dxc 6_0.hlsl
fi

if [[ "$parts" == *" spirv "* ]]; then
    packages spirv-val=spirv-tools
    : >"$work/said"
    for version in 1.1 1.3; do
        # A module that breaks off.
        first=$(ls "$texts"/*.vulkan$version.spv | sed -n 1p)
        head -c -8 "$first" >"$texts/wrong.vulkan$version.spv"
        for file in "$texts"/*.vulkan$version.spv; do
            spirv-val --target-env vulkan$version "$file" >"$work/one" 2>&1 ||
                printf '%s\t%s\n' "$(basename "$file")" "$(tr '\n' ' ' <"$work/one")" >>"$work/said"
        done
        grep "vulkan$version" "$work/said" >"$work/of_version" || true
        refusals "spirv-val for Vulkan $version" "$work/of_version" "wrong.vulkan$version.spv"
    done
    echo "spirv-val: $(($(ls "$texts"/*.spv | wc -l) - 2)) modules"
fi

if [[ "$parts" == *" metal "* ]]; then
    packages clang++=clang
    # What clang's vectors lack: see compilers/metal/metal_stdlib.
    for file in "$texts"/*.metal; do
        sed -E 's/static_cast<metal::((float|uint|int|bool)[234])>\(/metal::make_\1(/g; s/metal::((float|uint|int|bool)[234])\(/metal::make_\1(/g' "$file" >"$file.cpp"
    done
    echo '#include <metal_stdlib>
kernel void main_(device float& out) { out = metal::exp(missing); }' >"$texts/wrong.metal.cpp"
    # shellcheck disable=SC2016
    (cd "$texts" && ls -- *.metal.cpp | xargs -P 2 -I{} bash -c '
        clang++ -x c++ -std=c++17 -fsyntax-only -Wno-unknown-attributes -Wno-ignored-attributes -I "$0" "$1" >"$1.said" 2>&1 ||
            printf "%s\t%s\n" "$1" "$(grep -m 2 error: "$1.said" | tr "\n" " ")"' "$HERE/../compilers/metal" {}) >"$work/said"
    refusals clang "$work/said" wrong.metal.cpp
    echo "clang: $(($(ls "$texts"/*.metal.cpp | wc -l) - 1)) texts of MSL"
fi

[ "${#failed[@]}" = 0 ] || { printf 'FAILED: %s\n' "${failed[@]}"; exit 1; }
echo "Passed:$parts"
