// CURVE keys (CurveZMQ, RFC 26) in ZeroMQ's Z85 text, 40 characters each.

import { curveKeyPair } from 'zeromq';

export function makeCurveKeys(): { publicKey: string; secretKey: string } {
  return curveKeyPair();
}
