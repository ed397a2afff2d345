"""From what is known to the lines of the rule file."""
