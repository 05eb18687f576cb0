"""Results of runs on disk, and the tables made of them; nothing here needs torch."""
