#!/usr/bin/env bash
# A Slurm of one node on this Debian machine, as root: start.sh FOLDER [GPUS]. Configuration, state and logs lie in
# FOLDER, and /etc/slurm/slurm.conf and gres.conf become links there: jobs lose SLURM_CONF on their way. The node claims
# to have as many GPUs, which are empty files. stop.sh FOLDER ends all of it.
set -euo pipefail
mkdir -p "$1/state" "$1/spool"
folder=$(realpath "$1")
host=$(hostname -s)
gpus=${2:-0}
cores=$(($(nproc --all) < 4 ? 4 : $(nproc --all))) # a group of four jobs asks for four; a small machine pretends

if [ -e /etc/slurm/slurm.conf ]; then
    echo "/etc/slurm/slurm.conf is there: this machine belongs to a cluster, and none is started" >&2
    exit 1
fi
if ! (command -v slurmctld && command -v slurmd && command -v munged) >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends slurm-wlm munge
fi

gres=""
if [ "$gpus" -gt 0 ]; then
    gres="Gres=gpu:$gpus"
    for gpu in $(seq "$gpus"); do
        touch "$folder/gpu$gpu"
        echo "NodeName=$host Name=gpu File=$folder/gpu$gpu"
    done >"$folder/gres.conf"
    ln -sf "$folder/gres.conf" /etc/slurm/gres.conf
fi

cat >"$folder/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
GresTypes=gpu
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmdParameters=config_overrides
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cores RealMemory=$(free -m | awk '/Mem:/ {print int($2 * 0.9)}') $gres State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES State=UP
CONF

ln -sf "$folder/slurm.conf" /etc/slurm/slurm.conf
if ! munge -n >/dev/null 2>&1; then
    install -d -o munge -g munge /run/munge
    [ -s /etc/munge/munge.key ] || mungekey
    chown munge /etc/munge/munge.key
    runuser -u munge -- munged
    cp /run/munge/munged.pid "$folder"
fi
slurmctld
slurmd
for _ in $(seq 60); do
    [ "$(sinfo --noheader --format %T 2>/dev/null)" = idle ] && exit 0
    sleep 1
done
tail -n 20 "$folder"/slurm*.log >&2
exit 1
