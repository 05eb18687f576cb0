#!/bin/sh
# A study on a cluster with SLURM: eight jobs, each with a GPU and an eighth of the runs, one store on
# the disk they share. Killed or out of time, submit it again: what is done is not done again.
#
#   sbatch studies/slurm.sh studies/muller2021.toml results
#
# Log in where there is a network first and let one `alignscope run` begin, so that corpora and the
# encoder are in the cache; compute nodes often have none.
#SBATCH --job-name=alignscope
#SBATCH --array=1-8
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=4
#SBATCH --mem=24G
#SBATCH --time=08:00:00
set -eu
export HF_HUB_OFFLINE=1
exec alignscope run "$1" --store "$2" --offline \
    --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT"
