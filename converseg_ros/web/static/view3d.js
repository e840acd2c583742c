// The clouds in 3D: optical frame (x right, y down, z forward), seen from behind the camera; drag, wheel and keys turn it.
import { AxesHelper, BufferAttribute, BufferGeometry, Color, PerspectiveCamera, Points, PointsMaterial, Scene, Vector3, WebGLRenderer } from './vendor/three.js';

export class SpaceView {
  constructor(canvas) {
    this.canvas = canvas;
    this.renderer = new WebGLRenderer({ canvas, antialias: true, preserveDrawingBuffer: true });
    this.renderer.outputColorSpace = 'srgb-linear'; // colours of points are shown as they are
    this.scene = new Scene();
    this.scene.background = new Color(0x14171c);
    this.scene.add(new AxesHelper(0.25));
    this.camera = new PerspectiveCamera(55, 4 / 3, 0.01, 100);
    this.camera.up.set(0, -1, 0);
    this.target = new Vector3(0, 0, 1.2);
    this.turn = { yaw: 0.35, pitch: 0.25, distance: 1.8 };
    this.clouds = new Map();
    this.running = false;
    let last = null;
    canvas.addEventListener('pointerdown', (e) => { last = [e.clientX, e.clientY]; canvas.setPointerCapture(e.pointerId); });
    canvas.addEventListener('pointerup', () => (last = null));
    canvas.addEventListener('pointermove', (e) => {
      if (!last) return;
      this.move((e.clientX - last[0]) * 0.008, (e.clientY - last[1]) * 0.008, 1);
      last = [e.clientX, e.clientY];
    });
    canvas.addEventListener('wheel', (e) => { e.preventDefault(); this.move(0, 0, Math.exp(e.deltaY * 0.001)); }, { passive: false });
    canvas.addEventListener('keydown', (e) => {
      const step = { ArrowLeft: [-0.1, 0, 1], ArrowRight: [0.1, 0, 1], ArrowUp: [0, 0.1, 1], ArrowDown: [0, -0.1, 1],
        '+': [0, 0, 0.9], '-': [0, 0, 1.1] }[e.key];
      if (step && !e.altKey) { e.preventDefault(); this.move(...step); }
    });
  }

  move(yaw, pitch, zoom) {
    this.turn.yaw += yaw;
    this.turn.pitch = Math.max(-1.5, Math.min(1.5, this.turn.pitch + pitch));
    this.turn.distance = Math.max(0.1, Math.min(30, this.turn.distance * zoom));
    this.draw();
  }

  show(name, positions, colors) {
    let points = this.clouds.get(name);
    if (!points) {
      const size = name === 'points' ? 1.5 : 3;
      points = new Points(new BufferGeometry(), new PointsMaterial({ size, sizeAttenuation: false, vertexColors: true }));
      points.frustumCulled = false;
      this.clouds.set(name, points);
      this.scene.add(points);
    }
    points.geometry.dispose();
    points.geometry = new BufferGeometry();
    points.geometry.setAttribute('position', new BufferAttribute(positions, 3));
    points.geometry.setAttribute('color', new BufferAttribute(new Uint8Array(colors), 3, true));
    if (!this.aimed && positions.length) {
      const middle = (axis) => {
        const values = positions.filter((_, i) => i % 3 === axis).sort();
        return values[values.length >> 1];
      };
      this.target.set(middle(0), middle(1), middle(2));
      this.turn.distance = 1.3 * this.target.z;
      this.aimed = true;
    }
    this.draw();
  }

  count() {
    return [...this.clouds.values()].reduce((n, p) => n + (p.geometry.getAttribute('position')?.count ?? 0), 0);
  }

  start() {
    this.running = true;
    this.draw();
  }

  stop() {
    this.running = false;
  }

  draw() {
    if (!this.running) return;
    const box = this.canvas.parentElement.getBoundingClientRect();
    this.renderer.setSize(box.width, box.height, false);
    this.camera.aspect = box.width / Math.max(1, box.height);
    this.camera.updateProjectionMatrix();
    const { yaw, pitch, distance } = this.turn;
    this.camera.position.set(
      this.target.x - distance * Math.sin(yaw) * Math.cos(pitch),
      this.target.y - distance * Math.sin(pitch),
      this.target.z - distance * Math.cos(yaw) * Math.cos(pitch),
    );
    this.camera.lookAt(this.target);
    this.renderer.render(this.scene, this.camera);
  }
}
