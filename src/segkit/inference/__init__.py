"""What the figures of two groups tell, and what may be chance."""
