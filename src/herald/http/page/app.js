// The operators' page: follows the table and draws it. Nothing inline: the Content-Security-Policy forbids it.

import { alarmsOf, figuresOf, found } from './fleet.js';
import { drawRows } from './rows.js';
import { askToSteer } from './steer.js';
import { followTable } from './table-stream.js';
import { $, age, count, element, percent } from './words.js';

const TOKEN_KEY = 'herald.token';
const RATE_OVER_MS = 3000;
const MOST_ROWS = 200; // more would take the browser most of a core; `Find` and `Order` reach the others

const token = sessionStorage.getItem(TOKEN_KEY) ?? '';
const headers = token ? { authorization: `Bearer ${token}` } : {};
let table;
let samples = []; // {atMs, picks}: the lookup rate

function say(state, words) {
  $('link').className = `link ${state}`;
  $('link').textContent = words;
  document.body.classList.toggle('lost', state === 'lost');
}

function take(next) {
  table = next;
  const nowMs = performance.now();
  samples.push({ atMs: nowMs, picks: figuresOf(table.gateways).picks });
  samples = samples.filter(({ atMs }) => nowMs - atMs <= RATE_OVER_MS);
  say('live', 'live');
  draw();
}

function draw() {
  if (!table || document.hidden) return;
  const { gateways } = table;
  $('who').textContent = `${table.heraldId}, policy ${table.policy}`;
  drawAlarms();
  drawFigures(gateways);
  const rows = found(gateways, $('filter').value, $('order').value);
  const shown = rows.slice(0, MOST_ROWS);
  const counted =
    shown.length < rows.length
      ? `the first ${shown.length} of ${count(rows.length)}`
      : `${shown.length} of ${count(gateways.length)}`;
  $('shown').textContent = gateways.length === 0 ? '' : counted;
  $('table').hidden = shown.length === 0;
  $('empty').hidden = shown.length > 0;
  $('empty').textContent =
    gateways.length === 0
      ? 'No gateway has reported yet.\nGateways report with POST /v1/feedback on the control port.'
      : 'No gateway fits what you are looking for.';
  drawRows(shown, (gateway, action) => askToSteer(gateway, action, headers));
}

function drawAlarms() {
  const words = alarmsOf(table);
  const list = $('alarms');
  if (list.dataset.words === words.join('\n')) return; // a live region: change it only when it says more
  list.dataset.words = words.join('\n');
  list.replaceChildren(...words.map((text) => element('li', '', text)));
}

function drawFigures(gateways) {
  const { up, connections, mean, hottest } = figuresOf(gateways);
  $('f-gateways').textContent = `${count(up)} / ${count(gateways.length)}`;
  $('f-connections').textContent = count(connections);
  $('f-mean').textContent = mean === undefined ? '-' : percent(mean);
  $('f-ratio').textContent = mean > 0 ? (hottest / mean).toFixed(2) : '-';
  const [first] = samples;
  const last = samples.at(-1);
  const seconds = first && last ? (last.atMs - first.atMs) / 1000 : 0;
  $('f-rate').textContent = seconds > 0.4 ? count(Math.max(0, last.picks - first.picks) / seconds) : '-';
  $('f-age').textContent = gateways.length > 0 ? age(table.ageMs) : '-';
}

$('filter').addEventListener('input', draw);
$('order').addEventListener('change', draw);
document.addEventListener('visibilitychange', draw);
$('token-form').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN_KEY, $('token').value.trim());
  location.reload();
});
void followTable({
  headers,
  onStatus(status) {
    $('token-form').hidden = status !== 401 && token === '';
    if (status === 401) throw new Error(token ? 'the token is refused' : 'enter the admin token');
  },
  onTable: take,
  onLost: (words) => say('lost', words),
});
