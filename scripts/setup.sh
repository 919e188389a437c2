#!/bin/sh
# Makes .venv with everything this project needs, then runs it once so that nothing is cold.
# PYTHON=/path/to/python chooses the interpreter; 3.11 and 3.12 will do.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

supported() { # an interpreter that really starts (a pyenv shim may not) and has the right version
    "$1" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null
}

find_python() {
    if [ -n "${PYTHON:-}" ] && ! supported "$PYTHON"; then
        say "$PYTHON is not a Python 3.11 or 3.12 that starts."
        exit 1
    fi
    for name in "${PYTHON:-}" .venv/bin/python python3.12 python3.11 python3 python \
        "$HOME"/.pyenv/versions/3.12.*/bin/python "$HOME"/.pyenv/versions/3.11.*/bin/python; do
        if [ -n "$name" ] && supported "$name"; then
            printf '%s' "$name"
            return
        fi
    done
    found=$(python3 --version 2>/dev/null || echo "no Python 3 at all")
    say "SVAD needs Python 3.11 or 3.12; found $found."
    say "Install one (for example: sudo apt-get install python3.11-venv, or brew install python@3.12)"
    say "or name it: make setup PYTHON=/path/to/python3.12"
    exit 1
}

python=$(find_python)
if ! supported .venv/bin/python; then
    say "Making .venv with $("$python" --version) ..."
    rm -rf .venv
    if ! "$python" -m venv .venv; then
        rm -rf .venv
        say "This Python cannot make virtual environments. On Debian and Ubuntu:"
        say "    sudo apt-get install python3-venv"
        exit 1
    fi
fi
pip() { .venv/bin/python -m pip --disable-pip-version-check "$@"; }

# Without an NVIDIA card the CPU build of torch does the same and is ten times smaller to download.
if [ "$(uname -sm)" = "Linux x86_64" ] && ! command -v nvidia-smi >/dev/null &&
    ! .venv/bin/python -c 'import importlib.metadata as m; m.version("torch")' 2>/dev/null; then
    torch=$(grep '^torch[>=]' requirements.txt)
    cpu=https://download.pytorch.org/whl/cpu
    if .venv/bin/python -c "import urllib.request as u; u.urlopen('$cpu/torch/', timeout=5)" 2>/dev/null; then
        say "Installing torch for the CPU ..."
        pip install --quiet --index-url "$cpu" "$torch"
    fi
fi

say "Installing (the first time this takes some minutes) ..."
pip install --quiet -r requirements.txt -r requirements-dev.txt

if ! .venv/bin/python -c 'import cv2' 2>/dev/null; then
    .venv/bin/python -c 'import cv2' 2>&1 | tail -n 1 >&2 || true
    say "OpenCV needs system libraries that are missing here. On Debian and Ubuntu:"
    say "    sudo apt-get install $(tr '\n' ' ' <packages.txt)"
    exit 1
fi

say "Compiling and warming up ..."
.venv/bin/python scripts/warm_up.py
touch .venv/ready
say "Ready."
