"""Review in the browser: pages made here, on this machine, for one person. A door: it shows what `workflow` returns."""
