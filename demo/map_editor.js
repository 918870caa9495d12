// Map editor: the body of a function (element, trigger, props, server, upload, watch) that Gradio calls once.
// The map being painted lives in `labels`; props.value is replaced, never mutated, and only when a stroke or another
// edit is finished, so a running stroke is never disturbed by what the server sends meanwhile.

const KEEP = 100; // edits that can be undone
const SEE_THROUGH = 150; // opacity, of 255, of labels painted over a picture
const BRUSH_SHARE = 0.19; // the largest brush as a share of the map's height

const find = (selector) => element.querySelector(selector);
const all = (selector) => [...element.querySelectorAll(selector)];
const stage = find('.me-stage');
const canvas = find('.me-canvas');
const ring = find('.me-ring');
const live = find('.me-live');
const slider = find('.me-size input');
const paper = canvas.getContext('2d', { willReadFrequently: true }); // pixels are set by the page, not by a GPU

let size = null; // [height, width]; null until there is a map
let labels = null; // Uint8Array of height * width
let past = [];
let future = [];
let chosen = 3; // label that is painted
let tool = 'brush';
let under = 'none';
let stroke = null; // { id, before, last }
let place = null; // [x, y] of the ring in pixels of the map
let keyed = null; // the map before space was pressed

// Runs of equal labels, row by row, as the server writes them. -----------------------------------------------------

function decode(value) {
  const decoded = new Uint8Array(value.image_size[0] * value.image_size[1]);
  let at = 0;
  value.runs.split(' ').forEach((run) => {
    const [label, length] = run.split('*').map(Number);
    decoded.fill(label, at, at + length);
    at += length;
  });
  return decoded;
}

function encode() {
  const runs = [];
  for (let at = 0; at < labels.length;) {
    let end = at + 1;
    while (end < labels.length && labels[end] === labels[at]) end += 1;
    runs.push(labels[at] + '*' + (end - at));
    at = end;
  }
  return { image_size: [...size], runs: runs.join(' ') };
}

// Drawing ----------------------------------------------------------------------------------------------------------

function draw() {
  if (!labels) return;
  const [height, width] = size;
  const address = under === 'none' ? '' : (props.pictures || {})[under] || '';
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  stage.style.aspectRatio = width + ' / ' + height;
  const image = paper.createImageData(width, height);
  const colors = props.palette.map((entry) => entry.color);
  labels.forEach((label, i) => {
    const [red, green, blue] = colors[label];
    const opacity = !address ? 255 : label ? SEE_THROUGH : 0;
    image.data.set([red, green, blue, opacity], 4 * i);
  });
  paper.putImageData(image, 0, 0);
  const picture = find('.me-under');
  picture.style.display = address ? '' : 'none';
  if (address && picture.getAttribute('src') !== address) picture.setAttribute('src', address);
  drawTools();
}

function drawTools() {
  find('[data-act=undo]').disabled = !past.length;
  find('[data-act=redo]').disabled = !future.length;
  find('[data-act=reset]').disabled = !labels;
  const press = (button, on) => button.setAttribute('aria-pressed', on);
  all('[data-tool]').forEach((button) => press(button, button.dataset.tool === tool));
  all('[data-label]').forEach((button) => press(button, Number(button.dataset.label) === chosen));
  all('[data-under]').forEach((button) => press(button, button.dataset.under === under));
  if (size) slider.max = Math.max(3, Math.round(BRUSH_SHARE * size[0]));
}

function drawRing() {
  ring.style.display = place && labels ? 'block' : 'none';
  if (!place || !labels) return;
  const scale = canvas.clientWidth / size[1];
  const diameter = (tool === 'fill' ? 1 : Number(slider.value)) * scale;
  const [left, top] = place.map((value) => value * scale - diameter / 2);
  Object.assign(ring.style, { width: diameter + 'px', height: diameter + 'px', transform: 'translate(' + left + 'px, ' + top + 'px)' });
}

function button(parent, words, dataset, run) {
  const made = document.createElement('button');
  made.type = 'button';
  Object.assign(made.dataset, dataset);
  made.append(words);
  made.addEventListener('click', run);
  find(parent).appendChild(made);
  return made;
}

