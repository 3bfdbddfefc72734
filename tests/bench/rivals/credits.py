"""What the Python rivals share: the protocol with the benchmark, and the checksum of a row."""

import sys

PRIME = 2147483647
STEP = 12345


def serve(rival):
    """Answers one line for each line of standard input until it ends.

    `decide THREADS` decides all deals and keeps the credits, `prove` answers with their count, sum in cents
    and checksum, and `clear` forgets them.
    """
    print("ready", flush=True)
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "decide":
            rival.decide(int(rest[0]))
            answer = "done"
        elif word == "prove":
            answer = " ".join(str(number) for number in rival.prove())
        else:
            rival.clear()
            answer = "done"
        print(answer, flush=True)
