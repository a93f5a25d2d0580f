"""Explore: the canvas on somebody's own picture or clip, with its charts."""
