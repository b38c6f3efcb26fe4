"""The process that sets PDFs: a line of JSON in, the length and the bytes of a PDF out, or length 0 and what Typst
says is wrong. It never outlives who started it.

It has a folder with nothing but our template as its root, and no environment.
"""

import sys
import tempfile
from pathlib import Path

import typst

from tools.ingest.reader.serve import limit, private_stdout, tie_to

TEMPLATE = Path(__file__).with_name("document.typ")
MEMORY = 1 << 30
"""Private memory in bytes; a textbook's guide needs some 200 MB."""


def main() -> None:
    tie_to(int(sys.argv[1]))
    limit(MEMORY)
    answers = private_stdout()
    with tempfile.TemporaryDirectory(prefix="lyceum-typst-") as root:
        main_file = Path(root, TEMPLATE.name)
        main_file.write_bytes(TEMPLATE.read_bytes())
        compiler = typst.Compiler(main_file, root=root)
        for line in sys.stdin.buffer:
            try:
                pdf = compiler.compile(sys_inputs={"data": line.decode()}, format="pdf")
                made = pdf if isinstance(pdf, bytes) else b""
                answers.write(len(made).to_bytes(4, "big") + made)
            except typst.TypstError as error:
                said = error.message.encode()
                answers.write(bytes(4) + len(said).to_bytes(4, "big") + said)
            answers.flush()


if __name__ == "__main__":
    main()
