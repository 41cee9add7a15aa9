"""A trained network put to use: a run's folder or a bundle taken up, and asked for points or classes."""
