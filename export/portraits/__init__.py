"""How drawn and painted ready avatars are made: their vector sources, and the painter."""
