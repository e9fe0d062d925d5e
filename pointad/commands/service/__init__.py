"""The web service of scripts/serve.py: receives scans, inspects them one at a time, answers with JSON or a page."""
