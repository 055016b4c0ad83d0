#!/usr/bin/env bash
# Software drivers of Vulkan, one after the other, and what works on each (drivers/parts.sh):
#
# - lavapipe-4, -8, -16: this machine's Mesa, with vectors of 128, 256 and 512 bits, which are subgroups of so many.
# - trixie-4, -8, -16: that of Debian trixie (Mesa 25), in the tree of dx12/windows.sh.
# - swiftshader: the one that comes with Debian's chromium.
#
# Words behind the command are drivers to try. PARTS names the parts to do (all four).
source "$(dirname "$0")/dx12/windows.sh"
cd "$HERE/../.."
source tests/drivers/parts.sh
parts=" ${PARTS:-doctor parity steps training} "
drivers=("$@")
[ ${#drivers[@]} != 0 ] || drivers=(lavapipe-4 lavapipe-8 lavapipe-16 swiftshader trixie-4 trixie-8 trixie-16)
LAVAPIPE=$(find /usr/share/vulkan/icd.d -name 'lvp_icd*.json' 2>/dev/null | sed -n 1p || true)
SWIFTSHADER=/usr/lib/chromium/vk_swiftshader_icd.json

built=$(cargo test --locked --no-run --test engine --test formulas --message-format=json-render-diagnostics)
work=$(mktemp -d)
bad=()
# Also where the tree cannot be made, which ends the script.
trap 'code=$?; rm -rf "$work"; [ ${#bad[@]} = 0 ] || code=1; exit $code' EXIT
for name in elbo engine formulas; do
    cp "$(executable "$name" "$built")" "$work/$name"
done

# run PROGRAM WORDS…: on the driver that is tried.
run() {
    local program=$1
    shift
    local -x WGPU_BACKEND=vulkan ELBO_CACHE_DIR= ELBO_TEST_ALL=1 RUST_BACKTRACE=1 XDG_RUNTIME_DIR=$work
    case $driver in
    lavapipe-*) here "$LAVAPIPE" "$program" "$@" ;;
    swiftshader) here $SWIFTSHADER "$program" "$@" ;;
    trixie-*)
        # shellcheck disable=SC2016
        enter "$work" bash -c 'cd /mnt/work && LP_NATIVE_VECTOR_WIDTH=$0 timeout 3600 "$@"' "$width" "./$program" "$@"
        ;;
    esac
}

# here MANIFEST PROGRAM WORDS…: outside of the tree.
here() {
    local manifest=$1 program=$2
    shift 2
    (cd "$work" && VK_DRIVER_FILES=$manifest VK_ICD_FILENAMES=$manifest LP_NATIVE_VECTOR_WIDTH=$width timeout 3600 "./$program" "$@")
}

for driver in "${drivers[@]}"; do
    case $driver in
    lavapipe-4 | lavapipe-8 | lavapipe-16)
        [ -n "$LAVAPIPE" ] || { echo "NOT TESTED: $driver: mesa-vulkan-drivers is not installed"; continue; }
        ;;
    trixie-4 | trixie-8 | trixie-16) windows ;;
    swiftshader) [ -f $SWIFTSHADER ] || { echo "NOT TESTED: $driver: chromium is not installed"; continue; } ;;
    *) echo "there is no driver called $driver" && exit 1 ;;
    esac
    echo "==== $driver"
    # Bits of a vector, which SwiftShader does not ask for.
    case $driver in *-*) width=$((32 * ${driver#*-})) ;; *) width=256 ;; esac
    rm -rf "$work"/gpu* "$work"/cpu* "$work"/other*
    # A word of the line that tells the device, so that no other adapter is taken for it.
    case $driver in swiftshader) try_parts SwiftShader ;; *) try_parts llvmpipe ;; esac
    [ ${#failed[@]} = 0 ] || bad+=("$driver: ${failed[*]}")
done
[ ${#bad[@]} = 0 ] || { printf 'FAILED: %s\n' "${bad[@]}"; exit 1; }
echo "Passed: ${drivers[*]}"
