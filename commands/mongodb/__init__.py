"""What the command side stores in MongoDB: the keys of people."""
