"""People with objects in a photograph: who rides, wears or carries something, from the contact of masks."""

from converseg_ros.data_engine.world.world import Entity, World

# Distance of people's feet below the lower edge of what they ride, in its heights; larger next to a bicycle.
FEET = {'bicycle': -0.2, 'motorcycle': -0.2, 'scooter': -0.1, 'horse': -0.15, 'elephant': -0.15}
RIDES = frozenset({'bicycle', 'motorcycle', 'horse', 'skateboard', 'surfboard', 'snowboard', 'elephant', 'scooter'})
CARRIED = frozenset(
    {
        'umbrella', 'backpack', 'handbag', 'suitcase', 'tennis racket',
        'baseball bat', 'cell phone', 'kite', 'baseball glove',
    }
)  # fmt: skip
SEATS = frozenset({'chair', 'couch', 'bench', 'bed'})
WORN = 'tie'


def companions(world: World) -> tuple[dict[str, list[tuple[Entity, Entity]]], set[str]]:
    """Return (person, object) pairs by category, one person per object, and the categories with ambiguous pairs."""
    people = [e for e in world.things if e.category == 'person']
    pairs: dict[str, list[tuple[Entity, Entity]]] = {}
    unclear: set[str] = set()
    for thing in world.things:
        known = thing.category
        if known not in RIDES | CARRIED | {WORN}:
            continue
        touching = [p for p in people if p.key in thing.contacts]
        if world.faint(thing) or len(touching) != 1:
            unclear.add(known)  # another person may have one too
            continue
        if known in RIDES and not rides(touching[0], thing):
            unclear.add(known)
            continue
        pairs.setdefault(known, []).append((touching[0], thing))
    return pairs, unclear


def rides(person: Entity, ride: Entity) -> bool:
    """Return whether a person is on top of something in the image: shared columns, and a higher middle."""
    shared = min(person.box.x1, ride.box.x1) - max(person.box.x0, ride.box.x0)
    narrow = min(person.box.x1 - person.box.x0, ride.box.x1 - ride.box.x0)
    inside = ride.box.x0 <= person.cx <= ride.box.x1
    return (
        shared >= 0.6 * narrow
        and inside
        and person.cy < ride.cy
        and person.box.y1 <= ride.box.y1 + FEET.get(ride.category, 0.1) * (ride.box.y1 - ride.box.y0)
    )
