// (7) Gateway -> broker and back, on the repair socket: the heads right now, a range of a bucket that did not
// arrive, the history of topics (how a client resumes at any gateway), and the goodbye that lets a draining
// broker go. The first three can be asked of another broker's epoch, whose last messages this one kept.

import type { BucketSet } from './bucket.ts';
import { BUCKET_SET_BYTES } from './bucket.ts';
import type { ByteReader as Reader, ByteWriter } from './bytes.ts';
import { ByteReader } from './bytes.ts';
import type { Decoded } from './decode.ts';
import { decoding, refuse } from './decode.ts';
import type { FrameNames } from './publication.ts';
import { PUBLICATION_LIMITS, readBlock, readKind, writeBlock, writeKind } from './publication.ts';
import type { BucketHead, Section, SequencedMessage } from './publication-envelope.ts';
import { readHeadList, readSection, writeHeadList, writeSection } from './publication-envelope.ts';

export const REPAIR_LIMITS = { maxTopicsPerRequest: 512, maxReplyBytes: 262_144 } as const;

/**
 * `head`: only where the topic stands, with a position also `ownOffset`. `since`: after a position. `held`: the newest
 * that are still held.
 */
export interface TopicQuery {
  topic: string;
  want: 'head' | 'since' | 'held';
  epoch: string;
  afterOffset: number;
}

export type RepairRequest = { request: number } & (
  | {
      kind: 'heads';
      /** The epoch that is asked about; empty = the broker's own. */
      of: string;
      /** The buckets the asker wants, for bridges. */
      interest: BucketSet;
    }
  | { kind: 'range'; of: string; bucket: number; fromSequence: number; toSequence: number }
  | { kind: 'topics'; of: string; maxMessages: number; maxBytes: number; queries: TopicQuery[] }
  | { kind: 'leave' }
  /** A bridge asks what this broker's subscribers want. */
  | { kind: 'interest' }
);

export type TopicStatus = 'complete' | 'over-limit' | 'trimmed' | 'epoch-gone';

export interface TopicAnswer {
  topic: string;
  status: TopicStatus;
  headOffset: number;
  /** Asked of another epoch: where the topic stood in the answering broker's own when that position passed. */
  ownOffset: number;
  messages: SequencedMessage[];
}

export type RepairReply = { request: number; epoch: string } & (
  | {
      kind: 'heads';
      /**
       * How long this epoch has lasted: a gateway that listened before it began starts at its sequence 1. Of an epoch
       * that was kept only whether it is known to its end: 1, or 0 = it may have gone on unheard.
       */
      upMs: number;
      heads: BucketHead[];
    }
  | {
      kind: 'range';
      bucket: number;
      /** What is before it is gone for good. */
      firstHeldSequence: number;
      headSequence: number;
      /** From the first held one of the range on; maybe not to its end (ask again), never with a hole. */
      section: Section;
    }
  | { kind: 'topics'; answers: TopicAnswer[] }
  | { kind: 'leave' }
  | { kind: 'interest'; interest: BucketSet }
  /** The epoch that was asked about is not known here. */
  | { kind: 'not-held' }
);

const KIND_REQUEST = 0x52;
const KIND_REPLY = 0x72;
const REQUESTS = ['heads', 'range', 'topics', 'leave', 'interest'] as const;
const REPLIES = [...REQUESTS, 'not-held'] as const;
const WANTS = ['head', 'since', 'held'] as const;
const STATUSES = ['complete', 'over-limit', 'trimmed', 'epoch-gone'] as const;

export function encodeRepairRequest(to: ByteWriter, request: RepairRequest): Uint8Array {
  writeKind(to, KIND_REQUEST);
  to.varint(request.request);
  to.byte(REQUESTS.indexOf(request.kind));
  if ('of' in request) to.name(request.of);
  if (request.kind === 'heads') to.bytes(request.interest);
  else if (request.kind === 'range') {
    to.byte(request.bucket);
    to.varint(request.fromSequence);
    to.varint(request.toSequence);
  } else if (request.kind === 'topics') {
    to.varint(request.maxMessages);
    to.varint(request.maxBytes);
    to.varint(request.queries.length);
    for (const query of request.queries) {
      to.byte(WANTS.indexOf(query.want));
      to.name(query.topic);
      to.name(query.epoch);
      to.varint(query.afterOffset);
    }
  }
  return to.take();
}

export function decodeRepairRequest(bytes: Uint8Array, names: FrameNames): Decoded<RepairRequest> {
  return decoding(() => {
    const from = new ByteReader(bytes);
    readKind(from, KIND_REQUEST);
    const decoded = readRequest(from, names);
    from.end();
    return decoded;
  });
}

