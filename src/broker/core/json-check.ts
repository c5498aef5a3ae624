// Whether bytes are JSON in UTF-8. The gateway writes a message's JSON into its frames as it came, so one
// publisher's broken text would break every subscriber's frame; it is checked here, once a message.

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function isJson(data: Uint8Array): boolean {
  try {
    JSON.parse(decoder.decode(data));
    return true;
  } catch {
    return false;
  }
}
