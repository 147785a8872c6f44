"""Videos to a training set: clips are cut out, captioned, scored by expert filters, and accepted or rejected by a person."""