props.palette.forEach((entry, label) => {
  const made = button('.me-palette', entry.name, { label }, () => choose(label));
  const sample = document.createElement('i');
  sample.style.setProperty('--own', 'rgb(' + entry.color.join(', ') + ')');
  made.prepend(sample);
  made.title = entry.name + ' (' + label + ')' + (/left|right/i.test(entry.name) ? ", the person's own side" : '');
});
(props.edits || []).forEach((name) => button('.me-edits', name, { edit: name }, () => {
  if (labels) trigger('premade', { name });
}));

// Edits ------------------------------------------------------------------------------------------------------------

function commit(before, words) {
  past.push(before);
  past = past.slice(-KEEP);
  future = [];
  publish(words);
}

function publish(words) {
  live.textContent = words;
  props.value = encode();
  draw();
  trigger('release');
}

function step(from, to, words) {
  settleKeys();
  if (!from.length || stroke) return;
  to.push(labels);
  labels = from.pop();
  publish(words);
}

function finish(before) {
  const changed = labels.reduce((count, label, i) => count + (label !== before[i]), 0);
  if (changed) commit(before, changed + ' pixels are now ' + props.palette[chosen].name.toLowerCase());
}

function choose(label) {
  chosen = label;
  live.textContent = 'Painting ' + props.palette[label].name.toLowerCase();
  drawTools();
}

function take(name) {
  tool = name;
  drawTools();
  drawRing();
}

function resize(change) {
  slider.value = Number(slider.value) + change;
  drawRing();
}

// Paint a disc as wide as the brush; the pixel under its middle is always painted.
function dab([x, y]) {
  const [height, width] = size;
  const radius = Number(slider.value) / 2;
  for (let row = Math.max(0, Math.floor(y - radius)); row <= Math.min(height - 1, y + radius); row += 1) {
    for (let column = Math.max(0, Math.floor(x - radius)); column <= Math.min(width - 1, x + radius); column += 1) {
      const inside = Math.hypot(column + 0.5 - x, row + 0.5 - y) <= radius;
      if (inside || (column === Math.floor(x) && row === Math.floor(y))) labels[row * width + column] = chosen;
    }
  }
}

function line([x1, y1], [x2, y2]) {
  const count = Math.max(1, Math.ceil(2 * Math.hypot(x2 - x1, y2 - y1)));
  for (let i = 1; i <= count; i += 1) dab([x1 + ((x2 - x1) * i) / count, y1 + ((y2 - y1) * i) / count]);
}

function fill([x, y]) {
  const [height, width] = size;
  const start = Math.floor(y) * width + Math.floor(x);
  const old = labels[start];
  if (old === undefined || old === chosen) return;
  const waiting = [start];
  labels[start] = chosen;
  while (waiting.length) {
    const at = waiting.pop();
    const column = at % width;
    const neighbours = [at - width, at + width, column > 0 ? at - 1 : -1, column < width - 1 ? at + 1 : -1];
    neighbours.forEach((next) => {
      if (next < 0 || next >= width * height || labels[next] !== old) return;
      labels[next] = chosen;
      waiting.push(next);
    });
  }
}

// Pointer ----------------------------------------------------------------------------------------------------------

function toMap(event) {
  const box = canvas.getBoundingClientRect();
  const inside = (value, limit) => Math.min(Math.max(value, 0), limit - 0.01);
  return [
    inside(((event.clientX - box.left) / box.width) * size[1], size[1]),
    inside(((event.clientY - box.top) / box.height) * size[0], size[0]),
  ];
}

canvas.addEventListener('pointerdown', (event) => {
  if (event.button !== 0 || stroke || !labels) return;
  settleKeys();
  event.preventDefault();
  canvas.focus({ preventScroll: true });
  place = toMap(event);
  if (event.altKey) { choose(labels[Math.floor(place[1]) * size[1] + Math.floor(place[0])]); return; }
  canvas.setPointerCapture(event.pointerId);
  stroke = { id: event.pointerId, before: labels, last: place };
  labels = labels.slice();
  if (tool === 'fill') fill(place); else dab(place);
  draw();
  drawRing();
});

canvas.addEventListener('pointermove', (event) => {
  if (!labels || (stroke && event.pointerId !== stroke.id)) return;
  const parts = stroke && event.getCoalescedEvents ? event.getCoalescedEvents() : [];
  (parts.length ? parts : [event]).forEach((part) => {
    place = toMap(part);
    if (!stroke || tool === 'fill') return;
    line(stroke.last, place);
    stroke.last = place;
  });
  if (stroke) draw();
  drawRing();
});

