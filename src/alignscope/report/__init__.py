"""What a person reads: tables as text; reads tables only, never torch."""
