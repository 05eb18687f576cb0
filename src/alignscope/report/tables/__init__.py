"""Tables as people read them, and as files."""
