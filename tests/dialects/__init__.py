"""Files in the dialects that people have, each with what reading it must give."""
