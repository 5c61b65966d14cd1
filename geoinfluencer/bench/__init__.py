"""Side-by-side timings of the ops against every peer that is installed, checked before timed."""
