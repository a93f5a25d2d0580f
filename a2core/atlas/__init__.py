"""The atlas: what each primitive of a network is, over all pictures of a person.

Built in parts by one pass over the pictures (`build.py`), kept as Parquet tables that anybody's tools open
(`store.py`), measured (`measure.py`), and asked (`read.py`).
"""
