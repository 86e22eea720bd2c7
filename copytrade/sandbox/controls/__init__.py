"""What the control interface can do, by subject."""
