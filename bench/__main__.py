"""Every performance figure: `make bench`, or `python -m bench NAME ...` for some of them."""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from bench.measurements import MEASUREMENTS, Findings, measure
from bench.rounds import console, report


def alone(name: str) -> Findings:
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as executor:
        return executor.submit(measure, name).result()


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MEASUREMENTS)}; all when none is given")
    names = parser.parse_args().names or list(MEASUREMENTS)
    unknown = set(names) - MEASUREMENTS.keys()
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(MEASUREMENTS)}")
    ended = [told(name) for name in names]
    return 0 if all(ended) else 1


def told(name: str) -> bool:
    """Measure and print; what one finds is on the screen before the next begins. Tell whether it ended, with every floor met."""
    console.print(f"Measuring: {name}")
    try:
        ratios, figures = alone(name)
    except RuntimeError as error:
        console.print(f"[bold]{name} failed[/]")
        console.print(str(error), markup=False)
        return False
    return report(ratios, figures)


if __name__ == "__main__":
    sys.exit(main())
