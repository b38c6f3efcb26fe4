"""When a card comes again: FSRS-6 and SM-2, the queue of the day, forecast and retention."""
