#!/bin/sh
# SPDX-License-Identifier: MIT
#
# install-packages.sh SECTION...
#
# Installs the packages of these sections of debian-packages.txt that are not here yet. With nothing
# missing it takes a moment and no network. All output goes to standard error: what calls this keeps
# standard output for itself.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
exec >&2

wanted=""
for section in "$@"; do
    found=$(awk -v section="[$section]" '
        /^\[/ { inside = ($1 == section) }
        inside && /^[a-z0-9]/ { print $1 }' "$here/debian-packages.txt")
    if [ -z "$found" ]; then
        echo "install-packages: no section [$section] in debian-packages.txt"
        exit 2
    fi
    wanted="$wanted $found"
done

# Not on Debian or its kin: the names differ, so say what is needed and let the build find out what
# is there.
if ! command -v dpkg-query >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
    echo "This system has no apt. Install by its own means what these Debian packages hold:"
    echo " $wanted" | tr '\n' ' ' | fold -s -w 90
    echo
    echo "Going on with the tools that are here."
    exit 0
fi

missing=""
for package in $wanted; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    if [ "$state" != installed ]; then
        missing="$missing $package"
    fi
done
if [ -z "$missing" ]; then
    exit 0
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "These packages are missing:$missing"
        echo "Become root or install sudo, then run: apt-get install$missing"
        exit 1
    fi
    as_root=sudo
fi

echo "Installing:$missing"
# A machine that never asked for the package lists has none; one that did may have old ones.
# shellcheck disable=SC2086  # the lists are words on purpose
$as_root apt-get update -q
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
