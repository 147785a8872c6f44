"""Speech to words. The recogniser is an extra; whatever runs it keeps it out of the serving process."""
