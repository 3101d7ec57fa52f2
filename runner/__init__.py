"""The engine: performs a flow in a real browser, step by step, and records what happened."""
