"""From finished runs to tables beside the published figures, and to pages that can be looked at."""
