// The operators' page: reads the table as server-sent events and draws it. Gateway names come from outside,
// so everything goes into the page as text nodes. fetch instead of EventSource, because a token travels in a
// header. Nothing inline: the Content-Security-Policy forbids it.

const $ = (id) => document.getElementById(id);
const element = (name, className, text) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};

const TOKEN_KEY = 'herald.token';
const FULL_BAR = 1.25; // the bar ends at 125 % so that overload is visible
const WARM = 0.7;
const HOT = 0.9;
const RETRY_MS = 1500;
const RATE_OVER_MS = 3000;
const MOST_ROWS = 200; // more would take the browser most of a core; `Find` and `Order` reach the others

let token = sessionStorage.getItem(TOKEN_KEY) ?? '';
let table;
let samples = []; // {atMs, picks}: the lookup rate
const rows = new Map(); // gateway -> parts of its <tr>

const headers = () => (token ? { authorization: `Bearer ${token}` } : {});

// ---- the stream

async function follow() {
  for (;;) {
    try {
      await readStream();
      say('lost', 'stream ended, trying again');
    } catch (error) {
      say('lost', error instanceof TypeError ? 'no answer, trying again' : error.message);
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function readStream() {
  const response = await fetch('/v1/table/stream', { headers: headers(), cache: 'no-store' });
  $('token-form').hidden = response.status !== 401 && token === '';
  if (response.status === 401) throw new Error(token ? 'the token is refused' : 'enter the admin token');
  if (!response.ok) throw new Error(`answer ${response.status}`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    waiting += value;
    let end;
    while ((end = waiting.indexOf('\n\n')) >= 0) {
      const data = waiting
        .slice(0, end)
        .split('\n')
        .find((line) => line.startsWith('data: '));
      waiting = waiting.slice(end + 2);
      if (data) take(JSON.parse(data.slice('data: '.length)));
    }
  }
}

function say(state, words) {
  $('link').className = `link ${state}`;
  $('link').textContent = words;
}

function take(next) {
  table = next;
  const picks = table.gateways.reduce((sum, row) => sum + row.picks, 0);
  const nowMs = performance.now();
  samples.push({ atMs: nowMs, picks });
  samples = samples.filter(({ atMs }) => nowMs - atMs <= RATE_OVER_MS);
  say('live', 'live');
  draw();
}

// ---- drawing

const percent = (ratio) => `${Math.round(ratio * 100)} %`;
const count = (value) => Math.round(value).toLocaleString('en');
const age = (ms) => (ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`);

function draw() {
  if (!table || document.hidden) return;
  const { gateways } = table;
  $('who').textContent = `${table.heraldId}, policy ${table.policy}`;
  drawAlarms();
  drawFigures(gateways);
  const words = $('filter').value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const found = gateways
    .filter((row) => {
      const text = `${row.gateway} ${row.pool} ${row.zone} ${row.effectiveState}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .sort(ORDERS[$('order').value]);
  const shown = found.slice(0, MOST_ROWS);
  const counted =
    shown.length < found.length
      ? `the first ${shown.length} of ${count(found.length)}`
      : `${shown.length} of ${count(gateways.length)}`;
  $('shown').textContent = gateways.length === 0 ? '' : counted;
  $('table').hidden = shown.length === 0;
  $('empty').hidden = shown.length > 0;
  $('empty').textContent =
    gateways.length === 0
      ? 'No gateway has reported yet.\nGateways report with POST /v1/feedback on the control port.'
      : 'No gateway fits what you are looking for.';
  drawRows(shown);
}

/** Whether its load is news: of a gateway that fell silent only the last report is left. */
const isKnown = (row) => !['stale', 'suspect', 'expired'].includes(row.effectiveState);

const names = new Intl.Collator('en', { numeric: true });
const byName = (a, b) => names.compare(a.gateway, b.gateway);
/** First those that lookups avoid though nobody took them out, then those that somebody did. */
const turn = ({ effectiveState, breaker }) => {
  if (['draining', 'drain', 'maint'].includes(effectiveState)) return 1;
  return effectiveState === 'up' && breaker !== 'open' ? 2 : 0;
};
const ORDERS = {
  state: (a, b) => turn(a) - turn(b) || byName(a, b),
  gateway: byName,
  expected: (a, b) =>
    Number(isKnown(b)) - Number(isKnown(a)) || b.expectedScore - a.expectedScore || byName(a, b),
  connections: (a, b) => b.connections - a.connections || byName(a, b),
  age: (a, b) => b.ageMs - a.ageMs || byName(a, b),
};

function drawAlarms() {
  const words = [...table.degraded];
  const silent = table.gateways.filter((row) => !isKnown(row)).length;
  const are = silent === 1 ? 'is' : 'are';
  if (silent > 0) words.push(`${silent} of ${table.gateways.length} gateways ${are} silent and not named`);
  const list = $('alarms');
  if (list.dataset.words === words.join('\n')) return; // a live region: change it only when it says more
  list.dataset.words = words.join('\n');
  list.replaceChildren(...words.map((text) => element('li', '', text)));
}

function drawFigures(gateways) {
  const up = gateways.filter((row) => row.effectiveState === 'up');
  const capacity = up.reduce((sum, row) => sum + row.capacity, 0);
  const mean =
    capacity > 0 ? up.reduce((sum, row) => sum + row.expectedScore * row.capacity, 0) / capacity : 0;
  const hottest = up.reduce((most, row) => Math.max(most, row.expectedScore), 0);
  $('f-gateways').textContent = `${count(up.length)} / ${count(gateways.length)}`;
  $('f-connections').textContent = count(gateways.reduce((sum, row) => sum + row.connections, 0));
  $('f-mean').textContent = up.length > 0 ? percent(mean) : '-';
  $('f-ratio').textContent = mean > 0 ? (hottest / mean).toFixed(2) : '-';
  const [first] = samples;
  const last = samples.at(-1);
  const seconds = first && last ? (last.atMs - first.atMs) / 1000 : 0;
  $('f-rate').textContent = seconds > 0.4 ? count(Math.max(0, last.picks - first.picks) / seconds) : '-';
  $('f-age').textContent = gateways.length > 0 ? age(table.ageMs) : '-';
}

function drawRows(shown) {
  const body = $('rows');
  const wanted = new Set(shown.map((row) => row.gateway));
  for (const [gateway, parts] of rows) {
    if (wanted.has(gateway)) continue;
    parts.tr.remove();
    rows.delete(gateway);
  }
  shown.forEach((row, index) => {
    let parts = rows.get(row.gateway);
    if (!parts) rows.set(row.gateway, (parts = newRow(row.gateway)));
    fill(parts, row);
    // Moving a row only when its place changed keeps focus and hover where they are.
    if (body.children[index] !== parts.tr) body.insertBefore(parts.tr, body.children[index] ?? null);
  });
}

function newRow(gateway) {
  const tr = element('tr');
  const cell = (className) => tr.appendChild(element('td', className));
  const name = cell();
  name.append(element('b', '', gateway));
  const where = name.appendChild(element('span', 'sub'));
  const stateCell = cell();
  const state = stateCell.appendChild(element('span', 'state'));
  const why = stateCell.appendChild(element('span', 'sub'));
  const load = cell().appendChild(element('div', 'load'));
  const bar = load.appendChild(element('div', 'bar'));
  const fillBar = bar.appendChild(element('i'));
  const full = bar.appendChild(element('s'));
  full.style.left = `${100 / FULL_BAR}%`;
  const mark = bar.appendChild(element('u'));
  const value = load.appendChild(element('span', 'num'));
  const connections = cell('num');
  const [flight, weight, picks] = [1, 2, 3].map(() => cell('num spare'));
  const ageCell = cell('num');
  const steer = cell();
  const button = (action, words) => {
    const made = steer.appendChild(element('button', '', words));
    made.type = 'button';
    made.setAttribute('aria-label', `${words} ${gateway}`);
    made.addEventListener('click', () => ask(gateway, action));
    steer.append(' ');
    return made;
  };
  const buttons = {
    drain: button('drain', 'Drain'),
    maint: button('maint', 'Maint'),
    ready: button('ready', 'Ready'),
  };
  return {
    tr,
    where,
    state,
    why,
    bar,
    fillBar,
    mark,
    value,
    connections,
    flight,
    weight,
    picks,
    ageCell,
    buttons,
  };
}

function fill(parts, row) {
  const away = row.effectiveState !== 'up';
  const known = isKnown(row);
  parts.tr.className = away ? 'away' : '';
  parts.where.textContent = [row.pool, row.zone].filter(Boolean).join(', ');
  parts.tr.title = row.url;
  parts.state.textContent = row.effectiveState;
  parts.state.className = `state ${row.effectiveState}`;
  parts.why.textContent = parts.why.title = whyOf(row);
  const width = (score) => `${(Math.min(score, FULL_BAR) / FULL_BAR) * 100}%`;
  parts.fillBar.style.width = known ? width(row.expectedScore) : '0';
  parts.mark.style.left = width(row.reportedScore);
  const heat = row.expectedScore >= HOT ? 'hot' : row.expectedScore >= WARM ? 'warm' : '';
  parts.bar.className = `bar ${away ? 'cold' : heat}`;
  const expected = known ? `expected ${percent(row.expectedScore)}, ` : 'last ';
  parts.bar.title = `${expected}reported ${percent(row.reportedScore)}, capacity ${row.capacity}`;
  parts.value.textContent = known ? percent(row.expectedScore) : '-';
  parts.connections.textContent = count(row.connections);
  parts.flight.textContent = count(row.inFlightTickets);
  parts.weight.textContent = away ? '-' : `${row.weightPercent} %`;
  parts.picks.textContent = count(row.picks);
  parts.ageCell.textContent = age(row.ageMs);
  parts.buttons.drain.disabled = row.desired.state === 'drain';
  parts.buttons.maint.disabled = row.desired.state === 'maint';
  parts.buttons.ready.disabled = row.desired.state === 'up';
}

function whyOf(row) {
  if (row.breaker !== 'closed') return `breaker ${row.breaker}`;
  if (row.desired.state === 'up') return '';
  const { author, reason, untilEpochMs } = row.desired;
  // First, for the rest may be cut.
  const end = untilEpochMs > 0 ? `until ${timeOf(new Date(untilEpochMs))}` : '';
  return [end, author, reason].filter(Boolean).join(', ');
}

/** With the day, unless it is today. */
function timeOf(date) {
  const isToday = date.toDateString() === new Date().toDateString();
  const time = { hour: 'numeric', minute: '2-digit' };
  return isToday
    ? date.toLocaleTimeString([], time)
    : date.toLocaleString([], { month: 'short', day: 'numeric', ...time });
}

// ---- steering

const DEEDS = {
  drain: 'It gets no new connections, and those it has are asked to move.',
  maint: 'It gets no new connections from now on; those it has stay.',
  ready: 'It takes connections again.',
};

function ask(gateway, action) {
  const dialog = $('steer');
  $('steer-title').textContent = `${action} ${gateway}`;
  $('steer-words').textContent = DEEDS[action];
  $('steer-for-label').hidden = action === 'ready';
  $('steer-reason').value = '';
  dialog.returnValue = 'cancel';
  dialog.showModal();
  // Enter in the reason means the deed, not the first button.
  $('steer-reason').onkeydown = (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    dialog.close('go');
  };
  dialog.onclose = () => {
    if (dialog.returnValue === 'go') void steer(gateway, action);
  };
}

async function steer(gateway, action) {
  const forMs = action === 'ready' ? 0 : Number($('steer-for').value);
  try {
    const response = await fetch(`/v1/gateways/${encodeURIComponent(gateway)}/${action}`, {
      method: 'POST',
      headers: { ...headers(), 'content-type': 'application/json' },
      body: JSON.stringify({ reason: $('steer-reason').value, forMs }),
    });
    const answer = await response.json();
    if (!response.ok) toast(answer.detail);
    else
      toast(answer.shared ? `${gateway}: ${action}` : `${gateway}: ${action}, at this Herald alone for now`);
  } catch {
    toast('no answer: nothing is known to have changed');
  }
}

let toastTimer;
function toast(words) {
  $('toast').textContent = words;
  $('toast').hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => ($('toast').hidden = true), 5000);
}

// ---- start

$('filter').addEventListener('input', draw);
$('order').addEventListener('change', draw);
document.addEventListener('visibilitychange', draw);
$('token-form').addEventListener('submit', (event) => {
  event.preventDefault();
  token = $('token').value.trim();
  sessionStorage.setItem(TOKEN_KEY, token);
  location.reload();
});
void follow();
