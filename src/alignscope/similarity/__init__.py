"""How alike two languages look inside an encoder, layer by layer."""
