"""Everything on one machine: Asterisk, practice carrier and engine as children of one process."""
