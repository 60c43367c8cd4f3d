"""Image classification: one network, one recipe, top-1 and top-5 error."""
