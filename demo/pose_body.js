// Moving joints, and moving and resizing the whole body, in the pose editor. Gradio is given this file and pose_editor.js as one script:
// what is not declared here is declared there.

const LOWER = 30; // px from the lowest joint to the handles
const APART = 44; // px from one handle to the other
const TORSO = [2, 5, 11, 8]; // shoulders and hips, round the trunk
const CENTER = [1, 8, 11]; // neck and hips: their middle never leaves the picture
const SIZES = [0.1, 1.5]; // of the body's box, in frames: it can be resized between these
const moveHandle = element.querySelector('[data-handle=move]');
const scaleHandle = element.querySelector('[data-handle=scale]');

const middleOf = (value) => [0, 1].map((axis) => CENTER.reduce((sum, i) => sum + value.keypoints[i][axis], 0) / CENTER.length);

function boxOf(value) {
  const points = value.keypoints.filter(([, , seen]) => seen);
  const ends = (axis) => [Math.min, Math.max].map((end) => end(...points.map((point) => point[axis])));
  return points.length ? [...ends(0), ...ends(1)] : [0, 0, 0, 0]; // left, right, top, bottom
}

function drawHandles() {
  const [height, width] = pose.image_size;
  const [left, right, top, bottom] = boxOf(pose);
  const low = bottom + LOWER * unit;
  const y = low < height - 16 * unit ? low : Math.max(top - LOWER * unit, 16 * unit);
  const x = Math.min(Math.max((left + right) / 2, 16 * unit), width - (16 + APART) * unit);
  [[moveHandle, x], [scaleHandle, x + APART * unit]].forEach(([handle, at]) => {
    handle.setAttribute('transform', 'translate(' + at + ' ' + y + ') scale(' + unit + ')');
  });
  const [cx, cy] = middleOf(pose).map(Math.round);
  moveHandle.setAttribute('aria-label', 'Whole body, x ' + cx + ', y ' + cy);
  scaleHandle.setAttribute('aria-label', 'Size of the body, ' + Math.round(bottom - top) + ' pixels high');
}

// Move a joint, and with it the joints further out, by one vector that keeps all of them in the picture.
function moved(start, index, dx, dy, alone) {
  const [height, width] = start.image_size;
  const group = alone ? [index] : [index, ...carried[index]];
  const limit = (shift, axis, size) => {
    const values = group.map((i) => start.keypoints[i][axis]);
    return Math.max(Math.min(shift, Math.max(0, size - 1 - Math.max(...values))), Math.min(0, -Math.min(...values)));
  };
  const [mx, my] = [limit(dx, 0, width), limit(dy, 1, height)];
  const result = copy(start);
  group.forEach((i) => {
    result.keypoints[i][0] = Math.round((start.keypoints[i][0] + mx) * 10) / 10;
    result.keypoints[i][1] = Math.round((start.keypoints[i][1] + my) * 10) / 10;
  });
  result.keypoints[index][2] = 1; // whoever moves a joint wants it seen
  return result;
}

// Move all joints by one vector; the middle of the trunk stays in the picture, so that nobody is lost.
function shifted(start, dx, dy) {
  const [height, width] = start.image_size;
  const [cx, cy] = middleOf(start);
  const within = (from, by, size) => Math.min(Math.max(by, Math.min(0, -from)), Math.max(0, size - 1 - from));
  const by = [within(cx, dx, width), within(cy, dy, height)].map((value) => Math.round(value * 10) / 10);
  const result = copy(start);
  result.keypoints.forEach((point) => { point[0] = rounded(point[0] + by[0]); point[1] = rounded(point[1] + by[1]); });
  return result;
}

// Resize about the middle of the trunk.
function resized(start, factor) {
  const [left, right, top, bottom] = boxOf(start);
  const size = Math.max(right - left, bottom - top, 1) / Math.max(...start.image_size);
  const kept = Math.min(Math.max(factor, Math.min(1, SIZES[0] / size)), Math.max(1, SIZES[1] / size));
  const middle = middleOf(start);
  const result = copy(start);
  result.keypoints.forEach((point) => {
    [0, 1].forEach((axis) => { point[axis] = rounded(middle[axis] + kept * (point[axis] - middle[axis])); });
  });
  return result;
}

function rounded(value) { return Math.round(value * 100) / 100; }

// What a press outside all joints takes: a handle, or the body by its trunk.
function grabbed(event) {
  const handle = event.target.closest && event.target.closest('[data-handle]');
  if (handle) return handle.dataset.handle;
  const [x, y] = toPose(event);
  const corners = TORSO.map((i) => pose.keypoints[i]);
  const crossed = corners.filter(([x1, y1], i) => {
    const [x2, y2] = corners[(i + 1) % corners.length];
    return (y1 > y) !== (y2 > y) && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1);
  });
  return crossed.length % 2 ? 'move' : null;
}

function withBody(done, event) {
  const [x, y] = toPose(event);
  if (done.body === 'move') return shifted(done.start, x - done.from[0], y - done.from[1]);
  const [cx, cy] = middleOf(done.start);
  const away = (px, py) => Math.max(Math.hypot(px - cx, py - cy), unit);
  return resized(done.start, away(x, y) / away(...done.from));
}

function sayBody() {
  const [cx, cy] = middleOf(pose).map(Math.round);
  const [, , top, bottom] = boxOf(pose);
  live.textContent = 'Whole body: ' + cx + ', ' + cy + '; ' + Math.round(bottom - top) + ' pixels high';
}

[moveHandle, scaleHandle].forEach((handle) => handle.addEventListener('keydown', (event) => {
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const way = arrows[event.key];
  if (!way || drag) return;
  event.preventDefault();
  const stride = event.shiftKey ? 8 : 1;
  const larger = way[0] - way[1]; // right and up
  beforeKeys = beforeKeys || pose;
  pose = handle === moveHandle ? shifted(pose, way[0] * stride, way[1] * stride) : resized(pose, 1.02 ** (larger * stride));
  draw();
  sayBody();
  waitForKeys();
}));
