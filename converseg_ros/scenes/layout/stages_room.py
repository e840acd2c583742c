"""Interactions of people, cords and carts: plugging, carrying, sitting, facing, writing."""

import numpy as np

from converseg_ros.scenes.geometry.mesh import rotation, translation
from converseg_ros.scenes.graph import Interaction
from converseg_ros.scenes.layout.builder import Builder, Footprint, Surface, Thing
from converseg_ros.scenes.layout.staging import drop, pick, stage
from converseg_ros.scenes.models import assets, hands
from converseg_ros.scenes.models.procedural import Shape


@stage('plugging')
def plugging(b: Builder, surface: Surface, floor: Surface) -> Interaction | None:
    """Put a plug half into its socket; place another one loosely."""
    rng = b.rng
    yaw = float(rng.uniform(-0.6, 0.6))
    strip = b.stand('power strip', surface, yaw=yaw, margin=0.2, tries=25, drawn=('', hands.power_strip(rng)))
    if strip is None:
        return None
    loose = b.stand('plug', surface, margin=0.02, tries=30, drawn=('', hands.plug(rng)))
    if loose is None:
        drop(b, surface, strip)
        return None
    socket = float(rng.integers(-1, 2)) * 0.07
    pose = strip.pose @ translation(-0.025 - 0.01, socket, 0.0225 - 0.018)
    plug = b.add('plug', hands.plug(rng), pose, support=0)
    low = float(plug.mesh.bounds[0][2])
    if low < surface.z:
        b.move(plug, translation(0, 0, surface.z - low) @ plug.pose)
    plug.node.contacts, strip.node.contacts = [strip.node.id, surface.id], [plug.node.id, surface.id]
    surface.taken.append(Footprint(float(pose[0, 3]), float(pose[1, 3]), 0.2, 0.1, yaw + surface.yaw))
    return Interaction('plugging', plug.node.id, strip.node.id, loose.node.id)


@stage('carrying')
def carrying(b: Builder, surface: Surface, floor: Surface) -> Interaction | None:
    """Put one of two similar objects on a trolley; leave the other one in place."""
    rng = b.rng
    twin_category = pick(
        b, ('box', 'book', 'food container', 'open box', 'bottle', 'can', 'bowl', 'jar', 'towel', 'cereal box')
    )
    twin = b.stand(twin_category, surface, tries=25)
    if twin is None:
        return None
    side = float(rng.choice([-1, 1]))
    x, y = surface.world(side * (surface.hx + 0.5), -float(rng.uniform(-0.1, 0.4)))
    w, d = floor.hx, floor.hy
    shape = hands.trolley(rng)
    turn = float(rng.uniform(-30, 30))
    spot = Footprint(
        float(np.clip(x, -w + 0.45, w - 0.45)), float(np.clip(y, -d + 0.45, d - 0.45)), 0.37, 0.25, np.radians(turn)
    )
    if any(spot.overlaps(f, 0.02) for f in b.floor_taken):
        drop(b, surface, twin)
        return None
    cart = b.add('trolley', shape, translation(spot.x, spot.y, 0) @ rotation('z', turn), support=floor.id)
    b.floor_taken.append(spot)
    assert shape.top is not None
    deck = Surface(cart.node.id, spot.x, spot.y, shape.top[0], shape.top[1], np.radians(turn), shape.top[2])
    target = b.stand(twin_category, deck)
    if target is None:
        return None
    return Interaction('carrying', cart.node.id, target.node.id, twin.node.id)


@stage('sitting')
def sitting(b: Builder, surface: Surface, floor: Surface) -> Interaction | None:
    """Seat a person on one of two stools."""
    rng = b.rng
    people = [m for c in ('man', 'woman') for m in assets.pool(c, b.split) if m.state == 'sitting']
    if not people:
        return None
    model = people[rng.integers(len(people))]
    shape = assets.shape(model)
    low, high = shape.mesh.bounds
    v = shape.mesh.vertices
    hips = v[(v[:, 1] > high[1] - 0.4) & (np.abs(v[:, 0] - (low[0] + high[0]) / 2) < 0.16)]
    seat = float(np.percentile(hips[:, 2], 0.5)) if len(hips) else 0.0
    if high[2] < 1.05 or not 0.3 < seat < 0.62:
        return None
    turn = float(rng.uniform(-60, 60))
    for _ in range(20):
        x, y = rng.uniform(-floor.hx + 0.6, floor.hx - 0.6), rng.uniform(-floor.hy + 0.8, floor.hy - 0.6)
        spot = Footprint(float(x), float(y), float(high[0]) + 0.03, float(high[1]) + 0.05, np.radians(turn))
        if not any(spot.overlaps(f, 0.03) for f in b.floor_taken):
            break
    else:
        return None
    pose = translation(spot.x, spot.y, 0) @ rotation('z', turn)
    stool = hands.stool(seat, rng)
    under = b.add('stool', stool, pose @ translation(0, float(high[1]) - 0.22, 0), support=floor.id)
    person = b.add(model.category, shape, pose, kind='agent', model=model.name, support=under.node.id)
    person.node.state = 'sitting'
    person.node.contacts, under.node.contacts = [under.node.id, floor.id], [person.node.id, floor.id]
    b.floor_taken.append(spot)
    for _ in range(20):
        x, y = spot.x + rng.uniform(-1.6, 1.6), spot.y + rng.uniform(-1.0, 1.0)
        free = Footprint(
            float(np.clip(x, -floor.hx + 0.3, floor.hx - 0.3)),
            float(np.clip(y, -floor.hy + 0.3, floor.hy - 0.3)),
            0.2,
            0.2,
            0,
        )
        if not any(free.overlaps(f, 0.05) for f in b.floor_taken):
            twin = b.add('stool', hands.stool(seat, rng), translation(free.x, free.y, 0), support=floor.id)
            b.floor_taken.append(free)
            return Interaction('sitting', person.node.id, under.node.id, twin.node.id)
    return Interaction('sitting', person.node.id, under.node.id, 0)


