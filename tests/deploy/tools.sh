#!/bin/sh
# Installs what tools.txt names and this machine lacks, where apt is there and allows it. What stays
# missing is named; the tests that need it are left out and say so (conftest.py).
set -eu
cd "$(dirname "$0")"

missing() {
    while read -r command package; do
        case "$command" in ''|'#'*) continue ;; esac
        command -v "$command" >/dev/null || echo "$package $command"
    done <tools.txt
}

packages=$(missing | cut -d' ' -f1 | grep -v '^-$' | sort -u || true)
if [ -n "$packages" ] && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    export DEBIAN_FRONTEND=noninteractive
    echo "Installing with apt:" $packages
    apt-get -qq update >/dev/null
    apt-get -qq install --yes --no-install-recommends $packages >/dev/null
fi
missing | while read -r package command; do
    case "$package" in
        -) echo "There is no $command here: what needs it is left out" ;;
        *) echo "There is no $command here (Debian: apt-get install $package): what needs it is left out" ;;
    esac
done
