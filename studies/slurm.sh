#!/bin/sh
# A study on a Slurm cluster: eight jobs, each with one GPU and an eighth of the runs, and one store on
# a shared disk. If jobs are killed or run out of time, submit the array again: it resumes.
#
#   sbatch studies/slurm.sh studies/muller2021.toml results
#
# First start one `alignscope run` on a login node, so that corpora and the encoder are in the cache:
# compute nodes often have no network.
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
