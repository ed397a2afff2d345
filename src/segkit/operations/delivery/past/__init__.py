"""What a run carries on of the runs before it."""
