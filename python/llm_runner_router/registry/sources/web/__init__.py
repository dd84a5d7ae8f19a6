"""Files from web servers: resumed, verified, and there wholly or not at all."""