function readRequest(from: Reader, names: FrameNames): RepairRequest {
  const request = from.varint('request');
  const kind = readChoice(from, 'kind', REQUESTS);
  switch (kind) {
    case 'heads':
      return {
        request,
        kind,
        of: from.name('of', names.optionalEpochs),
        interest: from.fixed('interest', BUCKET_SET_BYTES),
      };
    case 'leave':
    case 'interest':
      return { request, kind };
    case 'range':
      return {
        request,
        kind,
        of: from.name('of', names.optionalEpochs),
        bucket: from.byte('bucket'),
        fromSequence: from.varint('from'),
        toSequence: from.varint('to'),
      };
    case 'topics': {
      const of = from.name('of', names.optionalEpochs);
      const maxMessages = from.varint('maxMessages');
      const maxBytes = from.varint('maxBytes');
      const count = from.varint('queries', REPAIR_LIMITS.maxTopicsPerRequest);
      const queries: TopicQuery[] = [];
      for (let i = 0; i < count; i++) {
        queries.push({
          want: readChoice(from, 'want', WANTS),
          topic: from.name('topic', names.topics),
          epoch: from.name('epoch', names.optionalEpochs),
          afterOffset: from.varint('after'),
        });
      }
      return { request, kind, of, maxMessages, maxBytes, queries };
    }
  }
}

export function encodeRepairReply(to: ByteWriter, reply: RepairReply): Uint8Array {
  writeKind(to, KIND_REPLY);
  to.varint(reply.request);
  to.byte(REPLIES.indexOf(reply.kind));
  to.name(reply.epoch);
  switch (reply.kind) {
    case 'heads':
      to.varint(Math.max(0, Math.round(reply.upMs)));
      writeHeadList(to, reply.heads);
      break;
    case 'range':
      to.byte(reply.bucket);
      to.varint(reply.firstHeldSequence);
      to.varint(reply.headSequence);
      writeSection(to, reply.section);
      break;
    case 'topics':
      to.varint(reply.answers.length);
      for (const answer of reply.answers) {
        to.name(answer.topic);
        to.byte(STATUSES.indexOf(answer.status));
        to.varint(answer.headOffset);
        to.varint(answer.ownOffset);
        writeBlock(to, answer.messages, (message) => message.offset);
      }
      break;
    case 'interest':
      to.bytes(reply.interest);
      break;
    case 'leave':
    case 'not-held':
      break;
  }
  return to.take();
}

export function decodeRepairReply(bytes: Uint8Array, names: FrameNames): Decoded<RepairReply> {
  return decoding(() => {
    const from = new ByteReader(bytes);
    readKind(from, KIND_REPLY);
    const decoded = readReply(from, names);
    from.end();
    return decoded;
  });
}

function readReply(from: Reader, names: FrameNames): RepairReply {
  const request = from.varint('request');
  const kind = readChoice(from, 'kind', REPLIES);
  const epoch = from.name('epoch', names.epochs);
  switch (kind) {
    case 'heads':
      return { request, epoch, kind, upMs: from.varint('upMs'), heads: readHeadList(from) };
    case 'range':
      return {
        request,
        epoch,
        kind,
        bucket: from.byte('bucket'),
        firstHeldSequence: from.varint('firstHeld'),
        headSequence: from.varint('head'),
        section: readSection(from, names),
      };
    case 'topics': {
      const count = from.varint('answers', REPAIR_LIMITS.maxTopicsPerRequest);
      const answers: TopicAnswer[] = [];
      for (let i = 0; i < count; i++) answers.push(readAnswer(from, names));
      return { request, epoch, kind, answers };
    }
    case 'leave':
    case 'not-held':
      return { request, epoch, kind };
    case 'interest':
      return { request, epoch, kind, interest: from.fixed('interest', BUCKET_SET_BYTES) };
  }
}

function readAnswer(from: Reader, names: FrameNames): TopicAnswer {
  const topic = from.name('topic', names.topics);
  const status = readChoice(from, 'status', STATUSES);
  const headOffset = from.varint('head');
  const ownOffset = from.varint('own');
  const messages: SequencedMessage[] = [];
  readBlock(from, names, true, (message) => messages.push(message));
  return { topic, status, headOffset, ownOffset, messages };
}

function readChoice<T extends string>(from: Reader, field: string, choices: readonly T[]): T {
  const code = from.byte(field);
  return choices[code] ?? refuse(field, code, `0 to ${choices.length - 1} (${choices.join(', ')})`);
}

/** What a range request may ask at once. */
export const MAX_RANGE = PUBLICATION_LIMITS.maxMessagesPerBatch;
