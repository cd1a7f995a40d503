"""Texts to vectors: `model` decides how a model is run; the other modules run it."""
