"""Formulas: TeX and the linear notation of PDF text to one tree, and the tree to Typst, MathML and Word's OMML."""
