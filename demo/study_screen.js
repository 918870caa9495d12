// Study screen: the body of a function (element, trigger, props, server, upload, watch) that Gradio calls once.
// It shows one trial at a time, hides the picture when its time is over, and sends one answer for each. All text
// from the server is set as text, never as HTML; pictures come as data addresses, so that no name is seen.

const PAUSE = 350; // ms of the cross before a picture, and after an answer
const find = (selector) => element.querySelector(selector);
const root = find('.st');
const stage = find('.st-stage');

let trial = null;
let began = 0; // when the picture appeared
let timers = [];

const node = (tag, text, parent, className) => {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (className) made.className = className;
  if (parent) parent.appendChild(made);
  return made;
};

const later = (work, milliseconds) => timers.push(setTimeout(work, milliseconds));

function picture(parent, address, shape, caption, answer) {
  const figure = node('figure', '', parent);
  const frame = node(answer ? 'button' : 'div', '', figure, 'st-frame');
  figure.style.setProperty('--ratio', shape[1] / shape[0]);
  if (answer) {
    frame.type = 'button';
    frame.setAttribute('aria-label', answer.label);
    frame.addEventListener('click', () => choose(answer.value));
  }
  const image = node('img', '', frame);
  image.alt = caption;
  image.draggable = false;
  image.src = address;
  if (caption) node('figcaption', caption, figure);
  return image;
}

function choose(value) {
  if (!trial || !['shown', 'hidden'].includes(root.dataset.state)) return;
  const milliseconds = Math.round(performance.now() - began);
  root.dataset.state = 'sent';
  buttons(true);
  trigger('answered', { trial: trial.number, answer: value, milliseconds });
}

const buttons = (disabled) => element.querySelectorAll('.st-choices button').forEach((one) => { one.disabled = disabled; });

function show() {
  root.dataset.state = 'shown';
  buttons(false);
  // The clock starts with the frame in which the picture is painted.
  requestAnimationFrame(() => { began = performance.now(); });
  if (trial.seconds > 0) later(() => { if (root.dataset.state === 'shown') root.dataset.state = 'hidden'; }, 1000 * trial.seconds);
}

function draw() {
  timers.forEach(clearTimeout);
  timers = [];
  trial = props.value;
  root.hidden = !trial;
  if (!trial) return;
  const mine = trial;
  root.dataset.state = 'waiting';
  find('.st-question').textContent = trial.question;
  find('.st-progress progress').value = trial.number / trial.total;
  find('.st-count').textContent = (trial.number + 1) + ' of ' + trial.total + (trial.practice ? ' · practice' : '');
  find('.st-hint').textContent = trial.hint;
  for (const part of ['.st-given', '.st-stage', '.st-choices']) find(part).replaceChildren();
  trial.given.forEach((one) => picture(find('.st-given'), one.address, one.shape, one.caption));
  const isPair = trial.pictures.length > 1;
  stage.toggleAttribute('data-pair', isPair);
  const images = trial.pictures.map((one, index) => picture(stage, one.address, one.shape, '', isPair && trial.choices[index]));
  trial.choices.forEach((choice, index) => {
    const button = node('button', choice.label, find('.st-choices'));
    button.type = 'button';
    button.dataset.answer = choice.value;
    button.addEventListener('click', () => choose(choice.value));
    node('kbd', index ? '→' : '←', button);
  });
  buttons(true);
  const decoded = Promise.all(images.map((image) => image.decode().catch(() => null)));
  const paused = new Promise((done) => later(done, PAUSE));
  Promise.all([decoded, paused]).then(() => { if (trial === mine) show(); });
}

document.addEventListener('keydown', (event) => {
  const index = { ArrowLeft: 0, ArrowRight: 1 }[event.key];
  if (index === undefined || !trial || event.repeat || event.target.closest?.('input, textarea')) return;
  event.preventDefault();
  choose(trial.choices[index].value);
});

watch('value', draw);
draw();
