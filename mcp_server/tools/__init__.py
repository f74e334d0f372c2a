"""Floor 4: what modules offer: tools, prompts, published resources."""
