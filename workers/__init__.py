"""The processes: each starts services and holds no logic of its own."""
