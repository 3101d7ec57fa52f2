"""Pantheon's guided WordPress migration."""
