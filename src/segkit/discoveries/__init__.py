"""What was found in the data, as results: plain values, in the words of the field."""
