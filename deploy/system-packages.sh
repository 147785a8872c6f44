#!/bin/sh
# Installs what Python packages cannot carry, when it is missing and this user may: with apt, as root or by `sudo -n`.
# Otherwise says what is missing and what that means, and goes on. Usage: system-packages.sh venv | gl | voice | chromium | outputs

have_library() { PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null | grep -q "$1"; }

case "$1" in
    venv)
        packages="python3-venv"
        without="no environment can be made"
        ;;
    gl)
        # MediaPipe links these; an avatar cannot be made from a picture without them. Ready avatars do not need it.
        [ "$(uname)" = Linux ] || exit 0
        if have_library libEGL.so.1 && have_library libGLESv2.so.2; then exit 0; fi
        packages="libegl1 libgles2"
        without="pictures cannot be turned into avatars"
        ;;
    voice)
        if command -v espeak-ng >/dev/null 2>&1; then exit 0; fi
        packages="espeak-ng"
        without="text can only be spoken by a speech server (--speech-url)"
        ;;
    chromium)
        for name in chromium chromium-browser google-chrome; do
            if command -v "$name" >/dev/null 2>&1; then exit 0; fi
        done
        packages="chromium"
        without="the browser tests are skipped"
        ;;
    outputs)
        # What a broadcast is sent to in tests: an RTMP server, an SFU, and an ffmpeg that speaks SRT.
        if command -v ffmpeg >/dev/null 2>&1 && command -v janus >/dev/null 2>&1 && ls /usr/lib/nginx/modules/ngx_rtmp_module.so >/dev/null 2>&1; then exit 0; fi
        packages="ffmpeg janus nginx libnginx-mod-rtmp"
        without="the tests of RTMP, SRT and SFU are skipped"
        ;;
    *)
        echo "usage: $0 venv | gl | voice | chromium | outputs" >&2
        exit 2
        ;;
esac

if command -v apt-get >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ]; then
        as_root=""
    elif sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    else
        as_root="no"
    fi
    if [ "$as_root" != no ]; then
        echo "Installing $packages"
        $as_root apt-get update -qq &&
            $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null &&
            exit 0
    fi
fi
echo "Missing: $packages. Without it, $without. Install it with your system's package manager." >&2
exit 0
