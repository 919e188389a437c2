"""3D Gaussians, cameras and their rendering."""
