"""Render jobs with Blender's Cycles. Runs under the bpy interpreter in a separate process, never imported here.

Each line on standard input is the path of a job (JSON, see scenes.render.cycles); for each job one line is printed:
`done PATH` or `failed MESSAGE`. Results are float32 .npy files of linear RGB, row 0 at the top.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

import json
import sys

import bpy
from mathutils import Matrix, Vector
import numpy as np


def make_material(row):
    """Return a material of a row of the job."""
    m = bpy.data.materials.new('m')
    m.use_nodes = True
    tree = m.node_tree
    shader = tree.nodes['Principled BSDF']
    inputs = shader.inputs
    inputs['Base Color'].default_value = (*row['color'], 1)
    inputs['Roughness'].default_value = row['roughness']
    inputs['Metallic'].default_value = row['metallic']
    inputs['Alpha'].default_value = row['alpha']
    if row['emission']:
        inputs['Emission Color'].default_value = (*row['color'], 1)
        inputs['Emission Strength'].default_value = row['emission']
    if row['texture']:
        node = tree.nodes.new('ShaderNodeTexImage')
        node.image = bpy.data.images.load(row['texture'], check_existing=True)
        mix = tree.nodes.new('ShaderNodeMixRGB')
        mix.blend_type = 'MULTIPLY'
        mix.inputs['Fac'].default_value = 1
        mix.inputs['Color2'].default_value = (*row['color'], 1)
        tree.links.new(node.outputs['Color'], mix.inputs['Color1'])
        tree.links.new(mix.outputs['Color'], inputs['Base Color'])
        if row['cutout']:
            tree.links.new(node.outputs['Alpha'], inputs['Alpha'])
    return m


def make_mesh(name, data, prefix, materials):
    """Build a mesh object from the arrays PREFIX_vertices, _faces, _uv, _normals, _material."""
    vertices, faces = data[prefix + '_vertices'], data[prefix + '_faces']
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(len(vertices))
    mesh.vertices.foreach_set('co', vertices.ravel())
    mesh.loops.add(faces.size)
    mesh.loops.foreach_set('vertex_index', faces.ravel())
    mesh.polygons.add(len(faces))
    mesh.polygons.foreach_set('loop_start', np.arange(0, faces.size, 3, dtype=np.int32))
    mesh.polygons.foreach_set('material_index', data[prefix + '_material'].astype(np.int32))
    for m in materials:
        mesh.materials.append(m)
    mesh.uv_layers.new(name='uv').data.foreach_set('uv', data[prefix + '_uv'].ravel())
    mesh.update()
    mesh.polygons.foreach_set('use_smooth', np.ones(len(faces), bool))
    mesh.normals_split_custom_set(data[prefix + '_normals'].reshape(-1, 3))
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.collection.objects.link(thing)
    return thing


def world(job):
    """Light the world by an environment image or a plain colour, scaled to the ambient level of the job."""
    w = bpy.data.worlds.new('w')
    bpy.context.scene.world = w
    w.use_nodes = True
    tree = w.node_tree
    background = tree.nodes['Background']
    base = np.array(job['ambient'])
    if not job['hdri']:
        background.inputs[0].default_value = (*(base / np.pi), 1)
        return
    image = bpy.data.images.load(job['hdri'], check_existing=True)
    pixels = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(pixels)
    level = float(np.minimum(pixels.reshape(-1, 4)[:, :3], 20).mean())
    node = tree.nodes.new('ShaderNodeTexEnvironment')
    node.image = image
    place = tree.nodes.new('ShaderNodeMapping')
    place.inputs['Rotation'].default_value = (0, 0, job['turn'])
    where = tree.nodes.new('ShaderNodeTexCoord')
    tree.links.new(where.outputs['Generated'], place.inputs[0])
    tree.links.new(place.outputs[0], node.inputs[0])
    tree.links.new(node.outputs[0], background.inputs[0])
    background.inputs[1].default_value = float(base.mean() / (np.pi * max(level, 1e-3)))


def render(job):
    """Build the scene of a job and render its views."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    data = np.load(job['geometry'])
    materials = [make_material(row) for row in job['materials']]
    make_mesh('things', data, 'things', materials)
    room = make_mesh('room', data, 'room', materials)
    room.visible_diffuse = room.visible_shadow = False  # light of the environment passes through the walls
    make_mesh('floor', data, 'floor', materials)
    world(job)
    for lamp in job['lamps']:
        light = bpy.data.lights.new('l', 'AREA')
        light.shape = 'DISK'
        light.size = 2 * lamp['radius']
        power = np.array(lamp['color'])
        light.color = tuple(power / power.max())
        light.energy = float(np.pi * power.max())
        thing = bpy.data.objects.new('l', light)
        thing.location = lamp['position']
        aim = np.array([0.0, 0.0, 0.6]) - np.array(lamp['position'])
        thing.rotation_euler = Vector(aim).to_track_quat('-Z', 'Y').to_euler()
        thing.visible_camera = False
        bpy.context.collection.objects.link(thing)
    lens = bpy.data.cameras.new('c')
    camera = bpy.data.objects.new('c', lens)
    bpy.context.collection.objects.link(camera)
    scene.camera = camera
    scene.render.engine = 'CYCLES'
    cycles = scene.cycles
    cycles.device = 'CPU'
    cycles.samples = job['samples']
    cycles.use_adaptive_sampling = False
    cycles.max_bounces = 4
    cycles.transparent_max_bounces = 6
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = 4.0
    cycles.use_denoising = True
    cycles.denoiser = 'OPENIMAGEDENOISE'
    cycles.denoising_quality = 'FAST'
    cycles.denoising_prefilter = 'FAST'
    cycles.seed = job['seed'] & 0x7FFFFFFF
    scene.render.use_persistent_data = True
    scene.render.threads_mode = 'FIXED'
    scene.render.threads = job['threads']
    scene.render.image_settings.file_format = 'OPEN_EXR'
    scene.render.image_settings.color_depth = '32'
    scene.render.image_settings.color_mode = 'RGB'
    for view in job['views']:
        w, h = view['width'], view['height']
        fx, _, cx, cy = view['k']
        scene.render.resolution_x, scene.render.resolution_y = w, h
        lens.sensor_fit = 'HORIZONTAL'
        lens.sensor_width = 36
        lens.lens = 36 * fx / w
        lens.shift_x = (w / 2 - 0.5 - cx) / w
        lens.shift_y = (cy - (h / 2 - 0.5)) / w
        lens.clip_start = 0.02
        pose = np.array(view['pose']) @ np.diag([1.0, -1.0, -1.0, 1.0])  # Blender's camera looks along -z, y up
        camera.matrix_world = Matrix(pose.tolist())
        scene.render.filepath = view['file'] + '.exr'
        bpy.ops.render.render(write_still=True)
        image = bpy.data.images.load(view['file'] + '.exr')
        pixels = np.empty(w * h * image.channels, np.float32)
        image.pixels.foreach_get(pixels)
        np.save(view['file'], pixels.reshape(h, w, -1)[::-1, :, :3])
        bpy.data.images.remove(image)


def main():
    """Process jobs until standard input ends."""
    import os

    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)  # Blender prints its progress on standard output
    for line in sys.stdin:
        path = line.strip()
        if not path:
            continue
        try:
            with open(path) as f:
                render(json.load(f))
            print('done', path, file=answers, flush=True)
        except Exception as error:
            print('failed', repr(error).replace('\n', ' '), file=answers, flush=True)


if __name__ == '__main__':
    main()
