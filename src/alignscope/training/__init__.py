"""Everything that updates weights: fine-tuning, stacked training, pretraining."""
