"""Streamlit helpers: the only package that draws."""
