"""What erasing a person leaves to do: the documents that were made from what can be read no more."""
