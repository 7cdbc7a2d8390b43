#!/usr/bin/env bash
# End what start.sh FOLDER began; munged stays.
set -euo pipefail
[ "$(readlink /etc/slurm/slurm.conf)" = "$(realpath "$1")/slurm.conf" ] || exit 0
scancel --user="$(id -un)" || true
for daemon in slurmd slurmctld; do
    [ ! -s "$1/$daemon.pid" ] || kill "$(cat "$1/$daemon.pid")" || true
done
rm -f /etc/slurm/slurm.conf /etc/slurm/gres.conf
