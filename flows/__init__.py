"""The flows: one package for each guide."""
