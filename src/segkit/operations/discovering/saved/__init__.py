"""The rule file that a discovery ends in: what it was made of, carried over, and what was found."""
