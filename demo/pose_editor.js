// Pose editor: the body of a function (element, trigger, props, server, upload, watch) that Gradio calls once;
// pose_body.js stands before it.
// The pose being edited lives in `pose`; props.value is replaced, never mutated, and only when an edit is finished,
// so a running drag is never disturbed by what the server sends meanwhile.

const NS = 'http://www.w3.org/2000/svg';
const REACH = { mouse: 22, pen: 26, touch: 34 }; // px from a joint within which a press takes it
const KEY_PAUSE = 350; // ms of rest after which a series of key presses counts as one edit
const MAX_FILE = 1e6; // bytes of a pose file
const { joints, limbs, flip, carried, colors } = props.skeleton;

const find = (selector) => element.querySelector(selector);
const canvas = find('.pe-canvas');
const space = find('.pe-space');
const tip = find('.pe-tip');
const live = find('.pe-live');
const carryBox = find('.pe-carry input');
const copy = (value) => JSON.parse(JSON.stringify(value));
const spoken = (index) => joints[index].replace('_', ' ');

let pose = copy(props.value);
let past = [];
let future = [];
let chosen = null; // index of the joint that the tools and the tip speak of
let drag = null;
let under = 'none';
let unit = 1; // pose pixels per screen pixel
let keyTimer = null;
let beforeKeys = null;

const svgNode = (tag, attributes, parent) => {
  const node = document.createElementNS(NS, tag);
  Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
  parent.appendChild(node);
  return node;
};

const limbNodes = limbs.map(([, end]) => svgNode('line', { class: 'pe-limb', stroke: colors[end] }, find('.pe-limbs')));
const jointNodes = joints.map((name, index) => {
  const group = svgNode('g', { class: 'pe-joint', tabindex: 0, role: 'button', 'data-joint': name }, find('.pe-joints'));
  group.style.setProperty('--own', colors[index]);
  svgNode('circle', { class: 'pe-hit' }, group);
  svgNode('circle', { class: 'pe-dot' }, group);
  group.addEventListener('focus', () => choose(index));
  group.addEventListener('keydown', (event) => onJointKey(event, index));
  return group;
});

function draw() {
  const [height, width] = pose.image_size;
  canvas.setAttribute('viewBox', '0 0 ' + width + ' ' + height);
  canvas.style.aspectRatio = width + ' / ' + height;
  const matrix = space.getScreenCTM();
  unit = matrix && matrix.a ? 1 / matrix.a : unit; // no matrix while the page hides the editor
  limbs.forEach(([a, b], i) => {
    const [x1, y1, seen1] = pose.keypoints[a];
    const [x2, y2, seen2] = pose.keypoints[b];
    Object.entries({ x1, y1, x2, y2 }).forEach(([name, value]) => limbNodes[i].setAttribute(name, value));
    limbNodes[i].classList.toggle('pe-off', !(seen1 && seen2));
  });
  pose.keypoints.forEach(([x, y, seen], index) => {
    const node = jointNodes[index];
    const small = index === 0 || index > 13; // the face's joints lie close together
    node.setAttribute('transform', 'translate(' + x + ' ' + y + ')');
    node.setAttribute('aria-label', spoken(index) + ', ' + (seen ? '' : 'hidden, ') + 'x ' + Math.round(x) + ', y ' + Math.round(y));
    node.classList.toggle('pe-off', !seen);
    node.classList.toggle('pe-chosen', index === chosen);
    node.firstChild.setAttribute('r', (small ? 12 : 22) * unit);
    node.lastChild.setAttribute('r', (small ? 4.5 : 7) * unit);
  });
  drawTip();
  drawTools();
  drawHandles();
}

function drawTip() {
  tip.style.display = chosen === null ? 'none' : '';
  if (chosen === null) return;
  const [x, y] = pose.keypoints[chosen];
  const half = (spoken(chosen).length * 7 * unit) / 2;
  tip.textContent = spoken(chosen);
  tip.setAttribute('x', Math.min(Math.max(x, half), pose.image_size[1] - half));
  tip.setAttribute('y', y < 34 * unit ? y + 30 * unit : y - 17 * unit);
  tip.setAttribute('font-size', 12.5 * unit);
  tip.setAttribute('stroke-width', 4 * unit);
}

