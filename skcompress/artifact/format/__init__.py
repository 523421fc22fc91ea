"""The byte format: from a model to its file and back (see the format page of the docs)."""
