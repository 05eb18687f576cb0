"""Helpers of several test files: tiny encoders, tiny corpora, invented results."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The folder of the repository."""
