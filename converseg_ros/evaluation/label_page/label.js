// Draws masks at the image's own resolution; the server rasterizes polygons and keeps the labels.
const $ = (id) => document.getElementById(id);
const view = $('view'), image = $('image'), maskCanvas = $('mask'), lines = $('lines');
let state, current = 0, width = 1, height = 1;
let mask = new Uint8Array(1); // 1 = target, row by row
let polygon = [], drawn = { add: [], cut: [] }, history = [], means = new Set();
let zoom = 1, left = 0, top = 0, painting = false, dragging = null;

async function call(path, body, method = body ? 'POST' : 'GET') {
  const answer = await fetch(path, {
    method, headers: { 'content-type': 'application/json' }, body: body && JSON.stringify(body),
  });
  const data = await answer.json().catch(() => ({ error: answer.statusText }));
  if (!answer.ok) throw new Error(data.error || JSON.stringify(data.detail) || answer.statusText);
  return data;
}

function say(text) { $('said').textContent = text; }
async function attempt(action) { try { await action(); } catch (error) { say(error.message); } }
const tool = () => document.querySelector('input[name=tool]:checked').value;

// COCO's run-length code goes down the columns and starts with the zeros.
function encode() {
  const counts = [];
  let value = 0, run = 0;
  for (let x = 0; x < width; x++) for (let y = 0; y < height; y++) {
    if (mask[y * width + x] === value) run++;
    else { counts.push(run); value = 1 - value; run = 1; }
  }
  counts.push(run);
  return { size: [height, width], counts };
}

function decode(rle) {
  const out = new Uint8Array(width * height);
  let at = 0, value = 0;
  for (const run of rle.counts) {
    if (value) for (let k = at; k < at + run; k++) out[(k % height) * width + Math.floor(k / height)] = 1;
    at += run; value = 1 - value;
  }
  return out;
}

function remember() {
  history.push({ mask: mask.slice(), drawn: structuredClone(drawn), means: new Set(means) });
  if (history.length > 50) history.shift();
}

function show() {
  const context = maskCanvas.getContext('2d'), pixels = context.createImageData(width, height);
  for (let k = 0; k < mask.length; k++) if (mask[k]) pixels.data.set([230, 159, 0, 255], 4 * k);
  context.putImageData(pixels, 0, 0);
  for (const c of [image, maskCanvas]) c.style.transform = `translate(${left}px,${top}px) scale(${zoom})`;
  lines.width = view.clientWidth; lines.height = view.clientHeight;
  const pen = lines.getContext('2d');
  pen.strokeStyle = '#56b4e9'; pen.lineWidth = 2; pen.beginPath();
  polygon.forEach(([x, y], k) => pen[k ? 'lineTo' : 'moveTo'](left + (x + .5) * zoom, top + (y + .5) * zoom));
  pen.stroke();
  for (const [x, y] of polygon) pen.strokeRect(left + (x + .5) * zoom - 2, top + (y + .5) * zoom - 2, 4, 4);
  $('how').textContent = how();
}

function how() {
  const assisted = [...means].filter((m) => m.startsWith(state.assisted));
  const other = [...means].filter((m) => !m.startsWith(state.assisted));
  if (!mask.some(Boolean)) return 'no target: the whole image was searched by eye';
  return [...assisted, ...other].join(', ') || 'unchanged';
}

function reset() { mask = new Uint8Array(width * height); polygon = []; drawn = { add: [], cut: [] }; history = []; means = new Set(); }

async function open(key) {
  current = (key + state.pictures.length) % state.pictures.length;
  $('pictures').value = current;
  const bitmap = await createImageBitmap(await (await fetch(`/api/picture/${current}`)).blob());
  ({ width, height } = bitmap);
  for (const c of [image, maskCanvas]) { c.width = width; c.height = height; }
  image.getContext('2d').drawImage(bitmap, 0, 0);
  zoom = Math.min(view.clientWidth / width, view.clientHeight / height); left = top = 0;
  reset(); fresh(); list(); show();
}

function fresh() {
  const stem = `${state.pictures[current].source}-${state.pictures[current].image.replace(/\.\w+$/, '')}`.replace(/[^\w.-]/g, '_');
  const own = state.labels.map((l) => l.id);
  let n = 1;
  while (own.includes(`${stem}-${String(n).padStart(2, '0')}`)) n++;
  $('id').value = `${stem}-${String(n).padStart(2, '0')}`;
  $('prompt').value = '';
}

function list() {
  $('labels').replaceChildren(...state.labels.filter((l) => l.picture === current).map((l) => {
    const row = document.createElement('li');
    row.textContent = `${l.prompt} (${l.family || 'no family'})`;
    row.tabIndex = 0;
    if (l.id === $('id').value) row.setAttribute('aria-current', 'true');
    const load = () => attempt(() => edit(l.id));
    row.onclick = load;
    row.onkeydown = (e) => { if (e.key === 'Enter') load(); };
    return row;
  }));
}

async function edit(id) {
  const label = await call(`/api/label/${encodeURIComponent(id)}`);
  reset(); mask = decode(label.rle); means = new Set(label.how ? [label.how] : []);
  $('id').value = label.id; $('prompt').value = label.prompt;
  $('family').value = label.family || ''; $('concept').value = label.sub_concept;
  list(); show();
}

