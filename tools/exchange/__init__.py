"""Decks from and for other programs: Anki packages, CSV, Quizlet text.

`packed` is the form that all of them share. `importing` and `exporting` are the jobs; `anki_child` is the process that works with
Anki's own library (`anki_read`, `anki_write`) and `anki_process` how a worker holds it; `from_html` and `to_html` are the two
languages of a card's text, `tables` is CSV and Quizlet, `archive` looks at a package before it is opened.
"""