function drawTools() {
  const disable = (act, value) => { find('[data-act=' + act + ']').disabled = value; };
  disable('undo', !past.length);
  disable('redo', !future.length);
  disable('toggle', chosen === null);
  const image = find('.pe-under');
  const address = under === 'none' ? '' : (props.pictures || {})[under] || '';
  image.setAttribute('href', address);
  image.style.display = address ? '' : 'none';
  image.setAttribute('width', pose.image_size[1]);
  image.setAttribute('height', pose.image_size[0]);
  element.querySelectorAll('[data-under]').forEach((button) => button.setAttribute('aria-checked', button.dataset.under === under));
}

function drawPresets() {
  const strip = find('.pe-presets');
  strip.replaceChildren();
  (props.presets || []).forEach((preset) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.dataset.preset = preset.name;
    button.title = preset.name;
    button.setAttribute('aria-label', 'Pose: ' + preset.name);
    const points = preset.pose.keypoints;
    const [left, top] = [0, 1].map((axis) => Math.min(...points.map((point) => point[axis])));
    const [right, bottom] = [0, 1].map((axis) => Math.max(...points.map((point) => point[axis])));
    const tall = Math.max(bottom - top, right - left, preset.pose.image_size[0] / 2) * 1.1; // crouching looks smaller
    const box = [(left + right - tall) / 2, bottom + 0.05 * tall - tall, tall, tall];
    const icon = svgNode('svg', { viewBox: box.join(' '), 'aria-hidden': 'true' }, button);
    limbs.slice(0, 13).forEach(([a, b]) => {
      const [[x1, y1], [x2, y2]] = [points[a], points[b]];
      svgNode('line', { x1, y1, x2, y2, class: 'pe-limb', stroke: colors[b] }, icon);
    });
    const caption = document.createElement('span');
    caption.textContent = preset.name;
    button.appendChild(caption);
    button.addEventListener('click', () => edit(copy(preset.pose), preset.name));
    strip.appendChild(button);
  });
}

// Edits ---------------------------------------------------------------------------------------------------------

function commit(before, words) {
  past.push(before);
  past = past.slice(-100);
  future = [];
  publish(words);
}

function publish(words) {
  live.textContent = words;
  props.value = copy(pose);
  draw();
  trigger('release');
}

function edit(changed, words) {
  settleKeys();
  const before = pose;
  pose = changed;
  commit(before, words);
}

function step(from, to, words) {
  settleKeys();
  if (!from.length) return;
  to.push(pose);
  pose = from.pop();
  publish(words);
}

function mirror() {
  const width = pose.image_size[1];
  const turned = copy(pose);
  turned.keypoints = flip.map((index) => {
    const [x, y, seen] = pose.keypoints[index];
    return [width - 1 - x, y, seen];
  });
  edit(turned, 'Mirrored');
}

function toggle(index) {
  const changed = copy(pose);
  changed.keypoints[index][2] = changed.keypoints[index][2] ? 0 : 1;
  edit(changed, spoken(index) + (changed.keypoints[index][2] ? ' shown' : ' hidden'));
}

function choose(index) {
  chosen = index;
  if (index !== null) {
    const [x, y, seen] = pose.keypoints[index];
    live.textContent = spoken(index) + (seen ? '' : ' (hidden)') + ': ' + Math.round(x) + ', ' + Math.round(y);
  }
  draw();
}

// Pointer -------------------------------------------------------------------------------------------------------

function toPose(event) {
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(space.getScreenCTM().inverse());
  return [point.x, point.y];
}

function nearest(event, kind) {
  const [x, y] = toPose(event);
  const away = pose.keypoints.map(([px, py]) => Math.hypot(px - x, py - y));
  const index = away.indexOf(Math.min(...away));
  return away[index] <= (REACH[kind] || REACH.mouse) * unit ? index : null;
}

// A finger on a joint drags it; a finger beside all joints scrolls the page. `touch-action` cannot tell the two apart
// inside an SVG, so the touch itself is claimed here.
canvas.addEventListener('touchstart', (event) => {
  const touch = event.touches[0];
  if (event.touches.length === 1 && (nearest(touch, 'touch') !== null || grabbed(touch))) event.preventDefault();
}, { passive: false });

canvas.addEventListener('pointerdown', (event) => {
  if (event.button !== 0 || drag) return;
  const onHandle = event.target.closest('[data-handle]');
  const index = onHandle ? null : nearest(event, event.pointerType);
  const body = index === null ? grabbed(event) : null;
  if (index === null && !body) { choose(null); return; }
  settleKeys();
  event.preventDefault();
  canvas.setPointerCapture(event.pointerId);
  (body ? find('[data-handle=' + body + ']') : jointNodes[index]).focus({ preventScroll: true });
  drag = { index, body, id: event.pointerId, from: toPose(event), start: pose, moved: false };
  canvas.classList.add('pe-dragging');
  choose(index);
});

