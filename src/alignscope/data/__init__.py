"""Sentences and where they come from: file formats, corpus names, downloads, raw text."""
