// The grammar of every name that crosses a wire, in one place, so that no two doors differ on it.

/** Gateway and Herald ids are also header tokens and HAProxy server names. */
export const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
export const ID_WORDS = 'an id: 1 to 128 of A-Z a-z 0-9 . _ : -, the first a letter or digit';

/** Pools and zones: an id, or empty for "any". */
export const PLACE_PATTERN = /^([A-Za-z0-9][A-Za-z0-9._:-]{0,63})?$/;
export const PLACE_WORDS = 'a name of at most 64 of A-Z a-z 0-9 . _ : -';

export const LABEL_KEY_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/;
export const LABEL_VALUE_PATTERN = /^[A-Za-z0-9._/:-]{0,63}$/;
export const MAX_LABELS = 16;

/** Topics: 1 to 255 bytes of printable ASCII without space, quote and backslash; `.` separates levels. */
export const TOPIC_PATTERN = /^[!#-[\]-~]{1,255}$/;
export const TOPIC_WORDS = 'a topic: 1 to 255 printable ASCII characters without space, " or \\';

/** One life of a broker. */
export const EPOCH_PATTERN = /^[A-Za-z0-9]{1,16}$/;
export const EPOCH_WORDS = 'an epoch: 1 to 16 letters or digits';
/** Empty where no broker is known yet, or the receiver's own epoch is meant. */
export const OPTIONAL_EPOCH_PATTERN = /^[A-Za-z0-9]{0,16}$/;
export const OPTIONAL_EPOCH_WORDS = 'an epoch: at most 16 letters or digits';

/** One life of a gateway or Herald; empty where it does not say. */
export const BOOT_ID_PATTERN = /^[\x21-\x7e]{0,64}$/;
export const BOOT_ID_WORDS = 'at most 64 printable characters';

/** What the paths of an HTTP API follow; empty where there is no such API. */
export const BASE_URL_PATTERN = /^(https?:\/\/[A-Za-z0-9._[\]:-]{1,255}(\/[A-Za-z0-9._~%/-]{0,255})?)?$/;
export const BASE_URL_WORDS = 'an http:// or https:// URL, or an empty text';

const GATEWAY_URL = /^wss?:\/\/[A-Za-z0-9._[\]:-]{1,255}(\/[!$-;=?-Z_a-z~%]{0,1024})?$/;

/** A `ws:` or `wss:` URL that a client can open: no credentials, no fragment, at most 1,300 characters. */
export function isGatewayUrl(text: string): boolean {
  return GATEWAY_URL.test(text) && isUrl(text);
}

/** `URL.canParse`, which React Native and browsers from before the end of 2023 do not have. */
export function isUrl(text: string): boolean {
  try {
    return new URL(text).href !== '';
  } catch {
    return false;
  }
}
