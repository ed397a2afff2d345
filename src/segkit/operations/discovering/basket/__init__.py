"""`basket`: what is bought together, counted exactly, and who lacks the rest."""
