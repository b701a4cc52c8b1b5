"""What the command side keeps in MongoDB: the keys of people."""
