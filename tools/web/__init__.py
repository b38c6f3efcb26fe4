"""What comes in from the web: guarded requests, the readable part of a page, captions of a video."""
