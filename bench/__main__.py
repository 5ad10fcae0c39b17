"""Every performance figure: `make bench`, or `python -m bench NAME ...` for some of them."""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from bench.measurements import MEASUREMENTS, Findings, measure
from bench.rounds import Figure, Ratio, console, report


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
    ratios: list[Ratio] = []
    figures: list[Figure] = []
    for name in names:
        console.print(f"Measuring: {name}")
        found_ratios, found_figures = alone(name)
        ratios += found_ratios
        figures += found_figures
    return 0 if report(ratios, figures) else 1


if __name__ == "__main__":
    sys.exit(main())
