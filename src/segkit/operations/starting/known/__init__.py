"""What is known of the files: which columns play which role, what stands there, how things are called."""
