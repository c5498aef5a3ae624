// Reads the table as server-sent events. By `fetch` and not by EventSource, because a token travels in a header.

const RETRY_MS = 1500;
/** Herald writes twice a second: one that is frozen or cut off says nothing, not even that it has gone. */
const SILENT_MS = 5000;

/** For ever. `onTable` gets each table, `onLost` why there is none, `onStatus` how Herald answered. */
export async function followTable({ headers, onStatus, onTable, onLost }) {
  for (;;) {
    try {
      await readStream(headers, onStatus, onTable);
      onLost('stream ended, trying again');
    } catch (error) {
      const isSilence = error instanceof TypeError || error.name === 'AbortError';
      onLost(isSilence ? 'no answer, trying again' : error.message);
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function readStream(headers, onStatus, onTable) {
  const abort = new AbortController();
  let silence;
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(() => abort.abort(), SILENT_MS);
  };
  try {
    heard();
    const response = await fetch('v1/table/stream', { headers, cache: 'no-store', signal: abort.signal });
    onStatus(response.status);
    if (!response.ok) throw new Error(`answer ${response.status}`);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let waiting = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      waiting += value;
      let end;
      while ((end = waiting.indexOf('\n\n')) >= 0) {
        const data = waiting
          .slice(0, end)
          .split('\n')
          .find((line) => line.startsWith('data: '));
        waiting = waiting.slice(end + 2);
        if (data) onTable(JSON.parse(data.slice('data: '.length)));
      }
    }
  } finally {
    clearTimeout(silence);
  }
}
