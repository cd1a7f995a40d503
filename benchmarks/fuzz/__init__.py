"""Made-up and damaged input for the real program: nothing is believed, nothing is lost; `make fuzz`."""
