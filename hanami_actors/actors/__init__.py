"""The actors: thin shells that own state, ask downwards, tell upwards and persist before they answer."""
