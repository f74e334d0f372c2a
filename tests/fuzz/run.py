"""Hostile inputs for as long as one likes: `python -m tests.fuzz.run --count 200000 --seed 1`.

The inputs are shared out among the targets. Exit code 0: nothing failed; 1: something did, one line each; to see one
again, give its target, seed and index.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.fuzz.harness import attack, targets


def main() -> int:
    """Run the targets and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200_000, help="inputs in all (default: 200000)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other inputs")
    parser.add_argument("--target", action="append", help="only this target; may be repeated")
    parser.add_argument("--index", type=int, default=0, help="the first input's number")
    options = parser.parse_args()
    chosen = [target for target in targets() if not options.target or target.name in options.target]
    if not chosen:
        parser.error(f"no such target; there are: {', '.join(target.name for target in targets())}")
    share = max(1, -(-options.count // len(chosen)))
    failures = 0
    for target in chosen:
        started = time.monotonic()
        for line in attack(target, count=share, seed=options.seed, first=options.index):
            failures += 1
            print(line)
        print(f"{target.name}: {share} inputs in {time.monotonic() - started:.1f} s", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
