"""Segments that nobody has named yet: what is found by a model becomes rules that people read."""