canvas.addEventListener('pointermove', (event) => {
  if (!drag) {
    const near = event.pointerType === 'mouse' && (nearest(event, 'mouse') !== null || grabbed(event));
    canvas.style.cursor = near ? 'grab' : '';
    return;
  }
  if (event.pointerId !== drag.id) return;
  const [x, y] = toPose(event);
  const [dx, dy] = [x - drag.from[0], y - drag.from[1]];
  if (!drag.moved && Math.hypot(dx, dy) < 3 * unit) return; // a click chooses, it does not move
  drag.moved = true;
  pose = drag.body ? withBody(drag, event) : moved(drag.start, drag.index, dx, dy, carryBox.checked === event.altKey);
  choose(drag.index);
  if (drag.body) sayBody();
});

function endDrag(event) {
  if (!drag || event.pointerId !== drag.id) return;
  const done = drag;
  drag = null;
  canvas.classList.remove('pe-dragging');
  if (event.type === 'pointercancel') { pose = done.start; draw(); return; }
  if (done.moved) commit(done.start, live.textContent);
}
canvas.addEventListener('pointerup', endDrag);
canvas.addEventListener('pointercancel', endDrag);
canvas.addEventListener('dblclick', () => { if (chosen !== null) toggle(chosen); });

// Keyboard ------------------------------------------------------------------------------------------------------

function settleKeys() {
  clearTimeout(keyTimer);
  if (!beforeKeys) return;
  const before = beforeKeys;
  beforeKeys = null;
  commit(before, live.textContent);
}

function waitForKeys() {
  clearTimeout(keyTimer);
  keyTimer = setTimeout(settleKeys, KEY_PAUSE);
}

function onJointKey(event, index) {
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  if (arrows[event.key] && !drag) {
    event.preventDefault();
    const stride = event.shiftKey ? 8 : 1;
    const [dx, dy] = arrows[event.key];
    beforeKeys = beforeKeys || pose;
    pose = moved(pose, index, dx * stride, dy * stride, carryBox.checked === event.altKey);
    choose(index);
    waitForKeys();
  } else if (event.key === 'Delete' || event.key === 'Backspace' || event.key === ' ') {
    event.preventDefault();
    toggle(index);
  } else if (event.key === 'Escape') {
    choose(null);
  }
}

element.addEventListener('keydown', (event) => {
  const key = event.key.toLowerCase();
  const command = event.ctrlKey || event.metaKey;
  if (command && key === 'z' && !event.shiftKey) act.undo();
  else if (command && (key === 'y' || (key === 'z' && event.shiftKey))) act.redo();
  else if (!command && !event.altKey && key === 'm') act.mirror();
  else return;
  event.preventDefault();
});

// Tools ---------------------------------------------------------------------------------------------------------

const act = {
  undo: () => step(past, future, 'Undone'),
  redo: () => step(future, past, 'Redone'),
  mirror,
  reset: () => edit(copy(props.initial), "The person's own pose"),
  toggle: () => { if (chosen !== null) toggle(chosen); },
  import: () => find('.pe-file').click(),
  export: () => {
    const address = URL.createObjectURL(new Blob([JSON.stringify(pose)], { type: 'application/json' }));
    const link = Object.assign(document.createElement('a'), { href: address, download: 'pose.json' });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  },
};
Object.entries(act).forEach(([name, run]) => find('[data-act=' + name + ']').addEventListener('click', run));

find('.pe-file').addEventListener('change', async (event) => {
  const file = event.target.files[0];
  if (!file) return;
  // The server reads the text: one parser, and one sentence when it is not a pose.
  trigger('imported', { text: file.size > MAX_FILE ? '' : await file.text() });
  event.target.value = '';
});

element.querySelectorAll('[data-under]').forEach((button) => button.addEventListener('click', () => {
  under = button.dataset.under;
  draw();
}));

let person = JSON.stringify(props.initial);
watch('value', () => {
  const somebodyElse = JSON.stringify(props.initial) !== person;
  person = JSON.stringify(props.initial);
  past = somebodyElse ? [] : [...past, pose]; // undoing must not bring back another person's pose
  future = [];
  pose = copy(props.value);
  live.textContent = 'New pose';
  draw();
});
watch('pictures', drawTools);
watch('presets', drawPresets);
new ResizeObserver(draw).observe(canvas);
live.textContent = 'Drag a joint, or the body by its trunk or handle; or focus one and press arrow keys.';
drawPresets();
draw();
