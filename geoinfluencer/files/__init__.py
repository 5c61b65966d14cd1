"""Files in and out: CSV tables with errors that name the line, particle momenta, lines as pixels,
atomic writes."""
