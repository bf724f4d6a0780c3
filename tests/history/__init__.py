"""Random histories, held against the model of tests/model."""
