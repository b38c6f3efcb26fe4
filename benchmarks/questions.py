"""Questions about the textbook, each in three wordings, so that no two requests of a run are the same."""

ASKED = (
    ("Which scheme is unconditionally stable?", "unconditional stability"),
    ("When does the Forward Euler scheme oscillate?", "oscillations of the Forward Euler scheme"),
    ("What is the amplification factor of the Crank-Nicolson scheme?", "the amplification factor"),
    ("How is the truncation error defined?", "the truncation error"),
    ("Why are consistency and stability enough for convergence?", "the convergence of a scheme"),
    ("How can rounding errors be studied with the decimal module?", "rounding errors"),
    ("What does the method of manufactured solutions verify?", "the method of manufactured solutions"),
    ("How are convergence rates computed from experiments?", "the computation of convergence rates"),
    ("How does the Leapfrog scheme start its first step?", "the Leapfrog scheme"),
    ("How many evaluations does the 4th-order Runge-Kutta method need?", "Runge-Kutta methods"),
    ("What does the carrying capacity mean in logistic growth?", "logistic growth"),
    ("How fast does a cup of coffee cool down?", "Newton's law of cooling"),
    ("How is the half-life of carbon-14 used to date a sample?", "radioactive decay"),
    ("How do the concentrations change in a reversible reaction?", "chemical kinetics"),
    ("What do S, I and R stand for in the model of an epidemic?", "the spreading of diseases"),
    ("How does air pressure fall with altitude?", "atmospheric pressure"),
    ("What is the terminal velocity of a falling body?", "the terminal velocity of a body"),
    ("How does porosity change when sediments are compacted?", "the compaction of sediments"),
    ("How are command-line arguments read with argparse?", "option-value pairs on the command line"),
    ("What is the difference between a doctest and a unit test?", "test functions"),
)

WORDINGS = ("{question}", "Where does the author discuss {topic}?", "Explain {topic} in a few words")

QUESTIONS = tuple(
    wording.format(question=question, topic=topic) for wording in WORDINGS for question, topic in ASKED
)
"""60 questions."""

WARM_UP = (
    "What is a mesh function?",
    "Who should read this book?",
    "How do I install the software?",
    "What is a finite difference?",
    "How is a plot made?",
)
