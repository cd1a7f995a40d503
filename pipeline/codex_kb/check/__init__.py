"""What is wrong with a knowledge base, a rule at a time; no input or output."""
