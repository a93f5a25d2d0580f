"""What Learn says: a file a step, words that several steps share, the worksheet. Pure; a translation's place.

A step's file has its short name, heading and formula, the symbols that are met first in it (of the glossary,
`a2core/canvas/glossary`), and everything that stands round its figures. What is said of a number gets it
printed already, with its index where it has one.
"""
