"""Load, inspect, ablate and feed pretrained encoders."""