function endStroke(event) {
  if (!stroke || event.pointerId !== stroke.id) return;
  const { before } = stroke;
  stroke = null;
  if (event.pointerType === 'touch') { place = null; drawRing(); }
  if (event.type === 'pointercancel') { labels = before; draw(); return; } // a second finger: it was a zoom
  finish(before);
}
canvas.addEventListener('pointerup', endStroke);
canvas.addEventListener('pointercancel', endStroke);
canvas.addEventListener('pointerleave', () => { if (!stroke) { place = null; drawRing(); } });

// Keyboard ---------------------------------------------------------------------------------------------------------

function settleKeys() {
  if (!keyed) return;
  const before = keyed;
  keyed = null;
  finish(before);
}

function paintHere(from) {
  if (tool === 'fill') fill(place); else line(from, place);
  draw();
}

function onCanvasKey(event) {
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const middle = [1, 0].map((axis) => Math.floor(size[axis] / 2) + 0.5); // of a pixel
  if (arrows[event.key]) {
    const stride = event.shiftKey ? 8 : 1;
    const from = place || middle;
    place = arrows[event.key].map((way, axis) => Math.min(Math.max(from[axis] + way * stride, 0.5), size[1 - axis] - 0.5));
    if (keyed) paintHere(from);
    const label = labels[Math.floor(place[1]) * size[1] + Math.floor(place[0])];
    live.textContent = Math.floor(place[0]) + ', ' + Math.floor(place[1]) + ': ' + props.palette[label].name.toLowerCase();
  } else if (event.key === ' ' || event.key === 'Enter') {
    place = place || middle;
    if (!keyed) { keyed = labels; labels = labels.slice(); }
    paintHere(place);
    if (event.key === 'Enter') settleKeys();
  } else {
    return false;
  }
  drawRing();
  return true;
}
canvas.addEventListener('keyup', (event) => { if (event.key === ' ') settleKeys(); });
canvas.addEventListener('blur', settleKeys);

element.addEventListener('keydown', (event) => {
  if (!labels || stroke) return;
  const key = event.key.toLowerCase();
  const command = event.ctrlKey || event.metaKey;
  const shortcuts = { b: () => take('brush'), f: () => take('fill'), '[': () => resize(-1), ']': () => resize(1) };
  if (command && key === 'z' && !event.shiftKey) act.undo();
  else if (command && (key === 'y' || (key === 'z' && event.shiftKey))) act.redo();
  else if (command || event.altKey) return;
  else if (shortcuts[key]) shortcuts[key]();
  else if (/^[0-9]$/.test(key)) choose(Number(key));
  else if (event.target !== canvas || !onCanvasKey(event)) return;
  event.preventDefault();
});

// Tools ------------------------------------------------------------------------------------------------------------

const act = {
  undo: () => step(past, future, 'Undone'),
  redo: () => step(future, past, 'Redone'),
  reset: () => {
    settleKeys();
    const before = labels;
    labels = decode(props.initial);
    commit(before, "The person's own map");
  },
};
Object.entries(act).forEach(([name, run]) => find('[data-act=' + name + ']').addEventListener('click', run));
all('[data-tool]').forEach((made) => made.addEventListener('click', () => take(made.dataset.tool)));
all('[data-under]').forEach((made) => made.addEventListener('click', () => { under = made.dataset.under; draw(); }));
slider.addEventListener('input', drawRing);

let person = JSON.stringify(props.initial);
function read() {
  if (!props.value) return;
  const somebodyElse = JSON.stringify(props.initial) !== person || !labels;
  person = JSON.stringify(props.initial);
  past = somebodyElse ? [] : [...past, labels]; // undoing must not bring back another person's map
  future = [];
  [stroke, keyed] = [null, null];
  size = [...props.value.image_size];
  labels = decode(props.value);
  draw();
}
watch('value', read);
watch('pictures', draw);
new ResizeObserver(drawRing).observe(canvas);
live.textContent = 'Paint with mouse, finger or keys; Alt picks the label under the brush.';
drawTools();
read();
