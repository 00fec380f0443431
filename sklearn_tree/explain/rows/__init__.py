"""Rows of models that contain nets, explained by perturbation: words, nodes and cells are removed."""
