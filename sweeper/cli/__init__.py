"""What a person types: one module per verb, thin, over `bootstrap`."""