@stage('facing')
def facing(b: Builder, surface: Surface, floor: Surface) -> Interaction | None:
    """Turn a person or pet towards an object on the surface, and another one away."""
    rng = b.rng
    target = b.stand(pick(b, ('laptop', 'vase', 'cake', 'flowers', 'bottle', 'bowl', 'lamp', 'radio', 'book')), surface)
    if target is None:
        return None
    actors: list[Thing] = []
    category = pick(b, ('man', 'woman', 'dog', 'cat', 'woman', 'man'))
    for away in (False, True):
        found = [m for m in assets.pool(category, b.split) if m.state == '']
        if not found:
            break
        model = found[rng.integers(len(found))]
        shape = assets.shape(model)
        half = shape.mesh.bounds[1]
        for _ in range(25):
            side = float(rng.choice([-1, 1]))
            x, y = surface.world(side * (surface.hx + rng.uniform(0.35, 0.9)), rng.uniform(-0.5, 0.9))
            x, y = (
                float(np.clip(x, -floor.hx + 0.4, floor.hx - 0.4)),
                float(np.clip(y, -floor.hy + 0.4, floor.hy - 0.4)),
            )
            ahead = target.pose[:2, 3] - [x, y]
            turn = float(np.degrees(np.arctan2(ahead[0], -ahead[1])))  # the front is -y
            turn += float(rng.normal(0, 4)) + (float(rng.uniform(110, 250)) if away else 0)
            spot = Footprint(x, y, float(half[0]), float(half[1]), np.radians(turn))
            if not any(spot.overlaps(f, 0.03) for f in b.floor_taken):
                person = b.add(
                    category,
                    shape,
                    translation(x, y, 0) @ rotation('z', turn),
                    kind='agent',
                    model=model.name,
                    support=floor.id,
                )
                b.floor_taken.append(spot)
                actors.append(person)
                break
    if not actors:
        return None
    return Interaction('facing', actors[0].node.id, target.node.id, actors[1].node.id if len(actors) > 1 else 0)


@stage('writing')
def writing(b: Builder, surface: Surface, floor: Surface) -> Interaction | None:
    """Let a hand write with one of two pens on a book or newspaper."""
    rng = b.rng
    kind = pick(b, ('marker', 'pencil'))
    page = b.stand(pick(b, ('book', 'newspaper')), surface, margin=0.1, tries=25)
    drawn = b.draw(kind, 't')
    twin = b.stand(kind, surface, tries=25)
    if page is None or drawn is None or twin is None:
        drop(b, surface, *[t for t in (page, twin) if t])
        return None
    mesh = drawn[1].mesh.transformed(rotation('y', 90)).seated()  # the tip (+x) comes down
    x, y = page.pose[:2, 3] + rng.normal(0, 0.02, 2)
    pose = (
        translation(float(x), float(y), float(page.mesh.bounds[1][2]))
        @ rotation('z', float(rng.uniform(0, 360)))
        @ rotation('y', float(rng.uniform(12, 30)))
    )
    pen = b.add(kind, Shape(mesh, material=drawn[1].material, state='open'), pose, model=drawn[0])
    grip = hands.hand(0.006, rng)
    actor = b.add(
        'hand', grip, pose @ translation(0, 0, 0.085) @ rotation('z', float(rng.uniform(0, 360))), kind='agent'
    )
    pen.node.contacts, actor.node.contacts = [actor.node.id, page.node.id], [pen.node.id]
    return Interaction('holding', actor.node.id, pen.node.id, twin.node.id)
