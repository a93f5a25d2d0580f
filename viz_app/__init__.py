"""The A² explorer: a Streamlit app that shows what double attention gathered and handed out."""
