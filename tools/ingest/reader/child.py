"""The process that parses files, all of whose heavy libraries are loaded here and nowhere else."""

from tools.ingest.opening import open_document
from tools.ingest.reader.serve import main

if __name__ == "__main__":
    main(open_document)
