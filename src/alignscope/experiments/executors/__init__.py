"""Where groups of runs execute: in this process, in several processes, or on a Ray cluster."""

from alignscope.experiments.executors.executor import Executor, Work
from alignscope.experiments.executors.processes import ProcessExecutor
from alignscope.experiments.executors.ray_cluster import RayExecutor
from alignscope.experiments.executors.serial import SerialExecutor

__all__ = ["Executor", "ProcessExecutor", "RayExecutor", "SerialExecutor", "Work"]
