// (8) What a client and a gateway may agree on beyond the basic ops: the client lists capabilities in `hello`,
// the gateway answers with those it has too, and only these are in force. A capability is one object; adding
// one changes nothing else.

import type { Fields } from '../../protocol/decode.ts';
import { VARIANT } from './group.ts';

/** What the op of a capability may do with the connection it came from. */
export interface CapabilityContext {
  readonly conn: string;
  send(frame: object): void;
  close(code: number): void;
}

export type CapabilityOp = (context: CapabilityContext, fields: Fields) => void;

export interface Capability {
  readonly name: string;
  /** Bits of VARIANT for clients that negotiated it: their groups get bytes of their own. */
  readonly variant?: number;
  /** Ops a client may send once it is negotiated. `fields` is the frame, unchecked. */
  readonly ops?: Readonly<Record<string, CapabilityOp>>;
}

/** `gap`: lost messages are told. `move`: the client can be asked to go elsewhere without a cut. */
export const BUILT_IN_CAPABILITIES: readonly Capability[] = [
  { name: 'gap', variant: VARIANT.gap },
  { name: 'move' },
];

/** The capabilities in force, in the gateway's order. Unknown names are no error. */
export function negotiate(offered: readonly string[], known: readonly Capability[]): readonly Capability[] {
  return known.filter(({ name }) => offered.includes(name));
}
