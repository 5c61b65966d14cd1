"""Figures (matplotlib, drawn without a display) and the self-contained HTML report."""
