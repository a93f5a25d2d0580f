"""Into other people's tools: timm, huggingface_hub; torch.hub's hubconf.py stands beside the packages.

Each file is a thin adapter to one library, and nothing in the core needs them.
"""
