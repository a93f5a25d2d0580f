"""One module a page; each has a `render()` that app.py puts into the navigation."""
