"""Statistics on the tables of results; nothing here needs torch."""
