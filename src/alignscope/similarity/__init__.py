"""Compute the similarity of two languages inside an encoder, layer by layer."""
