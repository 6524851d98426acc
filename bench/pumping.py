"""What the shield stops, and whom it refuses: `python bench/pumping.py --seeds 1,2,3 --json`.

Plays a mixed population to the real rules of `domain/shield.py` on a virtual clock: people
who sign up and in, and one attack of each published kind. `--trace FILE` plays somebody
else's traffic. By default all countries are open, VoIP is taken and the day's money has no
end, so that what is measured are the adaptive rules and not the lists of an operator. In a
trace numbers of every type are taken, for whoever writes one seldom minds which are toll-free.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from random import Random

# Run as a file, the path begins with bench/ and not with the folder above.
sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent.parent / "src")]

from bench import pumping_kinds, pumping_people  # noqa: E402
from bench.pumping_people import Population, numbers_of  # noqa: E402
from bench.pumping_replay import UNLIMITED, Desk, Event, Outcome  # noqa: E402
from bench.pumping_trace import BadLine, read_trace  # noqa: E402
from doorcode.domain.shield import Policy  # noqa: E402

TUNED_ON = range(1, 300)
COUNTRIES = ["US", "US", "US", "GB", "DE", "FR", "IN", "BR"]


def population(rng: Random) -> Population:
    """Somebody's users: how many, from where, how patient and how lucky."""
    home = rng.choice(COUNTRIES)
    others = rng.sample([country for country in pumping_people.MOBILE if country != home], 2)
    return Population(
        people=rng.choice([500, 1000, 2000, 4000]),
        days=rng.choice([2.0, 4.0, 7.0]),
        numbers=((numbers_of(home), 0.85), *((numbers_of(other), 0.075) for other in others)),
        failing=rng.uniform(0.05, 0.2),
        resending=rng.uniform(0.05, 0.2),
        in_offices=rng.uniform(0, 0.5),
        office_size=rng.choice([5, 40, 200]),
        new_browser=rng.uniform(0.1, 0.5),
    )


def generated(seed: int, kinds: set[str] | None = None, scale: float = 1.0) -> list[Event]:
    """People and bots of a seed. The attacks go abroad or into ranges of the same countries."""
    rng = Random(f"pumping {seed}")
    who = population(rng)
    events = list(pumping_people.traffic(rng, who))
    for attack in pumping_kinds.attacks(rng, who.numbers[0][0], who.days, scale):
        if kinds is None or attack.kind in kinds:
            events += pumping_kinds.traffic(rng, attack)
    return sorted(events, key=lambda event: event.at)


def report(outcome: Outcome) -> dict[str, object]:
    """The figures of one run. Shares are between 0 and 1, money is US dollars."""
    attack, lost = sum(outcome.cost_attack.values()), sum(outcome.cost_lost.values())
    return {
        "cost_stopped": round(1 - lost / attack, 5) if attack else 1.0,
        "people_refused": round(len(outcome.refused) / max(1, len(outcome.people)), 5),
        "people_sends_refused": round(
            outcome.people_sends_refused / max(1, outcome.people_sends), 5
        ),
        "cost_attack": round(attack / 1e6, 2),
        "cost_lost": round(lost / 1e6, 2),
        "people": len(outcome.people),
        "people_refused_count": len(outcome.refused),
        "kinds": {
            kind: {
                "cost_stopped": round(1 - outcome.cost_lost[kind] / cost, 5),
                "asked": outcome.bot_sends[kind],
                "sent": outcome.bot_sent[kind],
            }
            for kind, cost in sorted(outcome.cost_attack.items())
        },
        "bots_refused_by": dict(outcome.refused_by.most_common()),
        "people_refused_by": dict(outcome.people_refused_by.most_common()),
        "paused": sorted(outcome.paused),
    }


def together(outcomes: list[Outcome]) -> Outcome:
    """One outcome of several; the same number in two runs is two people."""
    whole = Outcome()
    for index, outcome in enumerate(outcomes):
        for name in asdict(whole):
            mine, theirs = getattr(whole, name), getattr(outcome, name)
            if isinstance(mine, Counter):
                mine.update(theirs)
            elif isinstance(mine, set):
                mine.update(f"{index} {one}" if name != "paused" else one for one in theirs)
            else:
                setattr(whole, name, mine + theirs)
    return whole


def main(arguments: list[str] | None = None) -> int:
    """Reads the command line, plays, prints."""
    asked = _parser().parse_args(arguments)
    policy = Policy(
        frozenset(asked.countries.upper().split(",")) if asked.countries else None,
        asked.refuse_voip,
        int(asked.money * 1e6) if asked.money else UNLIMITED,
    )
    try:
        if asked.trace:
            desk = Desk(policy, is_on=not asked.off, all_types=not asked.refuse_types)
            runs = {"trace": desk.play(read_trace(asked.trace))}
        else:
            kinds = set(asked.kinds.split(";")) if asked.kinds else None
            runs = {
                str(seed): Desk(policy, is_on=not asked.off).play(
                    generated(seed, kinds, asked.scale)
                )
                for seed in asked.seeds
            }
    except BadLine as error:
        print(error, file=sys.stderr)
        return 2
    figures = report(together(list(runs.values())))
    figures["policy"] = {
        "countries": asked.countries or "all",
        "refuse_voip": asked.refuse_voip,
        "refuse_types": asked.refuse_types or not asked.trace,
        "money_per_country": asked.money or "no end",
    }
    if not asked.trace:
        figures["seeds"] = {
            seed: {key: report(run)[key] for key in ("cost_stopped", "people_refused")}
            for seed, run in runs.items()
        }
        figures["held_out"] = [seed for seed in asked.seeds if seed not in TUNED_ON]
    print(json.dumps(figures, indent=None if asked.json else 2))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench/pumping.py", description=__doc__)
    parser.add_argument(
        "--seeds",
        type=lambda text: [int(seed) for seed in text.split(",")],
        default=[1, 2, 3],
        help="populations to play; those from 1 to 299 tuned the constants",
    )
    parser.add_argument("--trace", help="play this file instead of a generated population")
    parser.add_argument("--json", action="store_true", help="on one line")
    parser.add_argument("--countries", help="the country list, such as US,CA; all if not given")
    parser.add_argument("--refuse-voip", action="store_true", help="refuse VoIP numbers")
    parser.add_argument(
        "--refuse-types",
        action="store_true",
        help="in a trace, too, refuse premium, toll-free and the like, as a server always does",
    )
    parser.add_argument("--money", type=float, help="US dollars for a country and day")
    parser.add_argument("--kinds", help="only these kinds of bots, separated by semicolons")
    parser.add_argument("--scale", type=float, default=1.0, help="how large the attacks are")
    parser.add_argument("--off", action="store_true", help="without the shield: what is at stake")
    return parser


if __name__ == "__main__":
    sys.exit(main())
