#!/usr/bin/env bash
# End what start.sh FOLDER began: its jobs first, because they outlive a slurmd that has ended.
set -euo pipefail
[ "$(readlink /etc/slurm/slurm.conf)" = "$(realpath "$1")/slurm.conf" ] || exit 0
scancel --user="$(id -un)" || true
for _ in $(seq 60); do
    [ -n "$(squeue --noheader 2>/dev/null)" ] || break
    sleep 1
done
for daemon in slurmd slurmctld munged; do
    [ -s "$1/$daemon.pid" ] || continue
    pid=$(cat "$1/$daemon.pid")
    kill "$pid" || continue
    while kill -0 "$pid" 2>/dev/null; do sleep 0.2; done
done
# A group of jobs that is cancelled can leave its Snakemake behind, because there are no cgroups here.
for environment in /proc/[0-9]*/environ; do
    pid=$(basename "$(dirname "$environment")")
    if tr '\0' '\n' 2>/dev/null <"$environment" | grep -q "^SLURM_JOB_ID="; then kill -KILL "$pid" || true; fi
done
rm -f /etc/slurm/slurm.conf /etc/slurm/gres.conf
