"""Similarity measures of two arrays whose row i is the same example."""
