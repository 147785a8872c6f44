"""The ways out: each takes the packets of the one encoder."""
