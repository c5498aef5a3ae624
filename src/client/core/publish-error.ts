// (6) Why a publication of the client was not, as far as it knows: a word where the client refused it, the number that
// the gateway gave (close-codes.ts) where the gateway did.

/**
 * `closed`: the connection ended before the gateway answered, which may have taken it. `queue-full`: 1,000 others wait
 * for their turn. `too-large`: the gateway takes no frame of that size.
 */
export type PublishErrorCode = 'not-connected' | 'bad-json' | 'too-large' | 'queue-full' | 'closed';

export interface PublishProblem {
  code: PublishErrorCode | number;
  why: string;
}

export class PublishError extends Error {
  override readonly name = 'PublishError';
  /** A number is the gateway's: 4006 = clients may not publish there, 4105 = no broker took it. */
  readonly code: PublishErrorCode | number;

  constructor({ code, why }: PublishProblem) {
    super(`not published: ${typeof code === 'number' ? `${code} ` : ''}${why}`);
    this.code = code;
  }
}
