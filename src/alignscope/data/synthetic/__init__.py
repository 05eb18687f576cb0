"""Synthetic languages: sentences generated from shared meanings (see the README of this folder)."""
