"""Each library in its own way, as its documentation has it: one module for each kind of scenario."""
