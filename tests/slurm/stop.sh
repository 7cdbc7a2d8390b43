#!/usr/bin/env bash
# End what start.sh FOLDER began; munged stays.
set -euo pipefail
[ "$(readlink /etc/slurm/slurm.conf)" = "$(realpath "$1")/slurm.conf" ] || exit 0
for daemon in slurmd slurmctld; do
    [ ! -s "$1/$daemon.pid" ] || kill "$(cat "$1/$daemon.pid")"
done
rm -f /etc/slurm/slurm.conf
