"""`segkit audit`: what stands in files, looked at in one pass, and what is odd there."""
