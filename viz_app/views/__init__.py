"""The app's pages, a folder each: page.py draws it, content.py is its words, service.py asks the server."""
