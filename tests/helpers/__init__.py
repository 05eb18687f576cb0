"""What several test files share: tiny encoders, tiny corpora, made-up results."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The folder of the repository."""
