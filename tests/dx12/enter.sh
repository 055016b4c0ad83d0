#!/usr/bin/env bash
# enter.sh TREE FOLDER VARIABLE=VALUE… COMMAND…: in namespaces of its own, runs a command in the tree, with FOLDER as /mnt/work; see windows.sh.
set -euo pipefail
tree=$1 folder=$2
shift 2
mount --make-rprivate /
mount -t proc proc "$tree/proc"
mount --rbind /dev "$tree/dev"
mount -t tmpfs tmpfs "$tree/tmp"
mount --bind "$folder" "$tree/mnt/work"
# Wine offers no surfaces to Vulkan, and then Direct3D no device, where there is no display.
chroot "$tree" /usr/bin/env -i PATH=/usr/lib/wine:/usr/bin:/bin HOME=/root LANG=C.UTF-8 XDG_RUNTIME_DIR=/tmp DISPLAY=:1 \
    WINESERVER=/usr/lib/wine/wineserver64 WINEPREFIX=/prefix WINEARCH=win64 WINEDEBUG=-all \
    WINEDLLOVERRIDES='mscoree,mshtml=;winemenubuilder.exe=d;d3dcompiler_47=n' VKD3D_DEBUG=none \
    VK_DRIVER_FILES=/usr/share/vulkan/icd.d/lvp_icd.json bash -c '
        mkdir /tmp/.X11-unix
        Xvfb :1 -screen 0 640x480x24 -nolisten tcp >/tmp/display.log 2>&1 &
        for ((i = 0; i < 100; i++)); do
            [ ! -S /tmp/.X11-unix/X1 ] || break
            sleep 0.1
        done
        [ -S /tmp/.X11-unix/X1 ] || { echo "Xvfb does not start:"; cat /tmp/display.log; exit 1; }
        exec env "$@"' bash "$@" </dev/null
