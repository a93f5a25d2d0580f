"""Chinese: what the modules of words say, each under the path that it has in English. Read by `viz_app.ui.language`."""
