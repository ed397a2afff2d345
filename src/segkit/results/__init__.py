"""What operations return: plain frozen data, ready to be shown as a table or as JSON; a command a module."""
