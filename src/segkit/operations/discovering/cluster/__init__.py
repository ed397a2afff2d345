"""`cluster`: personas, from points to clusters to a tree to rules."""
