// The operator's page: draws what the server sends, sends what the operator says, clicks and speaks.
const byId = (id) => document.getElementById(id);
const texts = await (await fetch('/api/texts')).json();
const fill = (key, values = {}) => (texts[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
for (const element of document.querySelectorAll('[data-text]')) element.textContent = fill(element.dataset.text);
byId('view').textContent = fill('view3d');
byId('text').placeholder = fill('say');

let socket = null;
let state = { regions: [], chips: [], history: [], selected: '', question: '', speech: {} };
let paused = false;
let space = null; // the 3D view, loaded when it is first wanted
let frames = 0;

function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function connect() {
  socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`);
  socket.binaryType = 'arraybuffer';
  socket.onmessage = ({ data }) => (typeof data === 'string' ? take(JSON.parse(data)) : takeBinary(data));
  socket.onclose = () => {
    badge('link', fill('lost'), false);
    setTimeout(connect, 1000);
  };
}

function take(message) {
  if (message.type === 'state') {
    state = message;
    show();
  } else if (message.type === 'error') {
    byId('said').textContent = message.text;
  }
}

async function takeBinary(data) {
  const length = new DataView(data).getUint32(1, true);
  const kind = String.fromCharCode(new Uint8Array(data, 0, 1)[0]);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 5, length)));
  const body = 5 + length;
  if (kind === 'F') {
    if (paused) return;
    const picture = await createImageBitmap(new Blob([new Uint8Array(data, body)], { type: 'image/jpeg' }));
    const canvas = byId('image');
    if (canvas.width !== picture.width || canvas.height !== picture.height) {
      canvas.width = picture.width;
      canvas.height = picture.height;
    }
    canvas.getContext('2d').drawImage(picture, 0, 0);
    picture.close();
    frames += 1;
    document.body.dataset.frames = frames;
  } else if (kind === 'C' && space && !paused) {
    const points = new Float32Array(data.slice(body, body + header.count * 12));
    const colors = new Uint8Array(data, body + header.count * 12, header.count * 3);
    space.show(header.name, points, colors);
    if (space.running) note(fill('points', { count: space.count() }));
  }
}

function badge(id, text, good) {
  const element = byId(id);
  element.textContent = text;
  element.classList.remove('hidden');
  element.classList.toggle('good', good);
  element.classList.toggle('bad', !good);
}

const note = (text) => (byId('stage-note').textContent = text);

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function update(list, key, build) { // rebuild a list only when it changed, so that focus stays where it is
  if (list.dataset.key === key) return;
  const focused = document.activeElement?.dataset?.focus;
  list.dataset.key = key;
  list.replaceChildren(...build());
  if (focused) list.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}

function show() {
  badge('link', state.connected ? fill('connected') : fill('lost'), state.connected);
  if (state.safe === null) byId('safe').classList.add('hidden');
  else badge('safe', fill(state.safe ? 'safe' : 'unsafe'), state.safe);
  const shown = state.regions.map((r) => ({ ...r, score: r.score === null ? null : Math.round(r.score * 20) / 20 }));
  update(byId('regions'), JSON.stringify([shown, state.selected]), () => state.regions.map(regionRow));
  byId('no-regions').classList.toggle('hidden', state.regions.length > 0);
  update(byId('chips'), JSON.stringify(state.chips.map((c) => [c.name, c.phrase, c.status])), () => state.chips.map(chip));
  byId('no-chips').classList.toggle('hidden', state.chips.length > 0);
  update(byId('history'), JSON.stringify(state.history), () => state.history.slice().reverse().map(said));
  const selected = state.regions.find((r) => r.id === state.selected);
  byId('selected').classList.toggle('hidden', !selected);
  byId('selected-text').textContent = selected ? fill('selected', { phrase: selected.phrase }) : '';
  const asked = byId('question').classList.contains('hidden') && state.question;
  byId('question').classList.toggle('hidden', !state.question);
  byId('question-text').textContent = state.question;
  if (asked) byId('no').focus();
  const { state: hearing, partial } = state.speech;
  if (hearing || partial) byId('said').textContent = partial ? `“${partial}”` : hearing;
}

function regionRow(region, index) {
  const row = make('button', 'region');
  row.type = 'button';
  row.dataset.focus = region.id;
  row.setAttribute('aria-pressed', region.id === state.selected);
  const swatch = make('span', `swatch ${region.role}`);
  swatch.style.backgroundColor = region.color;
  row.append(swatch, make('span', '', `${index + 1}. ${region.phrase}`), make('strong', '', region.status));
  const details = [region.role, region.family, region.geometry];
  if (region.distance !== null) details.push(`${region.distance.toFixed(2)} m`);
  if (region.score !== null) details.push(`${region.calibrated ? 'p' : 'score'} ${region.score.toFixed(2)}`);
  row.append(make('small', '', details.filter(Boolean).join(' · ') + (region.reason ? ` — ${region.reason}` : '')));
  if (region.program_text) row.append(make('small', '', `understood as: ${region.program_text}`));
  row.onclick = () => send({ type: 'select', value: region.id === state.selected ? '' : region.id });
  const item = make('li');
  item.append(row);
  return item;
}

function chip(region) {
  const element = make('span', 'chip safety');
  const remove = make('button', '', '×');
  remove.type = 'button';
  remove.dataset.focus = `chip ${region.name}`;
  remove.setAttribute('aria-label', `${fill('remove')} ${region.phrase}`);
  remove.onclick = () => {
    send({ type: 'select', value: '' });
    send({ type: 'say', value: `forget ${region.phrase}` });
  };
  element.append(make('span', '', region.phrase), make('small', 'quiet', region.status), remove);
  return element;
}

function said(entry) {
  const item = make('li', entry.accepted ? 'said' : 'said refused', entry.text.replace(/^#\S+ /, ''));
  for (const u of entry.understood) item.append(make('small', '', `${fill('understood')}: ${u.resolved} (${u.role})`));
  if (entry.reason) item.append(make('small', '', entry.reason));
  if (entry.question) item.append(make('small', '', entry.question));
  return item;
}

// Typing
const field = byId('text');
let recall = -1;
byId('form').onsubmit = (event) => {
  event.preventDefault();
  if (field.value.trim()) send({ type: 'say', value: field.value });
  field.value = '';
  recall = -1;
};
field.onkeydown = (event) => {
  const earlier = state.history.map((h) => h.text.replace(/^#\S+ /, ''));
  if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
  event.preventDefault();
  recall = Math.max(-1, Math.min(earlier.length - 1, recall + (event.key === 'ArrowUp' ? 1 : -1)));
  field.value = recall < 0 ? '' : earlier[earlier.length - 1 - recall];
};
for (const button of document.querySelectorAll('[data-command]'))
  button.onclick = () => send({ type: 'command', value: button.dataset.command });
byId('yes').onclick = () => (send({ type: 'command', value: 'yes' }), field.focus());
byId('no').onclick = () => (send({ type: 'command', value: 'no' }), field.focus());
byId('unselect').onclick = () => (send({ type: 'select', value: '' }), field.focus());

// Pointing: the canvas keeps the image's shape inside its box (object-fit: contain)
byId('image').onclick = (event) => {
  const canvas = event.currentTarget;
  const box = canvas.getBoundingClientRect();
  const scale = Math.min(box.width / canvas.width, box.height / canvas.height);
  const x = (event.clientX - box.left - (box.width - canvas.width * scale) / 2) / (canvas.width * scale);
  const y = (event.clientY - box.top - (box.height - canvas.height * scale) / 2) / (canvas.height * scale);
  send({ type: 'click', x, y });
  field.focus();
};

// Looking
byId('pause').onclick = () => {
  paused = !paused;
  byId('pause').setAttribute('aria-pressed', paused);
  byId('pause').textContent = fill(paused ? 'resume' : 'pause');
};
function download(path) {
  const link = make('a');
  link.href = path;
  link.download = '';
  link.click();
}
byId('snapshot').onclick = () => download('/api/snapshot');
byId('export').onclick = () => download('/api/export');
byId('view').onclick = async () => {
  const on = byId('space').classList.contains('hidden');
  byId('space').classList.toggle('hidden', !on);
  byId('image').classList.toggle('hidden', on);
  byId('view').textContent = fill(on ? 'view2d' : 'view3d');
  byId('view').setAttribute('aria-pressed', on);
  note(on ? fill('no_points') : '');
  if (!on) return space?.stop();
  if (!space) {
    try {
      const { SpaceView } = await import('/static/view3d.js');
      space = new SpaceView(byId('space'));
    } catch (error) {
      return note(String(error));
    }
  }
  space.start();
  send({ type: 'clouds' });
  byId('space').focus();
};
setInterval(() => {
  if (!byId('space').classList.contains('hidden')) send({ type: 'clouds' });
}, 2000);

// Speaking: pieces of 16-bit sound go to the server's recogniser while the button is held (or toggled by Alt+T)
let microphone = null;
async function openMicrophone() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: true } });
  const context = new AudioContext();
  await context.audioWorklet.addModule('/static/worklet.js');
  const node = new AudioWorkletNode(context, 'pieces');
  const audio = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws/audio`);
  audio.binaryType = 'arraybuffer';
  await new Promise((resolve, reject) => {
    audio.onopen = () => audio.send(String(context.sampleRate));
    audio.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === 'ready') resolve();
      else reject(new Error(message.text));
    };
    audio.onclose = () => reject(new Error(fill('lost')));
  });
  audio.onclose = () => (microphone = null);
  node.port.onmessage = ({ data }) => audio.readyState === WebSocket.OPEN && audio.send(data);
  context.createMediaStreamSource(stream).connect(node);
  return { audio, stream, context };
}
let talking = false;
async function talk(on) {
  if (on === talking) return;
  talking = on;
  byId('talk').setAttribute('aria-pressed', on);
  try {
    if (on && !microphone) {
      byId('said').textContent = '…';
      microphone = await openMicrophone();
    }
    if (microphone) microphone.audio.send(on && talking ? 'press' : 'release');
  } catch (error) {
    talking = false;
    byId('talk').setAttribute('aria-pressed', false);
    byId('said').textContent = fill('no_mic', { why: error.message });
  }
}
const talkButton = byId('talk');
talkButton.onpointerdown = () => talk(true);
talkButton.onpointerup = talkButton.onpointerleave = () => talk(false);
talkButton.onkeydown = (event) => (event.key === ' ' || event.key === 'Enter') && !event.repeat && talk(!talking);

// Keys
const keys = {
  KeyT: () => talk(!talking), KeyV: () => byId('view').click(), KeyP: () => byId('pause').click(),
  KeyS: () => byId('snapshot').click(), KeyE: () => byId('export').click(),
  KeyZ: () => send({ type: 'command', value: 'undo' }), KeyF: () => send({ type: 'command', value: 'forget' }),
  KeyO: () => send({ type: 'command', value: 'reset' }), KeyX: () => send({ type: 'command', value: 'stop' }),
  KeyY: () => send({ type: 'command', value: 'yes' }),
  KeyN: () => send({ type: 'command', value: 'no' }),
};
addEventListener('keydown', (event) => {
  if (event.altKey && /^Digit\d$/.test(event.code)) {
    event.preventDefault();
    send({ type: 'select', value: state.regions[Number(event.code.slice(5)) - 1]?.id ?? '' });
  } else if (event.altKey && keys[event.code]) {
    event.preventDefault();
    keys[event.code]();
  } else if (event.key === '/' && document.activeElement !== field) {
    event.preventDefault();
    field.focus();
  } else if (event.key === 'Escape' && !byId('help').open) {
    send({ type: 'select', value: '' });
  }
});
byId('keys').onclick = () => byId('help').showModal();
connect();
