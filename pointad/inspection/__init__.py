"""One scan of any kind: made ready for the views, and its scores made readable."""
