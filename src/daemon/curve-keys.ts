// CURVE keys (CurveZMQ, RFC 26) as texts: 32 bytes in 40 characters of Z85 (ZeroMQ RFC 32). Checked before a socket gets
// them: one with a wrong key connects to nobody, and does not say why.

import { createPrivateKey, createPublicKey } from 'node:crypto';

const KEY_CHARS = 40;
const Z85 = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';
/** What stands before the 32 bytes of an X25519 private key in PKCS #8 (RFC 8410). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex');

export function isCurveKey(text: string): boolean {
  return keyBytes(text) !== undefined;
}

/** Whether both are CURVE keys and belong together. */
export function isCurvePair(publicKey: string, secretKey: string): boolean {
  const [given, secret] = [keyBytes(publicKey), keyBytes(secretKey)];
  if (!given || !secret) return false;
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, secret]), format: 'der', type: 'pkcs8' });
  const made = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return made.subarray(-given.length).equals(given);
}

function keyBytes(text: string): Buffer | undefined {
  if (text.length !== KEY_CHARS) return undefined;
  const bytes = Buffer.alloc((KEY_CHARS / 5) * 4);
  for (let i = 0; i < KEY_CHARS; i += 5) {
    let value = 0;
    for (const char of text.slice(i, i + 5)) {
      const digit = Z85.indexOf(char);
      if (digit < 0) return undefined;
      value = value * Z85.length + digit;
    }
    if (value > 0xffff_ffff) return undefined;
    bytes.writeUInt32BE(value, (i / 5) * 4);
  }
  return bytes;
}
