"""The computations: pure functions and frozen result types. Knows neither torch nor Streamlit."""
