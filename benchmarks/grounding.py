"""What checking an output against its sources costs, beside splitting the sources into words and counting them.

An output of 300 words is held against 5,000 words of sources: half of it prose, half of it what tools answer, as JSON.
The floor is `Counter(text.lower().split())` over the same sources. Both take turns, and the best of many rounds counts.
Nothing of this runs on the agent's thread.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from typing import TYPE_CHECKING

from otel_agenttrace.grounding import ground

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROUNDS = 20
SOURCE_WORDS = 5_000
OUTPUT_WORDS = 300
LIMIT_MILLIS = 20
SYLLABLES = ("ba", "con", "der", "fi", "gra", "hol", "in", "ker", "lo", "men", "nor", "per", "ri", "sta", "tem", "ver")
SMALL = ("the", "of", "and", "to", "in", "is", "was", "for", "with", "on", "by", "at", "from", "that")
CITIES = ("Berlin", "Oslo", "Lisbon", "Bergen", "Madrid", "Vienna", "Dublin", "Turin")


def vocabulary(dice: random.Random) -> list[str]:
    """Make up words, as many as a long document has."""
    return ["".join(dice.choices(SYLLABLES, k=dice.randint(1, 4))) for _ in range(1_200)]


def prose(dice: random.Random, words: Sequence[str], count: int) -> str:
    """Make up sentences with some numbers, names and dates in them."""
    sentences: list[str] = []
    length = 0
    while length < count:
        sentence = [
            dice.choice(SMALL) if dice.random() < 0.4 else dice.choice(words) for _ in range(dice.randint(8, 22))
        ]
        for value in (str(dice.randint(2, 9_999)), dice.choice(CITIES), f"on {dice.randint(1, 28)} May 2026"):
            if dice.random() < 0.3:
                sentence.insert(dice.randint(1, len(sentence)), value)
        sentences.append(" ".join(sentence).capitalize() + ".")
        length += len(sentence)
    return " ".join(sentences)


def records(dice: random.Random, words: Sequence[str], count: int) -> str:
    """Make up what a search for flights answers."""
    flights = [
        {
            "number": f"{dice.choice(('AT', 'NX'))} {dice.randint(100, 9_999)}",
            "from": dice.choice(CITIES),
            "to": dice.choice(CITIES),
            "departs": f"2026-05-{dice.randint(1, 28):02}T{dice.randint(0, 23):02}:{dice.randint(0, 59):02}:00",
            "price_eur": round(dice.uniform(40, 400), 2),
            "seats_left": dice.randint(0, 30),
            "refundable": dice.random() < 0.5,
            "note": " ".join(dice.choices(words, k=6)),
        }
        for _ in range(count // 25)
    ]
    return json.dumps({"flights": flights})


def sample() -> tuple[str, list[str]]:
    """Return an output and its sources; the same in every run."""
    dice = random.Random(20260101)
    words = vocabulary(dice)
    documents = [prose(dice, words, SOURCE_WORDS // 4) for _ in range(2)]
    sources = [*documents, *(records(dice, words, SOURCE_WORDS // 4) for _ in range(2))]
    copied = " ".join(documents[0].split(". ")[::2]).split()[: OUTPUT_WORDS // 2]
    return " ".join(copied) + ". " + prose(dice, words, OUTPUT_WORDS // 2), sources


def best(work: Callable[[], object]) -> float:
    """Milliseconds of CPU time that some work takes, the best of all rounds."""
    taken = []
    for _ in range(ROUNDS):
        start = time.thread_time_ns()
        work()
        taken.append(time.thread_time_ns() - start)
    return min(taken) / 1e6


def main() -> None:
    """Print the figures."""
    output, sources = sample()
    floor = best(lambda: [Counter(source.lower().split()) for source in sources])
    cost = best(lambda: ground(output, sources))
    claims = len(ground(output, sources).claims)
    words = sum(len(source.split()) for source in sources)
    print(f"{len(output.split())} words of output ({claims} claims), {words} words of sources")
    print(f"split and count the sources                    {floor:6.2f} ms")
    print(f"ground(output, sources)                        {cost:6.2f} ms (at most {LIMIT_MILLIS})")
    print(f"ratio                                          {cost / floor:6.1f}")


if __name__ == "__main__":
    main()
