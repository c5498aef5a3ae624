// Drain, maint and ready: asked for in a dialog, ordered of Herald, and what came of it told for a while.

import { $ } from './words.js';

const DEEDS = {
  drain: 'It gets no new connections, and those it has are asked to move.',
  maint: 'It gets no new connections from now on; those it has stay.',
  ready: 'It takes connections again.',
};
const TOAST_MS = 5000;

/** Opens the dialog. */
export function askToSteer(gateway, action, headers) {
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
    if (dialog.returnValue === 'go') void steer(gateway, action, headers);
  };
}

async function steer(gateway, action, headers) {
  const forMs = action === 'ready' ? 0 : Number($('steer-for').value);
  try {
    const response = await fetch(`v1/gateways/${encodeURIComponent(gateway)}/${action}`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
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
  toastTimer = setTimeout(() => ($('toast').hidden = true), TOAST_MS);
}
