"""The embedded world: procedural street scenes with exact labels."""
