#!/usr/bin/env bash
# The demo as jobs of a Slurm of one node, which is started for it: demo.sh [TARGET ...], as root on Debian, in the
# environment that has snakemake. Results go to results-slurm/.
set -euo pipefail
scripts=$(dirname "$0")
folder=$(mktemp -d)
trap '"$scripts/stop.sh" "$folder" && rm -r "$folder"' EXIT
"$scripts/start.sh" "$folder"
mkdir -p results-slurm
# There is no accounting database, hence squeue.
snakemake --directory results-slurm --configfile config/demo.yaml --workflow-profile profiles/slurm \
    --default-resources slurm_partition=main slurm_account=root --slurm-status-command squeue \
    --slurm-init-seconds-before-status-checks 5 --latency-wait 5 -- "$@"
