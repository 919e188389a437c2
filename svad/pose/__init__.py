"""Key points of people: finding, aligning and drawing them, and the driving sequence."""
