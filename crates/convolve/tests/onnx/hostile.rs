//! Damaged models: the program ends with one line, whatever the file holds.