async function close(cut) {
  if (polygon.length < 3) return;
  remember();
  const outline = polygon; polygon = [];
  drawn[cut ? 'cut' : 'add'].push(outline);
  const shape = decode(await call('/api/polygons', { picture: current, add: [outline] }));
  for (let k = 0; k < mask.length; k++) if (shape[k]) mask[k] = cut ? 0 : 1;
  means.add('polygons by hand'); show();
}

async function refine() {
  remember();
  const band = Number($('band').value);
  mask = decode(await call('/api/polygons', { picture: current, ...drawn, band }));
  means = new Set([`polygons by hand; outline moved to the colour edge by GrabCut within ${band} px`]); show();
}

async function assist(x, y) {
  if (!state.assistant) throw new Error('start with --assist MODEL');
  remember();
  const found = decode(await call('/api/assist', { picture: current, prompt: $('prompt').value, x, y }));
  for (let k = 0; k < mask.length; k++) mask[k] |= found[k];
  means.add(`${state.assisted} by ${state.assistant}`); show();
}

function paint([x, y], value) {
  const radius = Number($('size').value);
  for (let v = Math.max(0, Math.ceil(y - radius)); v <= Math.min(height - 1, y + radius); v++)
    for (let u = Math.max(0, Math.ceil(x - radius)); u <= Math.min(width - 1, x + radius); u++)
      if ((u - x) ** 2 + (v - y) ** 2 <= radius ** 2) mask[v * width + u] = value;
  means.add('brush by hand'); show();
}

function where(event) {
  const box = view.getBoundingClientRect();
  return [(event.clientX - box.left - left) / zoom - .5, (event.clientY - box.top - top) / zoom - .5];
}

view.addEventListener('pointerdown', (event) => {
  view.focus(); view.setPointerCapture(event.pointerId);
  if (event.altKey || event.button === 1) { dragging = [event.clientX - left, event.clientY - top]; return; }
  const [x, y] = where(event);
  if (tool() === 'polygon') {
    if (event.detail < 2) polygon.push([Math.round(x * 10) / 10, Math.round(y * 10) / 10]);
    show();
  } else if (tool() === 'assist') attempt(() => assist(Math.round(x), Math.round(y)));
  else { remember(); painting = true; paint([x, y], Number(tool() === 'brush')); }
});
view.addEventListener('pointermove', (event) => {
  if (dragging) { left = event.clientX - dragging[0]; top = event.clientY - dragging[1]; show(); }
  else if (painting) paint(where(event), Number(tool() === 'brush'));
});
view.addEventListener('pointerup', () => { painting = false; dragging = null; });
view.addEventListener('dblclick', (event) => attempt(() => close(event.shiftKey)));
view.addEventListener('wheel', (event) => {
  event.preventDefault();
  const [x, y] = where(event), before = zoom;
  zoom = Math.min(40, Math.max(.2, zoom * Math.exp(-event.deltaY / 400)));
  left += (x + .5) * (before - zoom); top += (y + .5) * (before - zoom); show();
}, { passive: false });

function undo() {
  if (polygon.length) polygon.pop();
  else if (history.length) ({ mask, drawn, means } = history.pop());
  show();
}
function empty() { remember(); mask = new Uint8Array(width * height); drawn = { add: [], cut: [] }; means = new Set(); show(); }

async function save() {
  await call('/api/label', {
    picture: current, id: $('id').value, prompt: $('prompt').value, family: $('family').value || null,
    sub_concept: $('concept').value, rle: encode(), how: how(),
  });
  const saved = $('id').value;
  state = await call('/api/state');
  reset(); fresh(); list(); show();
  say(`saved ${saved}`);
}

const keys = {
  p: () => pick('polygon'), b: () => pick('brush'), e: () => pick('erase'), a: () => pick('assist'),
  z: undo, x: empty, r: () => attempt(refine), '[': () => attempt(() => open(current - 1)), ']': () => attempt(() => open(current + 1)),
};
function pick(name) { document.querySelector(`input[value=${name}]`).checked = true; }
document.addEventListener('keydown', (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === 's') { event.preventDefault(); attempt(save); return; }
  if (event.target.matches('input:not([type=radio],[type=range]), textarea, select') || event.ctrlKey || event.metaKey) return;
  if (event.key === 'Enter' && event.target === view) attempt(() => close(event.shiftKey));
  else if (event.key === 'Escape') { polygon = []; show(); }
  else keys[event.key]?.();
});
$('previous').onclick = keys['[']; $('next').onclick = keys[']'];
$('pictures').onchange = () => attempt(() => open(Number($('pictures').value)));
$('undo').onclick = undo; $('clear').onclick = empty; $('refine').onclick = keys.r;
$('new').onclick = () => { reset(); fresh(); list(); show(); };
$('remove').onclick = () => attempt(async () => {
  await call(`/api/label/${encodeURIComponent($('id').value)}`, undefined, 'DELETE');
  state = await call('/api/state'); reset(); fresh(); list(); show();
});
$('form').onsubmit = (event) => { event.preventDefault(); attempt(save); };
addEventListener('resize', show);

attempt(async () => {
  state = await call('/api/state');
  const option = (value, text) => Object.assign(document.createElement('option'), { value, textContent: text });
  $('pictures').replaceChildren(...state.pictures.map((p, k) => option(k, `${p.source} / ${p.image}`)));
  $('family').replaceChildren(option('', 'none'), ...state.families.map((f) => option(f, f)));
  if (!state.assistant) document.querySelector('input[value=assist]').disabled = true;
  await open(0);
});
