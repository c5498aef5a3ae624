// The rows of the table. Each is made once and filled again with every table, so that focus and hover stay where they are.

import { isKnown } from './fleet.js';
import { $, age, count, element, percent, timeOf } from './words.js';

const FULL_BAR = 1.25; // the bar ends at 125 % so that overload is visible
const WARM = 0.7;
const HOT = 0.9;

const made = new Map(); // gateway -> parts of its <tr>

/** `onSteer(gateway, action)` is called by the buttons of a row. */
export function drawRows(shown, onSteer) {
  const body = $('rows');
  const wanted = new Set(shown.map((row) => row.gateway));
  for (const [gateway, parts] of made) {
    if (wanted.has(gateway)) continue;
    parts.tr.remove();
    made.delete(gateway);
  }
  shown.forEach((row, index) => {
    let parts = made.get(row.gateway);
    if (!parts) made.set(row.gateway, (parts = newRow(row.gateway, onSteer)));
    fill(parts, row);
    // Moved only when its place changed.
    if (body.children[index] !== parts.tr) body.insertBefore(parts.tr, body.children[index] ?? null);
  });
}

function newRow(gateway, onSteer) {
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
    const one = steer.appendChild(element('button', '', words));
    one.type = 'button';
    one.setAttribute('aria-label', `${words} ${gateway}`);
    one.addEventListener('click', () => onSteer(gateway, action));
    steer.append(' ');
    return one;
  };
  const buttons = {
    drain: button('drain', 'Drain'),
    maint: button('maint', 'Maint'),
    up: button('ready', 'Ready'),
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
  const buttons = Object.values(parts.buttons);
  const held = buttons.find((one) => one === document.activeElement);
  for (const [state, one] of Object.entries(parts.buttons)) one.disabled = row.desired.state === state;
  // Who steers by keyboard stays in the row.
  if (held?.disabled) buttons.find((one) => !one.disabled).focus();
}

function whyOf(row) {
  if (row.breaker !== 'closed') return `breaker ${row.breaker}`;
  if (row.desired.state === 'up') return '';
  const { author, reason, untilEpochMs } = row.desired;
  // First, for the rest may be cut.
  const end = untilEpochMs > 0 ? `until ${timeOf(new Date(untilEpochMs))}` : '';
  return [end, author, reason].filter(Boolean).join(', ');
}
