"""Pretraining a small encoder from raw text."""
