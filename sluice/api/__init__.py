"""The HTTP door: what is posted is stored before it is acknowledged, and worked afterwards."""
