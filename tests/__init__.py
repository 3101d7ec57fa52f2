"""Tests, in the same layout as what they test."""
