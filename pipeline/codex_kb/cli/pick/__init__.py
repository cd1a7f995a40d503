"""`codex review -p`: one proposal at a time in the terminal, one key a decision.

`keys` reads keys, `screen` prints, `card` is what is shown of a proposal, `session` is what each key does, `help` what
`?` says of them.
"""
