"""Questions and cards by linguistic rules, without a language model: facts are found in analysed sentences, then worded."""
