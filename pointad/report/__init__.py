"""Turns finished runs into tables next to the published figures, and into HTML pages."""
