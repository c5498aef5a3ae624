// (5) -> (6) The text of a lookup's answer, as far as it can be one.

import type { FetchAnswer } from './connect-options.ts';

/** The longest answer of a Herald is some 30 KB; what sends more is none, and may never end. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** Rejects when it is longer. An answer without `body`, as that of React Native's `fetch`, is read as it is. */
export async function readAnswer(answer: FetchAnswer): Promise<string> {
  if (!answer.body) return answer.text();
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (let bytes = 0; ;) {
    const { value } = await reader.read();
    if (!value) return text + decoder.decode();
    bytes += value.length;
    if (bytes > MAX_ANSWER_BYTES) {
      reader.cancel().catch(() => {});
      throw new Error(`an answer of more than ${MAX_ANSWER_BYTES} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
}
