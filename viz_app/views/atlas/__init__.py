"""The Primitives page: what each primitive is, over all pictures of an atlas."""
