"""Staged interactions with exact labels: something going on, and a look-alike beside it with which nothing goes on."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from converseg_ros.scenes import hands
from converseg_ros.scenes.builder import Builder, Footprint, Surface, Thing
from converseg_ros.scenes.graph import Interaction
from converseg_ros.scenes.mesh import rotation, translation
from converseg_ros.scenes.wares import Shape

Stage = Callable[[Builder, Surface, Surface], Interaction | None]
STAGES: dict[str, Stage] = {}
ROUND = ('mug', 'cup', 'glass', 'bottle', 'can', 'jar', 'apple', 'orange', 'soap dispenser', 'candle', 'lemon', 'tomato')
HELD = (*ROUND, 'box', 'cereal box', 'toy block', 'sponge', 'book', 'ball', 'banana', 'remote control', 'tape roll', 'food container')


def stage(name: str) -> Callable[[Stage], Stage]:
    """Register a type of interaction."""

    def register(maker: Stage) -> Stage:
        STAGES[name] = maker
        return maker

    return register


def _pick(b: Builder, names: tuple[str, ...]) -> str:
    return str(b.rng.choice(list(names)))


def _pair(b: Builder, surface: Surface, category: str) -> tuple[Thing, Thing] | None:
    """Stand two things of a category with room around them, in different models or colours."""
    first = b.stand(category, surface, margin=0.1, tries=30)
    if first is None:
        return None
    second = b.stand(category, surface, margin=0.1, tries=30)
    if second is None:
        _drop(b, surface, first)
        return None
    return first, second


def _drop(b: Builder, surface: Surface, *things: Thing) -> None:
    """Take things and their footprints away again."""
    for thing in things:
        x, y = thing.pose[:2, 3]
        surface.taken = [f for f in surface.taken if (f.x - x) ** 2 + (f.y - y) ** 2 > 1e-8]
        b.remove(thing.node.id)


def _lift(b: Builder, thing: Thing, pose: np.ndarray, holder: int) -> None:
    """Take a thing off its support into a new pose."""
    b.move(thing, pose)
    thing.node.support = 0
    thing.node.contacts = [holder] if holder else []
    thing.node.edge_distance = 9.0


def _grasp(b: Builder, thing: Thing, reach: float = 0.0) -> Thing:
    """Put a hand (around upright round things) or a gripper (else) at a thing; `reach` metres short of touching it."""
    rng = b.rng
    low, high = thing.shape.mesh.bounds
    size = high - low
    middle = (low + high) / 2
    upright = thing.pose[2, 2] > 0.9
    if upright and thing.node.category in ROUND and size[2] > 0.055 and rng.random() < 0.6:
        top = thing.shape.mesh.vertices[np.abs(thing.shape.mesh.vertices[:, 2] - size[2] * 0.5) < 0.2 * size[2]]
        body = thing.shape.mesh.vertices[thing.shape.mesh.faces[thing.shape.mesh.part == 0]].reshape(-1, 3)
        near = body[np.abs(body[:, 2] - size[2] * 0.5) < 0.35 * size[2]] if len(body) else top
        radius = float(np.hypot(*(near if len(near) else body)[:, :2].T).max())
        # the handle, if any, lies along +x: the hand comes from -x of the thing, or from the cameras' side
        turn = float(np.degrees(np.arctan2(thing.pose[1, 0], thing.pose[0, 0]))) + float(rng.normal(0, 12))
        at = thing.pose @ np.r_[0, 0, size[2] * 0.52, 1]
        pose = translation(*at[:3]) @ rotation('z', turn) @ translation(-reach, 0, 0)
        return b.add('hand', hands.hand(radius, rng), pose, kind='agent')
    across = float(np.degrees(np.arctan2(thing.pose[1, 0], thing.pose[0, 0])))
    if size[0] < size[1]:
        across += 90
    gap = float(min(size[0], size[1]))
    world = thing.mesh.bounds
    at = thing.pose @ np.r_[middle, 1]
    deep = min(0.045, 0.6 * float(world[1][2] - world[0][2]))
    pose = translation(float(at[0]), float(at[1]), float(world[1][2]) - deep + reach) @ rotation('z', across)
    return b.add('gripper', hands.gripper(gap, rng), pose, kind='agent')


@stage('holding')
def holding(b: Builder, surface: Surface, floor: Surface) -> Interaction | None:
    """A hand or gripper holds one of two alike, lifted off the surface."""
    pair = _pair(b, surface, _pick(b, HELD))
    if pair is None:
        return None
    thing, twin = pair
    if min(thing.node.size[:2]) > 0.14 or thing.node.category == 'book' and thing.node.size[2] > 0.03:
        _drop(b, surface, *pair)
        return None
    _lift(b, thing, translation(0, 0, float(b.rng.uniform(0.03, 0.16))) @ thing.pose, 0)
    actor = _grasp(b, thing)
    thing.node.contacts, actor.node.contacts = [actor.node.id], [thing.node.id]
    return Interaction('holding', actor.node.id, thing.node.id, twin.node.id)


@stage('reaching')
def reaching(b: Builder, surface: Surface, floor: Surface) -> Interaction | None:
    """A hand or gripper is about to take one of two alike."""
    pair = _pair(b, surface, _pick(b, HELD))
    if pair is None:
        return None
    thing, twin = pair
    actor = _grasp(b, thing, float(b.rng.uniform(0.05, 0.1)))
    return Interaction('reaching', actor.node.id, thing.node.id, twin.node.id)


@stage('cutting')
def cutting(b: Builder, surface: Surface, floor: Surface) -> Interaction | None:
    """A knife stands in food; another knife lies by."""
    rng = b.rng
    food = b.stand(_pick(b, ('bread', 'tomato', 'apple', 'orange', 'butter', 'lemon', 'cake', 'sponge')[: 7]), surface, margin=0.08, tries=30)
    if food is None:
        return None
    drawn = b.draw('kitchen knife', 't')
    twin = b.stand('kitchen knife', surface, margin=0.03, tries=30)
    if drawn is None or twin is None:
        _drop(b, surface, food, *([twin] if twin else []))
        return None
    low, high = drawn[1].mesh.bounds
    size = high - low
    flat = size[2] < size[1]
    # the blade's plane becomes vertical; the knife lies across the food, its edge below the food's top
    stand = rotation('x', 90) if flat else np.eye(4)
    shape = drawn[1]
    mesh = shape.mesh.transformed(stand)
    if size[1] > size[0]:
        mesh = mesh.transformed(rotation('z', 90))
    mesh = mesh.seated()
    shape = replace(shape, mesh=mesh)
    long = float(mesh.bounds[1][0] - mesh.bounds[0][0])
    blade = float(np.sign(-mesh.bounds[0][0])) * long * 0.22
    top = float(food.mesh.bounds[1][2])
    deep = min(0.035, 0.55 * float(food.node.size[2]))
    x, y = (float(v) for v in food.pose[:2, 3])
    pose = translation(x, y, top - deep) @ rotation('z', float(rng.uniform(-40, 40)) + np.degrees(surface.yaw)) @ translation(-blade, 0, 0) @ rotation('y', float(rng.uniform(-8, 4)))
    knife = b.add('kitchen knife', shape, pose, model=drawn[0])
    knife.node.contacts, food.node.contacts = [food.node.id], [knife.node.id, surface.id]
    surface.taken.append(Footprint(x, y, long, 0.05, 0))
    return Interaction('cutting', knife.node.id, food.node.id, twin.node.id)


@stage('pouring')
def pouring(b: Builder, surface: Surface, floor: Surface) -> Interaction | None:
    """A bottle, kettle or teapot is tilted over a mug; another mug is not being filled."""
    rng = b.rng
    pair = _pair(b, surface, _pick(b, ('mug', 'mug', 'cup', 'glass', 'bowl')))
    if pair is None:
        return None
    target, twin = pair
    source = _pick(b, ('bottle', 'bottle', 'wine bottle', 'teapot', 'milk carton', 'kettle', 'creamer'))
    drawn = b.draw(source, 't') or b.draw('bottle', 't')
    if drawn is None or target.shape.hollow is None:
        _drop(b, surface, *pair)
        return None
    if b.draw(source, 't') is None:
        source = 'bottle'
    rim = float(target.mesh.bounds[1][2])
    low, high = drawn[1].mesh.bounds
    tilt = float(rng.uniform(95, 125)) if source in ('bottle', 'wine bottle', 'milk carton') else float(rng.uniform(40, 60))
    turn = float(rng.uniform(0, 360))
    mouth = np.array([0, 0, high[2]]) if tilt > 90 else np.array([high[0], 0, 0.75 * high[2]])
    at = np.array([*target.pose[:2, 3], rim + float(rng.uniform(0.03, 0.06))])
    pose = translation(*at) @ rotation('z', turn) @ rotation('y', tilt) @ translation(*(-mouth))
    thing = b.add(source, drawn[1], pose, model=drawn[0])
    if thing.mesh.bounds[0][2] < rim + 0.005:
        b.move(thing, translation(0, 0, rim + 0.012 - float(thing.mesh.bounds[0][2])) @ thing.pose)
    thing.node.attributes = list(dict.fromkeys([*thing.node.attributes, 'spills']))
    thing.node.state = 'tilted'
    return Interaction('pouring', thing.node.id, target.node.id, twin.node.id)


@stage('covering')
def covering(b: Builder, surface: Surface, floor: Surface) -> Interaction | None:
    """A lid is held above its pot; another open vessel has none."""
    rng = b.rng
    pots = []
    for _ in range(2):
        for _ in range(6):
            drawn = b.draw('pot', 't')
            if drawn and drawn[1].hollow:
                thing = b.stand('pot', surface, margin=0.06, tries=25, drawn=drawn)
                if thing:
                    pots.append(thing)
                break
    if len(pots) < 2:
        _drop(b, surface, *pots)
        return None
    pot, twin = pots
    drawn = b.draw('lid', 't')
    assert pot.shape.hollow is not None
    if drawn is None:
        return None
    half = float(drawn[1].mesh.bounds[1][0])
    shape = replace(drawn[1], mesh=drawn[1].mesh.scaled((pot.shape.hollow[0] * 1.06 / half, pot.shape.hollow[0] * 1.06 / half, 1)))
    at = pot.pose @ np.r_[0, 0, pot.shape.hollow[2] + rng.uniform(0.05, 0.11), 1]
    lid = b.add('lid', shape, translation(*at[:3]) @ rotation('x', float(rng.normal(0, 7))) @ rotation('y', float(rng.normal(0, 7))), model=drawn[0])
    knob = float(lid.mesh.bounds[1][2])
    grip = b.add('gripper', hands.gripper(0.034, rng), translation(float(at[0]), float(at[1]), knob - 0.028), kind='agent')
    lid.node.contacts, grip.node.contacts = [grip.node.id], [lid.node.id]
    return Interaction('covering', lid.node.id, pot.node.id, twin.node.id)


@stage('falling')
def falling(b: Builder, surface: Surface, floor: Surface) -> Interaction | None:
    """One of two alike is in mid-air beside the edge, turning over."""
    rng = b.rng
    pair = _pair(b, surface, _pick(b, ('mug', 'cup', 'bottle', 'can', 'box', 'apple', 'ball', 'bowl', 'plate', 'book', 'jar')))
    if pair is None:
        return None
    thing, twin = pair
    u = float(np.clip(rng.normal(0, 0.3), -0.9, 0.9)) * surface.hx
    x, y = surface.world(u, -surface.hy - float(max(thing.node.size)) * 0.6 - float(rng.uniform(0.02, 0.08)))
    z = surface.z - float(rng.uniform(-0.1, 0.5)) * surface.z
    spin = rotation('x', float(rng.uniform(25, 120))) @ rotation('y', float(rng.normal(0, 30)))
    _lift(b, thing, translation(x, y, max(z, 0.15)) @ spin, 0)
    thing.node.state = 'falling'
    return Interaction('falling', 0, thing.node.id, twin.node.id)


@stage('plugging')
def plugging(b: Builder, surface: Surface, floor: Surface) -> Interaction | None:
    """A plug is half in its socket; another plug lies free."""
    rng = b.rng
    yaw = float(rng.uniform(-0.6, 0.6))
    strip = b.stand('power strip', surface, yaw=yaw, margin=0.2, tries=25, drawn=('', hands.power_strip(rng)))
    if strip is None:
        return None
    loose = b.stand('plug', surface, margin=0.02, tries=30, drawn=('', hands.plug(rng)))
    if loose is None:
        _drop(b, surface, strip)
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
    """A trolley carries one of two alike; the other stands where it stood."""
    rng = b.rng
    twin_category = _pick(b, ('box', 'book', 'food container', 'open box', 'bottle', 'can', 'bowl', 'jar', 'towel', 'cereal box'))
    twin = b.stand(twin_category, surface, tries=25)
    if twin is None:
        return None
    side = float(rng.choice([-1, 1]))
    x, y = surface.world(side * (surface.hx + 0.5), -float(rng.uniform(-0.1, 0.4)))
    w, d = floor.hx, floor.hy
    shape = hands.trolley(rng)
    turn = float(rng.uniform(-30, 30))
    spot = Footprint(float(np.clip(x, -w + 0.45, w - 0.45)), float(np.clip(y, -d + 0.45, d - 0.45)), 0.37, 0.25, np.radians(turn))
    if any(spot.overlaps(f, 0.02) for f in b.floor_taken):
        _drop(b, surface, twin)
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
    """A person sits on one of two stools."""
    rng = b.rng
    from converseg_ros.scenes import assets

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
        free = Footprint(float(np.clip(x, -floor.hx + 0.3, floor.hx - 0.3)), float(np.clip(y, -floor.hy + 0.3, floor.hy - 0.3)), 0.2, 0.2, 0)
        if not any(free.overlaps(f, 0.05) for f in b.floor_taken):
            twin = b.add('stool', hands.stool(seat, rng), translation(free.x, free.y, 0), support=floor.id)
            b.floor_taken.append(free)
            return Interaction('sitting', person.node.id, under.node.id, twin.node.id)
    return Interaction('sitting', person.node.id, under.node.id, 0)


@stage('facing')
def facing(b: Builder, surface: Surface, floor: Surface) -> Interaction | None:
    """A person or pet faces a thing on the surface; another faces away."""
    rng = b.rng
    target = b.stand(_pick(b, ('laptop', 'vase', 'cake', 'flowers', 'bottle', 'bowl', 'lamp', 'radio', 'book')), surface)
    if target is None:
        return None
    actors: list[Thing] = []
    category = _pick(b, ('man', 'woman', 'dog', 'cat', 'woman', 'man'))
    for away in (False, True):
        from converseg_ros.scenes import assets

        found = [m for m in assets.pool(category, b.split) if m.state == '']
        if not found:
            break
        model = found[rng.integers(len(found))]
        shape = assets.shape(model)
        half = shape.mesh.bounds[1]
        for _ in range(25):
            side = float(rng.choice([-1, 1]))
            x, y = surface.world(side * (surface.hx + rng.uniform(0.35, 0.9)), rng.uniform(-0.5, 0.9))
            x, y = float(np.clip(x, -floor.hx + 0.4, floor.hx - 0.4)), float(np.clip(y, -floor.hy + 0.4, floor.hy - 0.4))
            ahead = target.pose[:2, 3] - [x, y]
            turn = float(np.degrees(np.arctan2(ahead[0], -ahead[1])))  # the front is -y
            turn += float(rng.normal(0, 4)) + (float(rng.uniform(110, 250)) if away else 0)
            spot = Footprint(x, y, float(half[0]), float(half[1]), np.radians(turn))
            if not any(spot.overlaps(f, 0.03) for f in b.floor_taken):
                person = b.add(category, shape, translation(x, y, 0) @ rotation('z', turn), kind='agent', model=model.name, support=floor.id)
                b.floor_taken.append(spot)
                actors.append(person)
                break
    if not actors:
        return None
    return Interaction('facing', actors[0].node.id, target.node.id, actors[1].node.id if len(actors) > 1 else 0)


@stage('writing')
def writing(b: Builder, surface: Surface, floor: Surface) -> Interaction | None:
    """A hand writes with one of two pens on a book or newspaper."""
    rng = b.rng
    kind = _pick(b, ('marker', 'pencil'))
    page = b.stand(_pick(b, ('book', 'newspaper')), surface, margin=0.1, tries=25)
    drawn = b.draw(kind, 't')
    twin = b.stand(kind, surface, tries=25)
    if page is None or drawn is None or twin is None:
        _drop(b, surface, *[t for t in (page, twin) if t])
        return None
    mesh = drawn[1].mesh.transformed(rotation('y', 90 if kind == 'pencil' else 90)).seated()  # the tip (+x) comes down
    x, y = page.pose[:2, 3] + rng.normal(0, 0.02, 2)
    pose = translation(float(x), float(y), float(page.mesh.bounds[1][2])) @ rotation('z', float(rng.uniform(0, 360))) @ rotation('y', float(rng.uniform(12, 30)))
    pen = b.add(kind, Shape(mesh, material=drawn[1].material, state='open'), pose, model=drawn[0])
    grip = hands.hand(0.006, rng)
    actor = b.add('hand', grip, pose @ translation(0, 0, 0.085) @ rotation('z', float(rng.uniform(0, 360))), kind='agent')
    pen.node.contacts, actor.node.contacts = [actor.node.id, page.node.id], [pen.node.id]
    return Interaction('writing', actor.node.id, pen.node.id, twin.node.id)


BY_ROOM = {
    'kitchen': ('holding', 'holding', 'cutting', 'cutting', 'pouring', 'covering', 'covering', 'reaching', 'falling', 'carrying', 'facing'),
    'dining': ('holding', 'cutting', 'pouring', 'pouring', 'reaching', 'falling', 'sitting', 'facing', 'carrying'),
    'office': ('holding', 'writing', 'plugging', 'plugging', 'reaching', 'falling', 'sitting', 'facing', 'writing'),
    'workshop': ('holding', 'plugging', 'reaching', 'falling', 'carrying', 'plugging'),
    'nursery': ('holding', 'reaching', 'falling', 'facing'),
    'living': ('holding', 'pouring', 'reaching', 'falling', 'sitting', 'facing', 'plugging'),
}
ANYWHERE = ('holding', 'holding', 'reaching', 'pouring', 'falling', 'carrying', 'plugging', 'facing')


def perform(b: Builder, surface: Surface, floor: Surface, share: float = 0.6) -> None:
    """Stage an interaction in a share of the scenes, sometimes two."""
    count = 0 if b.rng.random() > share else 2 if b.rng.random() < 0.2 else 1
    names = BY_ROOM.get(b.scene.room, ANYWHERE)
    for _ in range(count):
        for _ in range(4):
            name = _pick(b, names)
            if surface.clear < 0.6 and name not in ('holding', 'reaching', 'falling'):
                continue
            if surface.z < 0.1 and name in ('falling', 'carrying'):
                continue
            done = STAGES[name](b, surface, floor)
            if done:
                b.scene.interactions.append(done)
                break
