// How the page writes figures, and makes elements. What comes from outside goes in as text, never as markup.

export const $ = (id) => document.getElementById(id);

export function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

export const percent = (ratio) => `${Math.round(ratio * 100)} %`;
export const count = (value) => Math.round(value).toLocaleString('en');
export const age = (ms) => (ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`);

/** With the day, unless it is today. */
export function timeOf(date) {
  const isToday = date.toDateString() === new Date().toDateString();
  const time = { hour: 'numeric', minute: '2-digit' };
  return isToday
    ? date.toLocaleTimeString([], time)
    : date.toLocaleString([], { month: 'short', day: 'numeric', ...time });
}
