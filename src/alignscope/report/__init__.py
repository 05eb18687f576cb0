"""Reports for readers: one HTML page, figures and tables as files. Needs tables, never torch."""
