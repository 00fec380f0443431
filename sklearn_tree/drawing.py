"""Colours and escaping shared by all pictures."""
