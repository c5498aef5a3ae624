// The body of `POST /v1/publish`: one message or many. Decoded whole before anything is published; one bad
// message refuses the request and names its place.

import type { Decoded } from '../../protocol/decode.ts';
import { decodeJson, decoding, readFields, refuse } from '../../protocol/decode.ts';
import { TOPIC_PATTERN, TOPIC_WORDS } from '../../protocol/names.ts';
import { PUBLICATION_LIMITS } from '../../protocol/publication.ts';
import { MAX_DEPTH, rawField, rawItems } from '../../protocol/raw-field.ts';

export const PUBLISH_REQUEST_LIMITS = { maxBodyBytes: 1_048_576, maxMessages: 1_000 } as const;

export interface PublishItem {
  topic: string;
  /** JSON, UTF-8. */
  json: Uint8Array;
}

/** `{topic, data}`, an array of such, or `{messages: [...]}`. */
export function decodePublishRequest(body: string): Decoded<PublishItem[]> {
  const parsed = decodeJson(body);
  if (!parsed.ok) return parsed;
  return decoding(() => {
    const { value } = parsed;
    if (Array.isArray(value)) return readItems(value, body);
    const from = readFields(value, 'body');
    const { messages } = from;
    if (Array.isArray(messages)) return readItems(messages, rawField(body, 'messages')!.text);
    return [readItem(from, body, '')];
  });
}

function readItems(list: unknown[], json: string): PublishItem[] {
  if (list.length === 0 || list.length > PUBLISH_REQUEST_LIMITS.maxMessages) {
    refuse('messages', list.length, `1 to ${PUBLISH_REQUEST_LIMITS.maxMessages} messages`);
  }
  const texts = rawItems(json);
  return list.map((item, index) => readItem(item, texts[index]!, `messages[${index}]`));
}

const encoder = new TextEncoder();

/** The data goes on as it was written: a number read and written again may lose digits. */
function readItem(value: unknown, text: string, place: string): PublishItem {
  const from = readFields(value, place || 'body');
  const topic = from['topic'];
  if (typeof topic !== 'string' || !TOPIC_PATTERN.test(topic)) {
    refuse(place === '' ? 'topic' : `${place}.topic`, topic, TOPIC_WORDS);
  }
  const field = place === '' ? 'data' : `${place}.data`;
  const data = rawField(text, 'data') ?? refuse(field, undefined, 'any JSON value');
  if (data.depth > MAX_DEPTH) refuse(field, `${data.depth} levels of nesting`, `at most ${MAX_DEPTH}`);
  const json = encoder.encode(data.text);
  if (json.length > PUBLICATION_LIMITS.maxDataBytes) {
    refuse(field, json.length, `at most ${PUBLICATION_LIMITS.maxDataBytes} bytes of JSON`);
  }
  return { topic, json };
}
