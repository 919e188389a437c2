"""Writers of motions for other programs."""
