"""Making what a student learns with: questions and cards out of passages, by a language model or by rules, through one gate."""
