"""What came of a run: who was written and who was not, and what they have done since."""
