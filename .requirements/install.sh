#!/bin/sh
# Makes .venv from the locks beside this file, or says in one sentence what the machine lacks.
# Called by make. PYTHON=/path/to/python chooses the interpreter.
set -eu
here=$(dirname "$0")
root=$(cd "$here/.." && pwd)
venv=$root/.venv

say() { printf '%s\n' "$*"; }
stop() {
    say "tierengine cannot be installed on this machine yet:" >&2
    for line in "$@"; do say "  $line" >&2; done
    exit 1
}
at_least_3_11() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

# 1. Python: the one asked for, else the one .venv has, else the first that serves; durable-rules builds on 3.11 and 3.12 as it is.
python=
for candidate in ${PYTHON:-"$venv/bin/python" python3.11 python3.12 python3 python3.13}; do
    if at_least_3_11 "$candidate"; then python=$candidate && break; fi
done
if [ -z "$python" ]; then
    found=$("${PYTHON:-python3}" --version 2>/dev/null || echo "no working ${PYTHON:-python3}")
    stop "Python 3.11 or newer is needed; found: $found." \
        "Install one (Debian, Ubuntu: apt-get install python3 python3-venv python3-dev; macOS: brew install python@3.12)," \
        "or name one that is elsewhere: make PYTHON=/path/to/python3.11"
fi
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')

# 2. What durable-rules is compiled with: it comes as C source only.
compiler=${CC:-$("$python" -c 'import sysconfig; print((sysconfig.get_config_var("CC") or "cc").split()[0])')}
if ! command -v "${compiler%% *}" >/dev/null 2>&1; then
    if [ -z "${CC:-}" ] && command -v cc >/dev/null 2>&1; then
        CC=cc && export CC && compiler=cc
    else
        stop "A C compiler is needed to build durable-rules, which comes as source; '$compiler' is not here." \
            "Install one (Debian, Ubuntu: apt-get install gcc libc6-dev; Fedora: dnf install gcc; macOS: xcode-select --install)," \
            "or name one that is elsewhere: make CC=/path/to/compiler"
    fi
fi
headers=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
if [ ! -f "$headers/Python.h" ]; then
    stop "The C headers of Python $version are needed to build durable-rules; there is no Python.h in $headers." \
        "Install them (Debian, Ubuntu: apt-get install python$version-dev; Fedora: dnf install python3-devel)," \
        "or choose a Python that has them: make PYTHON=/path/to/python3.11"
fi
# Unquoted on purpose: CC may carry flags.
if ! printf '#include <Python.h>\n' | $compiler -fsyntax-only -I"$headers" -x c - >/dev/null 2>&1; then
    stop "The C compiler '$compiler' is here, but cannot compile a file that includes Python.h." \
        "Most often the C library's headers are missing (Debian, Ubuntu: apt-get install libc6-dev)." \
        "To see its words: echo '#include <Python.h>' | $compiler -fsyntax-only -I$headers -x c -"
fi

# 3. The environment. One whose interpreter is gone, or is of another version than asked for, is made anew.
if [ "$("$venv/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" != "$version" ]; then
    say "Making .venv with Python $version ($python)"
    if ! problem=$("$python" -m venv --clear "$venv" 2>&1); then
        rm -rf "$venv"
        stop "Python $version is here, but cannot make a virtual environment." \
            "Install what it lacks (Debian, Ubuntu: apt-get install python$version-venv). Its words:" "$problem"
    fi
fi

# 4. The packages, each checked against its hash. durable-rules is built with the locked setuptools, not with a fetched one.
pip() { "$venv/bin/python" -m pip --quiet --disable-pip-version-check "$@"; }
case $version in
3.11 | 3.12) ;;
*)
    say "Python $version: PyEval_CallObject is gone there, so durable-rules is built with" \
        "  CPPFLAGS=-DPyEval_CallObject=PyObject_CallObject"
    CPPFLAGS="-DPyEval_CallObject=PyObject_CallObject ${CPPFLAGS:-}" && export CPPFLAGS
    # A wheel of it that was built without the flag installs well and fails on import.
    pip cache remove durable_rules >/dev/null 2>&1 || true
    ;;
esac
say "Installing what .requirements/dev.txt names into .venv (Python $version; a minute on a slow line)"
pip install --require-hashes -r "$here/build.txt"
pip install --require-hashes --no-build-isolation -r "$here/dev.txt"
# setuptools warns about every editable install; there is nothing to do about it.
PYTHONWARNINGS=ignore pip install --no-deps --no-build-isolation --editable "$root"
if ! problem=$("$venv/bin/python" -c 'import durable_rules_engine' 2>&1); then
    stop "durable-rules was built, but does not load with Python $version; 3.11 and 3.12 are known to work:" \
        "make clean install PYTHON=python3.11. Its words:" "$problem"
fi
