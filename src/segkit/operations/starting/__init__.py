"""A first rule file: from files that are looked at to facts, from facts to lines of the file, which is tried out."""
