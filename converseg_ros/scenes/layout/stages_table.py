"""Interactions at a surface: holding, reaching, cutting, pouring, covering, falling."""

from dataclasses import replace

import numpy as np

from converseg_ros.scenes.geometry.mesh import rotation, translation
from converseg_ros.scenes.graph import Interaction
from converseg_ros.scenes.layout.builder import Builder, Footprint, Surface
from converseg_ros.scenes.layout.staging import HELD, drop, grasp, lift, pair, pick, stage
from converseg_ros.scenes.models import hands


@stage('holding')
def holding(b: Builder, surface: Surface, floor: Surface) -> Interaction | None:
    """Let a hand or gripper hold one of two similar objects above the surface."""
    both = pair(b, surface, pick(b, HELD))
    if both is None:
        return None
    thing, twin = both
    if min(thing.node.size[:2]) > 0.14 or (thing.node.category == 'book' and thing.node.size[2] > 0.03):
        drop(b, surface, *both)
        return None
    lift(b, thing, translation(0, 0, float(b.rng.uniform(0.03, 0.16))) @ thing.pose, 0)
    actor = grasp(b, thing)
    thing.node.contacts, actor.node.contacts = [actor.node.id], [thing.node.id]
    return Interaction('holding', actor.node.id, thing.node.id, twin.node.id)


@stage('reaching')
def reaching(b: Builder, surface: Surface, floor: Surface) -> Interaction | None:
    """Let a hand or gripper reach for one of two similar objects."""
    both = pair(b, surface, pick(b, HELD))
    if both is None:
        return None
    thing, twin = both
    actor = grasp(b, thing, float(b.rng.uniform(0.05, 0.1)))
    return Interaction('reaching', actor.node.id, thing.node.id, twin.node.id)


@stage('cutting')
def cutting(b: Builder, surface: Surface, floor: Surface) -> Interaction | None:
    """Put a knife into food; place another one next to it."""
    rng = b.rng
    food = b.stand(
        pick(b, ('bread', 'tomato', 'apple', 'orange', 'butter', 'lemon', 'cake', 'sponge')[:7]),
        surface,
        margin=0.08,
        tries=30,
    )
    if food is None:
        return None
    drawn = b.draw('kitchen knife', 't')
    twin = b.stand('kitchen knife', surface, margin=0.03, tries=30)
    if drawn is None or twin is None:
        drop(b, surface, food, *([twin] if twin else []))
        return None
    low, high = drawn[1].mesh.bounds
    size = high - low
    flat = size[2] < size[1]
    # the plane of the blade becomes vertical; the knife lies across the food with its edge below the top of the food
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
    pose = (
        translation(x, y, top - deep)
        @ rotation('z', float(rng.uniform(-40, 40)) + np.degrees(surface.yaw))
        @ translation(-blade, 0, 0)
        @ rotation('y', float(rng.uniform(-8, 4)))
    )
    knife = b.add('kitchen knife', shape, pose, model=drawn[0])
    knife.node.contacts, food.node.contacts = [food.node.id], [knife.node.id, surface.id]
    surface.taken.append(Footprint(x, y, long, 0.05, 0))
    return Interaction('cutting', knife.node.id, food.node.id, twin.node.id)


@stage('pouring')
def pouring(b: Builder, surface: Surface, floor: Surface) -> Interaction | None:
    """Tilt a bottle, kettle or teapot over a mug; place another mug."""
    rng = b.rng
    both = pair(b, surface, pick(b, ('mug', 'mug', 'cup', 'glass', 'bowl')))
    if both is None:
        return None
    target, twin = both
    source = pick(b, ('bottle', 'bottle', 'wine bottle', 'teapot', 'milk carton', 'kettle', 'creamer'))
    drawn = b.draw(source, 't')
    if drawn is None:
        source = 'bottle'
        drawn = b.draw(source, 't')
    if drawn is None or target.shape.hollow is None:
        drop(b, surface, *both)
        return None
    rim = float(target.mesh.bounds[1][2])
    high = drawn[1].mesh.bounds[1]
    tilt = (
        float(rng.uniform(95, 125))
        if source in ('bottle', 'wine bottle', 'milk carton')
        else float(rng.uniform(40, 60))
    )
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
    """Hold a lid above its pot; leave another pot open."""
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
        drop(b, surface, *pots)
        return None
    pot, twin = pots
    drawn = b.draw('lid', 't')
    assert pot.shape.hollow is not None
    if drawn is None:
        return None
    half = float(drawn[1].mesh.bounds[1][0])
    shape = replace(
        drawn[1], mesh=drawn[1].mesh.scaled((pot.shape.hollow[0] * 1.06 / half, pot.shape.hollow[0] * 1.06 / half, 1))
    )
    at = pot.pose @ np.r_[0, 0, pot.shape.hollow[2] + rng.uniform(0.05, 0.11), 1]
    lid = b.add(
        'lid',
        shape,
        translation(*at[:3]) @ rotation('x', float(rng.normal(0, 7))) @ rotation('y', float(rng.normal(0, 7))),
        model=drawn[0],
    )
    knob = float(lid.mesh.bounds[1][2])
    grip = b.add(
        'gripper', hands.gripper(0.034, rng), translation(float(at[0]), float(at[1]), knob - 0.028), kind='agent'
    )
    lid.node.contacts, grip.node.contacts = [grip.node.id], [lid.node.id]
    return Interaction('covering', lid.node.id, pot.node.id, twin.node.id)


@stage('falling')
def falling(b: Builder, surface: Surface, floor: Surface) -> Interaction | None:
    """Let one of two similar objects fall past the edge, rotating."""
    rng = b.rng
    both = pair(
        b, surface, pick(b, ('mug', 'cup', 'bottle', 'can', 'box', 'apple', 'ball', 'bowl', 'plate', 'book', 'jar'))
    )
    if both is None:
        return None
    thing, twin = both
    u = float(np.clip(rng.normal(0, 0.3), -0.9, 0.9)) * surface.hx
    x, y = surface.world(u, -surface.hy - float(max(thing.node.size)) * 0.6 - float(rng.uniform(0.02, 0.08)))
    z = surface.z - float(rng.uniform(-0.1, 0.5)) * surface.z
    spin = rotation('x', float(rng.uniform(25, 120))) @ rotation('y', float(rng.normal(0, 30)))
    lift(b, thing, translation(x, y, max(z, 0.15)) @ spin, 0)
    thing.node.state = 'falling'
    return Interaction('falling', 0, thing.node.id, twin.node.id)
