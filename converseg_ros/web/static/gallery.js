// The gallery: filters with the numbers they would leave, and pages of pictures.
const names = {family: 'family', sub_concept: 'sub-concept', phase: 'phase', split: 'split', target: 'target', verdict: 'verdict'};
const form = document.getElementById('filters');
const state = Object.fromEntries(new URLSearchParams(location.search));
let page = 0;

for (const [key, label] of Object.entries(names)) {
  const box = document.createElement('label');
  const select = document.createElement('select');
  select.name = key;
  box.append(label, select);
  form.append(box);
}
const box = document.createElement('label');
const search = document.createElement('input');
search.type = 'search';
search.name = 'text';
search.value = state.text || '';
box.append('words in the prompt', search);
form.append(box);

async function show() {
  const query = new URLSearchParams({page});
  for (const key of [...Object.keys(names), 'text']) if (state[key]) query.set(key, state[key]);
  const answer = await (await fetch('/api/pairs?' + query)).json();
  const pages = Math.max(1, Math.ceil(answer.total / answer.page_size));
  document.getElementById('total').textContent = `${answer.total} pairs`;
  document.getElementById('page').textContent = `page ${page + 1} of ${pages}`;
  document.getElementById('back').disabled = page === 0;
  document.getElementById('next').disabled = page + 1 >= pages;
  for (const key of Object.keys(names)) {
    const options = [new Option('all', '')];
    for (const [value, count] of Object.entries(answer.counts[key])) options.push(new Option(`${value} (${count})`, value));
    form.elements[key].replaceChildren(...options);
    form.elements[key].value = state[key] || '';
  }
  document.getElementById('pairs').replaceChildren(...answer.pairs.map(figure));
}

function figure(pair) {
  const out = document.createElement('figure');
  const image = document.createElement('img');
  image.loading = 'lazy';
  image.src = '/api/picture/' + encodeURIComponent(pair.id);
  image.alt = pair.target === 'none' ? `no target: ${pair.prompt}` : `the target of: ${pair.prompt}`;
  const caption = document.createElement('figcaption');
  const note = document.createElement('small');
  note.textContent = `${pair.verdict}${pair.reason ? ` (${pair.reason})` : ''} · ${pair.phase} · ${pair.image}`;
  caption.append(pair.prompt, note);
  out.append(image, caption);
  return out;
}

form.addEventListener('input', (event) => {
  state[event.target.name] = event.target.value;
  page = 0;
  show();
});
form.addEventListener('submit', (event) => event.preventDefault());
document.getElementById('back').addEventListener('click', () => { page -= 1; show(); });
document.getElementById('next').addEventListener('click', () => { page += 1; show(); });
show();
