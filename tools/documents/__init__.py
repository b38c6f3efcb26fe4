"""Documents out of material: cheat sheets, guides, summaries, answers to past papers and quiz sheets, each statement cited."""
