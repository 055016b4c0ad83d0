# What runs Windows programs here, for the scripts that source it: Wine 10 on Mesa's software Vulkan, in a tree of Debian trixie, and
# Microsoft's shader compilers. All of it is made where it is missing, and kept.
#
# ELBO_DX12_CACHE names the folder that keeps it (2.1 GB; elbo-dx12 in the user's cache folder if nothing is said; rm -r takes it away).
# For Linux on x86-64, as root, with Debian's or Ubuntu's packages and npm.
set -euo pipefail
CACHE=${ELBO_DX12_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/elbo-dx12}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TREE=$CACHE/tree
MICROSOFT=$CACHE/npm/node_modules/webgpu/dist/win32-x64

# Part of the tree's name: another recipe is another tree.
RECIPE=1

# cannot WHY: this machine cannot run the script, which is no fault of the project's.
cannot() {
    echo "NOT TESTED: $1"
    exit "${ELBO_TEST_ALL:-0}"
}

# packages COMMAND=PACKAGE…: installs the packages whose commands are missing.
packages() {
    local pair missing=()
    for pair in "$@"; do
        command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    command -v apt-get >/dev/null || cannot "${missing[*]} are missing, and there is no apt-get"
    echo "Installing ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
}

# windows: makes what is missing. One script at a time: the prefix has one server.
windows() {
    [ "$(uname -sm)" = "Linux x86_64" ] || cannot "Windows programs run here on Linux and x86-64 alone"
    [ "$(id -u)" = 0 ] || cannot "a tree of Debian is made and entered as root"
    mkdir -p "$CACHE"
    exec 9>"$CACHE/lock"
    flock -n 9 || { echo "Waiting for another script that uses $CACHE"; flock 9; }
    packages mmdebstrap=mmdebstrap x86_64-w64-mingw32-g++=g++-mingw-w64-x86-64 npm=npm

    if [ ! -f "$MICROSOFT/d3dcompiler_47.dll" ]; then
        echo "Fetching Microsoft's shader compilers (npm package webgpu)"
        npm install --silent --no-audit --no-fund --prefix "$CACHE/npm" webgpu@0.6.2 >/dev/null
    fi

    if [ "$(cat "$TREE/recipe" 2>/dev/null)" != "$RECIPE" ]; then
        echo "Making a tree of Debian trixie with Wine and Mesa in $CACHE"
        rm -rf --one-file-system "$TREE"
        # Wine's user32 loads zlib1.dll, which no package that it needs brings. Wine 8, of Debian bookworm, computes wrong results.
        mmdebstrap --quiet --variant=extract --architectures=amd64 --aptopt='APT::Install-Recommends "false"' \
            --include=bash,coreutils,dash,fontconfig-config,libc-bin,libvulkan1,libwine,libz-mingw-w64,mesa-vulkan-drivers,wine64,xvfb \
            trixie "$TREE"
        mkdir -p "$TREE/mnt/work" "$TREE/prefix/drive_c/windows/system32"
        cp "$TREE/usr/x86_64-w64-mingw32/lib/zlib1.dll" "$TREE/prefix/drive_c/windows/system32"
        # The first start makes the prefix.
        enter /tmp bash -c '
            set -e
            wine64 wineboot -i
            wine64 reg add "HKCU\\Software\\Wine\\Direct3D" /v renderer /d vulkan /f
            wineserver64 -w' >"$CACHE/prefix.log" 2>&1 || { cat "$CACHE/prefix.log"; exit 1; }
        echo "$RECIPE" >"$TREE/recipe"
    fi
}

# enter FOLDER COMMAND…: runs a command in the tree, where FOLDER is /mnt/work, without a network. Mounts and processes end with it. Variables that begin with ELBO_
# or WGPU_ go along.
enter() {
    local folder=$1 variables
    shift
    mapfile -t variables < <(env | grep -E '^(ELBO|WGPU|RUST)_[A-Z0-9_]*=' | grep -v '^ELBO_DX12')
    unshare --mount --pid --net --fork --kill-child bash "$HERE/enter.sh" "$TREE" "$folder" ${variables[@]+"${variables[@]}"} "$@"
}

# keep_what_fxc_writes: puts a d3dcompiler_47.dll into $work that keeps what Microsoft's wrote (kept.cpp), for programs that `enter` runs from now on. What it
# keeps belongs to one FXC and one way to keep it, and goes after two months.
keep_what_fxc_writes() {
    local options=(-std=c++17 -O1 -Wall -Wextra -Werror -static -s) kept
    x86_64-w64-mingw32-g++ "${options[@]}" -shared -o "$work/d3dcompiler_47.dll" "$HERE/kept.cpp"
    x86_64-w64-mingw32-g++ "${options[@]}" -o "$work/kept_control.exe" "$HERE/kept_control.cpp"
    cp "$MICROSOFT/d3dcompiler_47.dll" "$work/fxc.dll"
    mkdir "$work/control"
    enter "$work" bash -c 'cd /mnt/work && wine64 kept_control.exe control'
    kept=/fxc/$(cat "$work/fxc.dll" "$HERE/kept.cpp" | sha256sum | cut -c1-16)
    mkdir -p "$TREE$kept"
    find "$TREE/fxc" -mindepth 1 -maxdepth 1 ! -path "$TREE$kept" -exec rm -r {} +
    find "$TREE$kept" -type f '(' -mtime +60 -o -name calls ')' -delete
    export ELBO_FXC_KEPT=Z:${kept//\//\\}
    FXC_CALLS=$TREE$kept/calls
}

# tell_what_fxc_did: since `keep_what_fxc_writes`.
tell_what_fxc_did() {
    echo "FXC was asked for $(cat "$FXC_CALLS" 2>/dev/null | wc -l) texts and compiled $(grep -c compiled "$FXC_CALLS" 2>/dev/null || true)"
}
