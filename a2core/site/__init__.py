"""The explorer without a server: static files that trace pictures in the visitor's own browser.

The canvas is `a2core.canvas`, in a frame of its own. The network runs by ONNX Runtime Web, which npm brings
(`npm ci`) and which is copied from there, never kept here.
"""

from a2core.site.build import Built, build_site

__all__ = ["Built", "build_site"]
