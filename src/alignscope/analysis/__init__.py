"""From scores to what they say; reads tables only, never torch."""
