"""SVAD: one photo in, an animatable 3D Gaussian avatar out."""

__version__ = "0.1.0"
